// How a job takes its checkpoints. Defaults are Flink's, apart from `retained` (1 there) and
// `tolerable_failures` (0 there): a full disk is a reason to say so, not to restart the job.
#pragma once

#include <chrono>
#include <string_view>

namespace watershed {

// What to do when a cluster takes none.
inline constexpr std::string_view kSetCheckpointDirectory =
    "set execution.checkpointing.dir to a directory that the JobManager and every TaskManager "
    "reach, in the configuration of all of them";

struct CheckpointSettings {
  std::chrono::milliseconds interval{0};  // 0: only the final one of a bounded job
  std::chrono::milliseconds timeout{600'000};
  std::chrono::milliseconds min_pause{0};
  std::chrono::milliseconds notify_again{1000};
  int tolerable_failures = -1;  // in a row, before the job fails; -1: any number
  int retained = 3;
};

}  // namespace watershed
