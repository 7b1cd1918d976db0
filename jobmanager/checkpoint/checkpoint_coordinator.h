// The checkpoints of one attempt of one job: when the next begins, who has answered, when one is
// complete, what is told to the tasks, what is retained. Decides only: a pure state machine, whose
// caller (the JobMaster) performs what Next returns and tells what came of it.
//
// A checkpoint is complete when its manifest is an object of the storage and an entry of the log;
// only then are tasks told, again and again until each has confirmed. The next is triggered when
// all tasks that hold unconfirmed sink segments have confirmed; that wait is no failure. (Design:
// DECISIONS.md, "Checkpoints".)
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/types/ids.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

struct CheckpointSettings {
  std::chrono::milliseconds interval{0};  // 0: only the final one of a bounded job
  std::chrono::milliseconds timeout{600'000};
  std::chrono::milliseconds min_pause{0};
  std::chrono::milliseconds notify_again{1000};
  int tolerable_failures = 0;  // in a row, before the job fails; -1: any number
  int retained = 3;
};

class CheckpointCoordinator {
 public:
  using SteadyTime = std::chrono::nanoseconds;
  using SubtaskKey = std::pair<std::string, int32_t>;  // vertex id, subtask

  // What the caller is to do. Each is returned once.
  struct Trigger {
    CheckpointId checkpoint;
    bool is_savepoint = false;
  };
  // Store the manifest of these parts, then the log entry; answer with OnStored or OnStoreFailed.
  struct Store {
    CheckpointId checkpoint;
    std::vector<v1::SubtaskSnapshot> subtasks;
    std::vector<CheckpointId> subsumed;  // retained no longer once this one is stored
  };
  // Tell every task of the attempt.
  struct Notify {
    CheckpointId completed{0};
    CheckpointId aborted{0};
  };
  struct FailJob {
    std::string reason;
  };
  using Action = std::variant<Trigger, Store, Notify, FailJob>;

  // `retained`: completed checkpoints of the job, oldest first. `subtasks`: all of the attempt.
  // `next`: above every checkpoint id that the job has used in any attempt.
  CheckpointCoordinator(const CheckpointSettings& settings, std::set<SubtaskKey> subtasks,
                        std::vector<v1::CheckpointRef> retained, CheckpointId next);

  // What to do now; empty when there is nothing. Call again after every event and at next_time().
  std::vector<Action> Next(SteadyTime now);
  std::optional<SteadyTime> next_time() const;

  // Events. Those of another checkpoint than the one under way are ignored.
  void OnRunning(SteadyTime now);  // every task runs: the first interval begins
  void OnAcknowledged(CheckpointId checkpoint, const SubtaskKey& subtask, v1::SubtaskSnapshot part,
                      SteadyTime now);
  void OnDeclined(CheckpointId checkpoint, const SubtaskKey& subtask, const std::string& reason,
                  SteadyTime now);
  void OnConfirmed(CheckpointId checkpoint, const SubtaskKey& subtask);
  void OnStored(const v1::CheckpointRef& stored, SteadyTime now);
  void OnStoreFailed(CheckpointId checkpoint, const std::string& reason, SteadyTime now);
  // The input of this subtask has ended and it waits for a checkpoint; when all do, one is
  // triggered at once, also without an interval.
  void OnEnded(const SubtaskKey& subtask);
  void OnFinished(const SubtaskKey& subtask);  // its task is gone, having confirmed

  const std::vector<v1::CheckpointRef>& retained() const;
  v1::CheckpointStatistics Statistics() const;  // without what only the job knows

 private:
  // The implementer's.
};

}  // namespace watershed
