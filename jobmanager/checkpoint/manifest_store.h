// The manifests of one job's checkpoints in the checkpoint storage: written when all subtasks have
// answered, read before a restore. What blocks runs on a WorkRunner.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/checkpoint/restore.h"
#include "runtime/process/executor.h"
#include "runtime/process/work_runner.h"
#include "runtime/storage/object_storage.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

using StorageOpener = std::function<Result<std::shared_ptr<ObjectStorage>>(const std::string& uri)>;

// A completed checkpoint and where its files are.
struct StoredCheckpoint {
  v1::CheckpointRef ref;
  std::string directory;
  v1::RestoreOptions options = {};  // of a job's own: none
};

// What tasks have found damaged that their sizes do not show: name of the file -> what is wrong.
using DamagedFiles = std::map<std::string, std::string>;

// A checkpoint as an attempt takes it over.
struct RestorePoint {
  StoredCheckpoint checkpoint;
  RestoreAssignment assignment;
  // Newer ones that were damaged: which file, and what is wrong with it.
  std::vector<std::string> damaged;
};

// The first of the candidates (newest first) that can be read, given to the subtasks of the plan.
// One that is damaged, or names a file that is, is passed over; one that cannot be read now is a
// transient error, and one that does not fit the plan a user error. All damaged: an error that
// names what is wrong with the newest. Blocks.
Result<RestorePoint> FindRestorePoint(const StorageOpener& open,
                                      const std::vector<StoredCheckpoint>& candidates,
                                      const DamagedFiles& damaged, const v1::PhysicalPlan& plan);

// A checkpoint that a user names by its path.
struct NamedCheckpoint {
  StoredCheckpoint checkpoint;
  std::string lineage;
  Attempt attempt;
};
// Reads it and checks that it is whole and fits the plan. Blocks.
Result<NamedCheckpoint> OpenNamedCheckpoint(const StorageOpener& open, const std::string& path,
                                            const v1::PhysicalPlan& plan,
                                            const v1::RestoreOptions& options);

// Of a path as people are shown it; see DeleteSavepoint. Blocks.
Status DeleteSavepointAt(const StorageOpener& open, const std::string& path);

// Called on the executor; answers come there. Thread-safe inside.
class ManifestStore : public std::enable_shared_from_this<ManifestStore> {
 public:
  ManifestStore(std::string directory, StorageOpener open, WorkRunner* io, Executor* executor);

  // The answer is the checkpoint as the log is to name it: the manifest is durable then, and before
  // it the savepoint at this path, unless that is empty.
  // While kPutsMax others have not come back from the storage it is an error at once: storage that
  // hangs must not take every thread there is.
  void Put(v1::CheckpointManifest manifest, std::string savepoint_path,
           std::function<void(Result<v1::CheckpointRef>)> done);
  // Deletes the manifest of a checkpoint that no entry names, and its savepoint.
  void Discard(const v1::CheckpointRef& checkpoint);
  // Deletes a savepoint that nobody was told of.
  void DiscardSavepoint(const std::string& path);
  void Find(std::vector<StoredCheckpoint> candidates, DamagedFiles damaged,
            std::shared_ptr<const v1::PhysicalPlan> plan,
            std::function<void(Result<RestorePoint>)> done);
  void Read(StoredCheckpoint checkpoint, std::function<void(Result<v1::CheckpointManifest>)> done);
  const std::string& directory() const { return directory_; }
  // Opened at the first use that succeeds. Blocks; any thread.
  Result<std::shared_ptr<ObjectStorage>> Storage();

 private:
  Result<v1::CheckpointRef> PutNow(const v1::CheckpointManifest& manifest,
                                   const std::string& savepoint_path);

  static constexpr int kPutsMax = 2;
  const std::string directory_;
  const StorageOpener open_;
  WorkRunner* const io_;
  Executor* const executor_;
  int puts_ = 0;  // under way; the executor's
  std::mutex mutex_;
  std::shared_ptr<ObjectStorage> storage_;
};

}  // namespace watershed
