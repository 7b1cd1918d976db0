#include "jobmanager/checkpoint/manifest_store.h"

#include <utility>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/savepoint.h"
#include "runtime/logging/log.h"
#include "runtime/storage/content_hash.h"
#include "runtime/types/ids.h"
#include "runtime/types/kill_point.h"

namespace watershed {
namespace {

Result<v1::CheckpointManifest> ReadWhole(const StorageOpener& open,
                                         const StoredCheckpoint& checkpoint) {
  WS_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStorage> storage, open(checkpoint.directory));
  const StoredFile expected = FromProto(checkpoint.ref.manifest());
  WS_ASSIGN_OR_RETURN(v1::CheckpointManifest manifest,
                      ReadManifest(*storage, expected.name, &expected));
  WS_RETURN_IF_ERROR(CheckFiles(*storage, manifest));
  return manifest;
}

Status CheckNamesNone(const DamagedFiles& damaged, const v1::CheckpointManifest& manifest) {
  Status status;
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    ForEachFile(part, [&](const std::string&, const v1::FileRef& file) {
      const auto found = damaged.find(file.name());
      if (status && found != damaged.end()) status = ExternalError("{}", found->second);
    });
  }
  return status;
}

v1::CheckpointRef RefOf(const v1::CheckpointManifest& manifest, const std::string& name,
                        const std::string& bytes) {
  v1::CheckpointRef ref;
  ref.set_checkpoint_id(manifest.checkpoint_id());
  ToProto({.name = name,
           .size_bytes = static_cast<int64_t>(bytes.size()),
           .xxh3 = ContentHash::Of(bytes)},
          ref.mutable_manifest());
  ref.set_trigger_time_ms(manifest.trigger_time_ms());
  ref.set_completed_time_ms(manifest.completed_time_ms());
  ref.set_is_savepoint(manifest.is_savepoint());
  ref.set_drained(manifest.drained());
  for (const v1::SubtaskSnapshot& subtask : manifest.subtasks()) {
    ref.set_state_bytes(ref.state_bytes() + subtask.figures().state_bytes());
    ref.set_written_bytes(ref.written_bytes() + subtask.figures().written_bytes());
  }
  return ref;
}

}  // namespace

Status DeleteSavepointAt(const StorageOpener& open, const std::string& path) {
  WS_ASSIGN_OR_RETURN(const SavepointPlace place, ParseSavepointPath(path));
  WS_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStorage> parent, open(place.parent));
  return DeleteSavepoint(*parent, place.folder);
}

Result<NamedCheckpoint> OpenNamedCheckpoint(const StorageOpener& open, const std::string& path,
                                            const v1::PhysicalPlan& plan,
                                            const v1::RestoreOptions& options) {
  WS_ASSIGN_OR_RETURN(const RestorePath where, ParseRestorePath(path));
  Result<std::shared_ptr<ObjectStorage>> opened = open(where.directory);
  if (!opened) {
    return tl::make_unexpected(
        std::move(opened).error().Within(fmt::format("no checkpoint can be read at {}", path)));
  }
  const std::shared_ptr<ObjectStorage> storage = std::move(*opened);
  WS_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, storage->Get(where.manifest));
  if (!bytes) {
    return UserError("there is no checkpoint at {}: {} is missing", path,
                     JoinUri(where.directory, where.manifest));
  }
  Result<v1::CheckpointManifest> manifest = DecodeManifest(*bytes);
  if (!manifest) return tl::make_unexpected(std::move(manifest).error().Within(path));
  if (manifest->drained() && !options.allow_drained()) {
    return UserError(
        "{} was drained when its job was stopped: windows have fired that later rows belong to, "
        "and "
        "would fire again with those rows alone; --allow-drained goes on from it all the same",
        path);
  }
  WS_RETURN_IF_ERROR(CheckFiles(*storage, *manifest));
  if (const auto fits = AssignRestore(*manifest, plan, options); !fits) {
    return tl::make_unexpected(Error(fits.error()).Within(path));
  }
  return NamedCheckpoint{
      .checkpoint = {RefOf(*manifest, where.manifest, *bytes), where.directory, options},
      .lineage = manifest->lineage(),
      .attempt = Attempt{manifest->attempt()}};
}

Result<RestorePoint> FindRestorePoint(const StorageOpener& open,
                                      const std::vector<StoredCheckpoint>& candidates,
                                      const DamagedFiles& damaged, const v1::PhysicalPlan& plan) {
  RestorePoint point;
  for (const StoredCheckpoint& candidate : candidates) {
    const Result<v1::CheckpointManifest> manifest = ReadWhole(open, candidate);
    const Status usable = manifest ? CheckNamesNone(damaged, *manifest)
                                   : Status(tl::make_unexpected(manifest.error()));
    if (!usable) {
      Error error = usable.error();
      if (error.retryable || error.domain == ErrorDomain::kUser) {
        return tl::make_unexpected(std::move(error));
      }
      point.damaged.push_back(fmt::format("checkpoint {} in {}: {}", candidate.ref.checkpoint_id(),
                                          candidate.directory, error.message));
      continue;
    }
    // No sink is exactly-once yet. Once one is: only if it has committed nothing past this one.
    WS_ASSIGN_OR_RETURN(point.assignment, AssignRestore(*manifest, plan, candidate.options));
    point.checkpoint = candidate;
    return point;
  }
  return ExternalError(
      "no retained checkpoint can be read; the newest: {}. Put the file back and submit the job "
      "from "
      "there, or submit it from another checkpoint or from the beginning",
      point.damaged.empty() ? "there is none" : point.damaged.front());
}

