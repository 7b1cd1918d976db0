#include <map>
#include <set>
#include <utility>

#include "runtime/checkpoint/manifest.h"

namespace watershed {
namespace {

// What the storage has, read folder by folder as names come.
class StoredSizes {
 public:
  explicit StoredSizes(ObjectStorage& storage) : storage_(storage) {}

  // -1: there is no such object.
  Result<int64_t> Of(const std::string& name) {
    const std::string folder = name.substr(0, name.rfind('/') + 1);
    if (folders_.insert(folder).second) {
      WS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, storage_.List(folder));
      for (const ObjectInfo& object : objects) sizes_[object.name] = object.size_bytes;
    }
    const auto found = sizes_.find(name);
    return found == sizes_.end() ? -1 : found->second;
  }

 private:
  ObjectStorage& storage_;
  std::set<std::string> folders_;
  std::map<std::string, int64_t> sizes_;
};

Status CheckFile(StoredSizes& sizes, const std::string& uri, const v1::FileRef& file) {
  WS_ASSIGN_OR_RETURN(const int64_t size_bytes, sizes.Of(file.name()));
  if (size_bytes == file.size_bytes()) return Ok();
  if (size_bytes < 0) return ExternalError("'{}' is not there", JoinUri(uri, file.name()));
  return ExternalError("'{}' is damaged: it has {} bytes instead of {}", JoinUri(uri, file.name()),
                       size_bytes, file.size_bytes());
}

}  // namespace

void ForEachFile(const v1::SubtaskSnapshot& part, const FileVisitor& visit) {
  for (const v1::OperatorSnapshot& op : part.operators()) {
    for (const v1::FileRef& file : op.keyed_state().files()) visit(op.operator_id(), file);
  }
  for (const v1::SinkSnapshot& sink : part.sinks()) {
    for (const v1::SegmentRef& segment : sink.unconfirmed()) {
      if (segment.has_file()) visit(sink.operator_id(), segment.file());
    }
  }
}

Status CheckFiles(ObjectStorage& storage, const v1::CheckpointManifest& manifest) {
  StoredSizes sizes(storage);
  Status status;
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    ForEachFile(part, [&](const std::string& operator_id, const v1::FileRef& file) {
      if (!status) return;
      status = CheckFile(sizes, storage.uri(), file);
      if (status) return;
      status = tl::make_unexpected(std::move(status).error().Within(
          fmt::format("checkpoint {}, operator '{}', subtask {}", manifest.checkpoint_id(),
                      operator_id, part.subtask())));
    });
  }
  return status;
}

}  // namespace watershed
