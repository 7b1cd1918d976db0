// What became of a job's checkpoints, for people: counts and the last few. Lives as long as the job
// is known, over all its attempts. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "jobmanager/checkpoint/checkpoint_settings.h"
#include "runtime/types/ids.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/control.pb.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

class CheckpointHistory {
 public:
  // `directory`: URI of the job's checkpoints, to show paths.
  CheckpointHistory(std::string directory, const CheckpointSettings& settings);

  // What the log says that an earlier JobManager had counted.
  void OnRecovered(const v1::CheckpointCounts& counts);
  // A checkpoint that was completed before this JobManager knew the job; it is not counted.
  void OnFound(const v1::CheckpointRef& completed);
  void OnTriggered(CheckpointId checkpoint, bool is_savepoint, int32_t subtasks, int64_t now_ms);
  void OnAcknowledged(CheckpointId checkpoint);
  // What a subtask says of its part; told once or more, the first counts.
  void OnPart(CheckpointId checkpoint, const v1::SubtaskSnapshot& part, int64_t now_ms);
  void OnCompleted(const v1::CheckpointRef& completed);
  void OnFailed(CheckpointId checkpoint, const std::string& reason, int64_t now_ms);
  // An attempt begins with it. `directory`: where it lies.
  void OnRestored(const v1::CheckpointRef& restored, const std::string& directory, int64_t now_ms);
  // A retained checkpoint could not be used; an older one is.
  void OnDamaged(const std::string& what);

  const v1::CheckpointStatistics& statistics() const { return statistics_; }
  v1::CheckpointCounts counts() const;
  // Nothing: it is not remembered (any more). Of one that an earlier JobManager completed there
  // are no subtasks.
  std::optional<v1::CheckpointDetails> Details(CheckpointId checkpoint) const;
  // Subtasks' parts in memory, over all checkpoints: bounded by those that are shown.
  size_t parts_held() const;

 private:
  v1::CheckpointSummary* Find(CheckpointId checkpoint);
  v1::CheckpointSummary* Push(CheckpointId checkpoint);
  void SetLatest(const v1::CheckpointSummary& completed);

  v1::CheckpointStatistics statistics_;
  // Of those in `statistics_.recent()`: who has answered.
  std::map<CheckpointId, std::map<std::pair<std::string, int32_t>, v1::SubtaskCheckpoint>> parts_;
};

// The directory people are shown and may restore: without the manifest's own name.
std::string CheckpointPath(const std::string& directory, const v1::CheckpointRef& checkpoint);

}  // namespace watershed