ManifestStore::ManifestStore(std::string directory, StorageOpener open, WorkRunner* io,
                             Executor* executor)
    : directory_(std::move(directory)), open_(std::move(open)), io_(io), executor_(executor) {}

Result<std::shared_ptr<ObjectStorage>> ManifestStore::Storage() {
  const std::lock_guard lock(mutex_);
  if (storage_ == nullptr) {
    WS_ASSIGN_OR_RETURN(storage_, open_(directory_));
  }
  return storage_;
}

Result<v1::CheckpointRef> ManifestStore::PutNow(const v1::CheckpointManifest& manifest,
                                                const std::string& savepoint_path) {
  WS_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStorage> storage, Storage());
  if (!savepoint_path.empty()) {
    WS_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStorage> savepoint, open_(savepoint_path));
    WS_RETURN_IF_ERROR(WriteSavepoint(*storage, *savepoint, manifest));
  }
  const std::string bytes = EncodeManifest(manifest);
  const std::string name =
      ManifestName(CheckpointId{manifest.checkpoint_id()}, Attempt{manifest.attempt()});
  Pass(KillPoint::kManifestPuts);
  WS_ASSIGN_OR_RETURN(const bool is_new, storage->PutIfAbsent(name, bytes));
  Pass(KillPoint::kManifestIsDurable);
  if (!is_new) {
    return ExternalError("{} is there already: does another JobManager use this directory?",
                         JoinUri(storage->uri(), name));
  }
  v1::CheckpointRef ref = RefOf(manifest, name, bytes);
  ref.set_is_savepoint(!savepoint_path.empty());
  ref.set_savepoint_path(savepoint_path);
  return ref;
}

void ManifestStore::Put(v1::CheckpointManifest manifest, std::string savepoint_path,
                        std::function<void(Result<v1::CheckpointRef>)> done) {
  if (puts_ >= kPutsMax) {
    executor_->Post([done = std::move(done), puts = puts_, directory = directory_] {
      done(TransientError("{} manifests of earlier checkpoints are still being written to {}", puts,
                          directory));
    });
    return;
  }
  ++puts_;
  io_->Run([self = shared_from_this(), manifest = std::move(manifest),
            savepoint_path = std::move(savepoint_path), done = std::move(done)] {
    self->executor_->Post([self, done, result = self->PutNow(manifest, savepoint_path)] {
      --self->puts_;
      done(result);
    });
  });
}

void ManifestStore::Discard(const v1::CheckpointRef& checkpoint) {
  if (!checkpoint.savepoint_path().empty()) DiscardSavepoint(checkpoint.savepoint_path());
  io_->Run([self = shared_from_this(), name = checkpoint.manifest().name()] {
    const auto storage = self->Storage();
    const Status deleted =
        storage ? (*storage)->Delete(name) : Status(tl::make_unexpected(storage.error()));
    if (!deleted) {
      LogWarn("{} stays, though its checkpoint has failed: {}", JoinUri(self->directory_, name),
              deleted.error().message);
    }
  });
}

void ManifestStore::DiscardSavepoint(const std::string& path) {
  io_->Run([self = shared_from_this(), path] {
    const Status deleted = DeleteSavepointAt(self->open_, path);
    if (!deleted) LogWarn("{} stays, though nobody needs it: {}", path, deleted.error().message);
  });
}

void ManifestStore::Find(std::vector<StoredCheckpoint> candidates, DamagedFiles damaged,
                         std::shared_ptr<const v1::PhysicalPlan> plan,
                         std::function<void(Result<RestorePoint>)> done) {
  io_->Run([self = shared_from_this(), candidates = std::move(candidates),
            damaged = std::move(damaged), plan = std::move(plan), done = std::move(done)] {
    self->executor_->Post([done, result = FindRestorePoint(self->open_, candidates, damaged,
                                                           *plan)] { done(result); });
  });
}

void ManifestStore::Read(StoredCheckpoint checkpoint,
                         std::function<void(Result<v1::CheckpointManifest>)> done) {
  io_->Run([self = shared_from_this(), checkpoint = std::move(checkpoint), done = std::move(done)] {
    self->executor_->Post(
        [done, result = ReadWhole(self->open_, checkpoint)]() mutable { done(std::move(result)); });
  });
}

}  // namespace watershed
