#include "runtime/checkpoint/savepoint.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/storage/stored_bytes.h"

namespace watershed {
namespace {

Status PutNew(ObjectStorage& storage, std::string_view name, std::string_view bytes) {
  WS_ASSIGN_OR_RETURN(const bool is_new, storage.PutIfAbsent(name, bytes));
  if (is_new) return Ok();
  return ExternalError("{} is there already: another savepoint has this directory",
                       JoinUri(storage.uri(), name));
}

// In the manifest's order, each once.
std::vector<StoredFile> FilesOf(const v1::CheckpointManifest& manifest) {
  std::vector<StoredFile> files;
  std::set<std::string> names;
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    ForEachFile(part, [&](const std::string&, const v1::FileRef& file) {
      if (names.insert(file.name()).second) files.push_back(FromProto(file));
    });
  }
  return files;
}

}  // namespace

Status WriteSavepoint(ObjectStorage& job, ObjectStorage& savepoint,
                      v1::CheckpointManifest manifest) {
  std::vector<std::string> written;
  const auto put = [&](const std::string& name, const std::string& bytes) -> Status {
    WS_RETURN_IF_ERROR(PutNew(savepoint, name, bytes));
    written.push_back(name);
    return Ok();
  };
  const auto write = [&]() -> Status {
    for (const StoredFile& file : FilesOf(manifest)) {
      WS_ASSIGN_OR_RETURN(const std::string bytes, ReadStored(job, file));
      WS_RETURN_IF_ERROR(put(file.name, bytes));
    }
    manifest.set_is_savepoint(true);
    return put(SavepointManifestName(), EncodeManifest(manifest));
  };
  Status status = write();
  if (status) return status;
  // Half a savepoint is of no use to anybody; what cannot be deleted either is in the error's
  // place.
  for (const std::string& name : written) (void)savepoint.Delete(name);
  return status;
}

Status DeleteSavepoint(ObjectStorage& parent, const std::string& folder) {
  const std::string name = folder + "/" + SavepointManifestName();
  const std::string uri = JoinUri(parent.uri(), folder);
  WS_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, parent.Get(name));
  if (!bytes) return UserError("there is no savepoint at {}", uri);
  Result<v1::CheckpointManifest> manifest = DecodeManifest(*bytes);
  if (!manifest) return tl::make_unexpected(std::move(manifest).error().Within(uri));
  if (!manifest->is_savepoint()) {
    return UserError("{} is a checkpoint of job {}, not a savepoint: its job deletes it", uri,
                     manifest->job_id());
  }
  WS_RETURN_IF_ERROR(parent.Delete(name));
  for (const StoredFile& file : FilesOf(*manifest)) {
    WS_RETURN_IF_ERROR(parent.Delete(folder + "/" + file.name));
  }
  return Ok();
}

}  // namespace watershed
