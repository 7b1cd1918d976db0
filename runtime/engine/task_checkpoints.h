// One task's part in the checkpoints of its job: takes snapshots at barriers, hands them on once
// they are durable, has sinks commit, and knows when an ended task may finish.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/engine/mailbox.h"
#include "runtime/engine/operator_chain.h"
#include "runtime/engine/pending_snapshot.h"
#include "runtime/engine/task.h"
#include "runtime/engine/task_input.h"
#include "runtime/engine/task_metrics.h"

namespace watershed {

// The task's thread. All pointers outlive it.
class TaskCheckpoints {
 public:
  struct Parts {
    const TaskSpec* spec = nullptr;
    CheckpointResponder* responder = nullptr;
    OperatorChain* chain = nullptr;
    TaskInput* input = nullptr;
    Mailbox* mailbox = nullptr;
    TaskMetrics* metrics = nullptr;
  };
  explicit TaskCheckpoints(const Parts& parts) : parts_(parts) {}

  // Mail. What comes before the task runs waits for OnRunning.
  Status OnTrigger(const Barrier& barrier, SourceStop stop);
  // `is_last`: the job is stopped with it, and the task ends without an end of its input.
  Status OnComplete(CheckpointId checkpoint, bool is_last);
  Status OnAborted(CheckpointId checkpoint);

  Status OnRunning();
  // The input has ended and all that follows from it has been emitted.
  Status OnEnded();
  // A barrier has come: everything before it has been handled, the watermark last.
  Status OnBarrier(const Barrier& barrier, TimestampMs watermark_ms);
  // Between two elements: writes a slice of what is frozen, confirms what is committed.
  void Advance();
  // The job was stopped.
  bool stopped() const { return stopped_; }
  // The last checkpoint of this task is complete, and its sinks have committed: the first whose
  // barrier came after the end, or that with which the job was stopped.
  bool finished() const { return final_ && confirmed_ >= *final_; }

 private:
  Status Take(const Barrier& barrier);
  void Measure(const Barrier& barrier) const;
  std::chrono::nanoseconds Alignment() const {
    return ended_ ? std::chrono::nanoseconds(0) : parts_.input->last_alignment();
  }
  Status Collect(const std::shared_ptr<PendingSnapshot>& snapshot);
  void Seal(const std::shared_ptr<PendingSnapshot>& snapshot, std::chrono::nanoseconds began);
  void Answer(PendingSnapshot& snapshot, std::chrono::nanoseconds sync_ended,
              const std::optional<Error>& failure);
  void WriteSlice();
  std::chrono::nanoseconds Now() const { return parts_.mailbox->clock().Steady(); }

  const Parts parts_;
  bool running_ = false;
  bool ended_ = false;
  bool stopped_ = false;
  std::vector<std::pair<Barrier, SourceStop>> early_;
  TimestampMs watermark_ms_ = kMinWatermarkMs;
  std::optional<Barrier> noted_;  // triggered, its snapshot not taken yet
  CheckpointId last_taken_{-1};   // or aborted
  std::vector<std::shared_ptr<PendingSnapshot>> pending_;
  std::optional<Mailbox::TimerId> slice_timer_;
  std::chrono::milliseconds slice_pause_{0};
  std::optional<CheckpointId> to_confirm_;
  CheckpointId confirmed_{-1};
  std::optional<CheckpointId> final_;
};

}  // namespace watershed
