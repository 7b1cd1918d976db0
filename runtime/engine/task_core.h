// A task without a thread: whoever drives it calls Step until it has ended. A process gives each
// task a thread (task.cc); a simulation steps all of them in one.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/engine/backoff.h"
#include "runtime/engine/mailbox.h"
#include "runtime/engine/task.h"
#include "runtime/engine/task_builder.h"
#include "runtime/engine/task_checkpoints.h"

namespace watershed {

// Step and Wait: one thread at a time, the task's. What is marked: any thread.
class TaskCore {
 public:
  // kWaiting: nothing can be done before mail, a timer, input or room comes.
  enum class StepResult : uint8_t { kProgressed, kWaiting, kEnded };

  TaskCore(TaskSpec spec, const TaskEnvironment& environment);
  ~TaskCore() { Close(); }
  // Once, first. See Task::Create.
  Status Build();

  // One round of mail, then one element, one slice of a firing, or one try to open. Never blocks,
  // but for what connecting a source and restoring state take.
  StepResult Step();
  // After kWaiting: blocks until Step may have something to do.
  void Wait();
  // After kWaiting: when a timer makes Step worth calling again, whatever else happens.
  std::optional<std::chrono::nanoseconds> next_timer() const { return mailbox_->next_timer(); }

  // Any thread: see Task.
  void Cancel();
  void TriggerCheckpoint(const Barrier& barrier, SourceStop stop);
  void NotifyCheckpointComplete(CheckpointId checkpoint, bool is_last);
  void NotifyCheckpointAborted(CheckpointId checkpoint);
  TaskStatus status() const;
  TaskFigures figures() const { return parts_.metrics->figures(); }
  const TaskSpec& spec() const { return spec_; }
  bool is_source() const { return parts_.is_source; }
  const std::string& vertex_name() const { return parts_.vertex_name; }

 private:
  enum class Phase : uint8_t { kCreated, kOpening, kRunning, kEndedInput, kOver };
  enum class WaitsFor : uint8_t { kMail, kInput, kRoom };

  bool cancelled() const { return cancel_requested_.load(std::memory_order_acquire); }
  Result<StepResult> StepOnce();
  tl::unexpected<Error> Threw(const std::exception& exception) const;
  void Begin();
  Result<StepResult> OpenOnce();
  Result<Progress> OpenAll();
  Status BeginRunning();
  Result<StepResult> RunOnce();
  Result<Progress> Handle(const TaskInput::Element& element);
  Result<Progress> HandOnWatermark(TimestampMs time_ms);
  Result<StepResult> EndInput();
  Result<StepResult> EndStopped();
  StepResult WaitFor(WaitsFor what);
  void End(Status result);
  void Close();
  void PostCheckpointMail(std::function<Status(TaskCheckpoints&)> mail);
  void StartTicking();

  void ReportDegraded();
  void SetDegraded(std::string reason);
  void SetState(TaskState state);
  void Fail(Error error);
  template <typename Change>
  void Update(Change change);

  const TaskSpec spec_;
  const TaskEnvironment environment_;
  const std::string directory_;
  const std::shared_ptr<Mailbox> mailbox_;
  Backoff backoff_;
  TaskParts parts_;
  std::unique_ptr<TaskCheckpoints> checkpoints_;  // null: none are taken
  Phase phase_ = Phase::kCreated;
  bool input_open_ = false;
  std::optional<std::chrono::nanoseconds> open_again_at_;
  TimestampMs watermark_ms_ = kMinWatermarkMs;
  bool ending_ = false;
  bool finished_ = false;
  WaitsFor waits_for_ = WaitsFor::kMail;
  Status wait_failure_;

  mutable std::mutex status_mutex_;
  TaskStatus status_;
  std::atomic<bool> cancel_requested_{false};
};

}  // namespace watershed
