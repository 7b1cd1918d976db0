// The tasks of this TaskManager: starts, watches, cancels and buries them. Lives on the process's
// event loop; every call but ReportFailure comes from there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/task.h"
#include "runtime/process/executor.h"
#include "runtime/storage/object_storage.h"
#include "taskmanager/ended_attempts.h"
#include "taskmanager/network/network_channel_provider.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// The opened directories of a CheckpointTarget; empty without checkpoints.
struct CheckpointStorages {
  std::shared_ptr<ObjectStorage> target;
  std::shared_ptr<ObjectStorage> restore;
};
using CheckpointStorageOpener =
    std::function<Result<std::shared_ptr<ObjectStorage>>(const std::string& uri)>;
// Blocks. Null: OpenStorage.
Result<CheckpointStorages> OpenCheckpointStorages(const v1::DeployTasksRequest& request,
                                                  const CheckpointStorageOpener& open);

struct TaskExecutorServices {
  Executor* executor = nullptr;  // the event loop
  Executor* reaper = nullptr;    // where ended tasks are destroyed: that may take a while
  NetworkChannelProvider* channels = nullptr;
  // `channels`, `on_status` and `checkpoints` are the executor's own.
  TaskEnvironment environment;
  // What a simulation puts in the place of threads and chance. Null: Task::Create and RandomHex.
  std::function<Result<std::unique_ptr<Task>>(TaskSpec, const TaskEnvironment&)> make_task;
  std::function<std::string()> make_unique;
  // A task's state or message changed.
  std::function<void(v1::SubtaskReport)> on_report;
  // A task answered a checkpoint. Without who we are and whom we obey.
  std::function<void(v1::ReportCheckpointRequest)> on_checkpoint_report;
  // No task is left.
  std::function<void()> on_idle;
};

class TaskExecutor {
 public:
  explicit TaskExecutor(TaskExecutorServices services);
  ~TaskExecutor();

  // All tasks of the request start, or none does. Asked again for the same attempt it does nothing.
  // An attempt that has ended or was cancelled here is refused (an internal error).
  Status Deploy(const v1::DeployTasksRequest& request, const CheckpointStorages& storages);
  // Starts cancelling; returns the tasks that still have to end. None of the attempt starts
  // afterwards; the job's other attempts go on.
  std::vector<v1::TaskId> Cancel(const JobId& job, Attempt attempt);
  // None of the job's attempts below it starts any more.
  void RefuseBelow(const JobId& job, Attempt oldest) { ended_.EndBelow(job, oldest); }
  // Of checkpoints, to every task of the attempt. False: it does not run here (any more).
  bool TriggerCheckpoint(const JobId& job, Attempt attempt, const Barrier& barrier,
                         SourceStop stop);
  bool NotifyCheckpoint(const v1::NotifyCheckpointRequest& request);
  // What runs here, for a JobManager that may not know it.
  std::vector<v1::RunningAttempt> RunningAttempts() const;
  // Ends every task of every job; each fails with this error.
  void FailAll(const Error& error);
  // A channel of a task broke: the task fails with this error. Any thread.
  void ReportFailure(const ChannelKey& key, ChannelEnd end, const Error& error);

  // State and figures of every task.
  std::vector<v1::SubtaskReport> Reports() const;
  bool idle() const { return attempts_.empty(); }

 private:
  using TaskKey = std::pair<std::string, int32_t>;  // vertex id, subtask
  using AttemptKey = std::pair<JobId, Attempt>;
  struct RunningTask {
    std::unique_ptr<Task> task;
    std::optional<Error> failure;  // imposed from outside; the engine says "canceled" then
  };
  struct RunningAttempt {
    std::shared_ptr<const v1::PhysicalPlan> plan;
    CheckpointStorages storages;
    std::string lineage;
    bool suspended = false;
    CheckpointId notified{0};
    std::map<TaskKey, RunningTask> tasks;
  };

  Result<std::unique_ptr<Task>> CreateTask(const AttemptKey& key, const RunningAttempt& attempt,
                                           const v1::TaskDeployment& deployment);
  void OnStatus(const AttemptKey& attempt, const TaskKey& task, TaskStatus status);
  void Fail(const ChannelKey& key, ChannelEnd end, const Error& error);
  void Bury(const AttemptKey& attempt, const TaskKey& task);
  void EndAttempt(const AttemptKey& attempt);
  v1::SubtaskReport Report(const AttemptKey& attempt, const RunningTask& task,
                           const TaskStatus& status) const;

  class Responder;

  TaskExecutorServices services_;
  std::unique_ptr<CheckpointResponder> responder_;
  std::map<AttemptKey, RunningAttempt> attempts_;
  EndedAttempts ended_;
};

}  // namespace watershed
