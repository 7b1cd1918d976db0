#include "taskmanager/task/task_executor.h"

#include "runtime/engine/split_proto.h"
#include "runtime/job/plan_lookup.h"
#include "runtime/logging/log.h"
#include "runtime/types/random_hex.h"
#include "taskmanager/network/channel_proto.h"

namespace watershed {
namespace {

v1::TaskState ToProto(TaskState state) {
  switch (state) {
    case TaskState::kCreated:
      return v1::TASK_CREATED;
    case TaskState::kInitializing:
      return v1::TASK_INITIALIZING;
    case TaskState::kRunning:
      return v1::TASK_RUNNING;
    case TaskState::kFinished:
      return v1::TASK_FINISHED;
    case TaskState::kCanceling:
      return v1::TASK_CANCELING;
    case TaskState::kCanceled:
      return v1::TASK_CANCELED;
    case TaskState::kFailed:
      return v1::TASK_FAILED;
  }
  return v1::TASK_STATE_UNSPECIFIED;
}

void SetCounters(const TaskFigures& figures, v1::TaskCounters& counters) {
  counters.set_records_in(figures.records_in);
  counters.set_records_out(figures.records_out);
  counters.set_bytes_in(figures.bytes_in);
  counters.set_bytes_out(figures.bytes_out);
  counters.set_late_records(figures.late_records);
  counters.set_skipped_records(figures.skipped_records);
  counters.set_dead_letter_records(figures.dead_letter_records);
  counters.set_input_watermark_ms(figures.input_watermark_ms);
  counters.set_busy_ms(figures.busy_ms);
  counters.set_idle_ms(figures.idle_ms);
  counters.set_backpressured_ms(figures.backpressured_ms);
  counters.set_source_lag_records(figures.source_lag_records);
  counters.set_ended(figures.ended);
}

LogFields FieldsOf(const TaskSpec& spec) {
  const v1::Vertex* vertex = FindVertex(*spec.plan, spec.vertex_id);
  return {.job = spec.job.hex,
          .attempt = spec.attempt.value,
          .vertex = vertex == nullptr ? spec.vertex_id : vertex->name(),
          .subtask = spec.subtask.value};
}

}  // namespace

// Called on the threads of tasks.
class TaskExecutor::Responder final : public CheckpointResponder {
 public:
  explicit Responder(const TaskExecutorServices* services) : services_(services) {}
  void Acknowledge(const TaskSpec& task, CheckpointId checkpoint,
                   const v1::SubtaskSnapshot& snapshot) override {
    v1::ReportCheckpointRequest report = ReportOf(task, checkpoint);
    *report.mutable_acknowledged() = snapshot;
    Send(std::move(report));
  }
  void Decline(const TaskSpec& task, CheckpointId checkpoint, const Error& reason) override {
    v1::ReportCheckpointRequest report = ReportOf(task, checkpoint);
    report.set_declined(reason.message);
    Send(std::move(report));
  }
  void Confirm(const TaskSpec& task, CheckpointId checkpoint) override {
    v1::ReportCheckpointRequest report = ReportOf(task, checkpoint);
    report.set_confirmed(true);
    Send(std::move(report));
  }

 private:
  static v1::ReportCheckpointRequest ReportOf(const TaskSpec& task, CheckpointId checkpoint) {
    v1::ReportCheckpointRequest report;
    report.set_job_id(task.job.hex);
    report.set_attempt(task.attempt.value);
    report.set_checkpoint_id(checkpoint.value);
    report.set_vertex_id(task.vertex_id);
    report.set_subtask(task.subtask.value);
    return report;
  }
  void Send(v1::ReportCheckpointRequest report) {
    services_->executor->Post([services = services_, report = std::move(report)]() mutable {
      services->on_checkpoint_report(std::move(report));
    });
  }
  const TaskExecutorServices* const services_;
};

Result<CheckpointStorages> OpenCheckpointStorages(const v1::DeployTasksRequest& request,
                                                  const CheckpointStorageOpener& open) {
  CheckpointStorages storages;
  if (!request.has_checkpoints()) return storages;
  const v1::CheckpointTarget& target = request.checkpoints();
  const auto opened = [&open](const std::string& uri, StorageAccess access) {
    return open ? open(uri) : OpenStorage(uri, access);
  };
  WS_ASSIGN_OR_RETURN(storages.target, opened(target.directory(), StorageAccess::kUmask));
  if (!target.restore_directory().empty()) {
    WS_ASSIGN_OR_RETURN(storages.restore,
                        opened(target.restore_directory(), StorageAccess::kExisting));
  }
  return storages;
}

TaskExecutor::~TaskExecutor() = default;
TaskExecutor::TaskExecutor(TaskExecutorServices services) : services_(std::move(services)) {
  responder_ = std::make_unique<Responder>(&services_);
  services_.environment.checkpoints = responder_.get();
  services_.environment.channels = services_.channels;
  services_.environment.on_status = [this](const TaskSpec& spec, const TaskStatus& status) {
    services_.executor->Post([this, attempt = AttemptKey(spec.job, spec.attempt),
                              task = TaskKey(spec.vertex_id, spec.subtask.value),
                              status] { OnStatus(attempt, task, status); });
  };
}

Status TaskExecutor::Deploy(const v1::DeployTasksRequest& request,
                            const CheckpointStorages& storages) {
  const AttemptKey key(JobId{request.job_id()}, Attempt{request.attempt()});
  if (attempts_.contains(key)) return Ok();
  if (ended_.Contains(key.first, key.second)) {
    return InternalError("attempt {} of job {} has ended here", key.second.value, key.first.hex);
  }
  RefuseBelow(key.first, OldestAttempt(key.second, request.oldest_attempt()));
  WS_RETURN_IF_ERROR(services_.channels->AddAttempt(request));
  RunningAttempt& attempt = attempts_[key];
  attempt.plan = std::make_shared<v1::PhysicalPlan>(request.plan());
  attempt.storages = storages;
  attempt.lineage = request.checkpoints().lineage();
  attempt.suspended = request.suspended();
  for (const v1::TaskDeployment& deployment : request.tasks()) {
    Result<std::unique_ptr<Task>> task = CreateTask(key, attempt, deployment);
    if (!task) {
      attempt.tasks.clear();
      EndAttempt(key);
      return tl::make_unexpected(std::move(task).error());
    }
    attempt.tasks[{deployment.vertex_id(), deployment.subtask()}].task = std::move(*task);
  }
  for (auto& [task_key, task] : attempt.tasks) task.task->Start();
  return Ok();
}

Result<std::unique_ptr<Task>> TaskExecutor::CreateTask(const AttemptKey& key,
                                                       const RunningAttempt& attempt,
                                                       const v1::TaskDeployment& deployment) {
  TaskSpec spec;
  spec.job = key.first;
  spec.job_name = attempt.plan->job_name();
  spec.attempt = key.second;
  spec.plan = attempt.plan;
  spec.vertex_id = deployment.vertex_id();
  spec.subtask = SubtaskIndex{deployment.subtask()};
  for (const v1::Split& split : deployment.splits()) spec.splits.push_back(FromProto(split));
  spec.checkpoint_storage = attempt.storages.target;
  spec.lineage = attempt.lineage;
  spec.suspended = attempt.suspended;
  spec.unique = services_.make_unique ? services_.make_unique() : RandomHex();
  spec.restore_storage = attempt.storages.restore;
  if (deployment.has_restore()) {
    spec.restore = std::make_shared<v1::SubtaskRestore>(deployment.restore());
  }
  if (services_.make_task) return services_.make_task(std::move(spec), services_.environment);
  return Task::Create(std::move(spec), services_.environment);
}

std::vector<v1::TaskId> TaskExecutor::Cancel(const JobId& job, Attempt attempt) {
  ended_.End(job, attempt);
  std::vector<v1::TaskId> live;
  const auto running = attempts_.find({job, attempt});
  if (running == attempts_.end()) return live;
  for (auto& [key, task] : running->second.tasks) {
    v1::TaskId& id = live.emplace_back();
    id.set_vertex_id(key.first);
    id.set_subtask(key.second);
    task.task->Cancel();
  }
  return live;
}

bool TaskExecutor::TriggerCheckpoint(const JobId& job, Attempt attempt, const Barrier& barrier,
                                     SourceStop stop) {
  const auto running = attempts_.find({job, attempt});
  if (running == attempts_.end()) return false;
  for (const auto& [key, task] : running->second.tasks) task.task->TriggerCheckpoint(barrier, stop);
  return true;
}

bool TaskExecutor::NotifyCheckpoint(const v1::NotifyCheckpointRequest& request) {
  const auto running = attempts_.find({JobId{request.job_id()}, Attempt{request.attempt()}});
  if (running == attempts_.end()) return false;
  RunningAttempt& attempt = running->second;
  const CheckpointId completed{request.completed_checkpoint_id()};
  const CheckpointId aborted{request.aborted_checkpoint_id()};
  attempt.notified = std::max(attempt.notified, completed);
  for (const auto& [key, task] : attempt.tasks) {
    if (completed.value != 0) task.task->NotifyCheckpointComplete(completed, request.is_last());
    if (aborted.value != 0) task.task->NotifyCheckpointAborted(aborted);
  }
  return true;
}

std::vector<v1::RunningAttempt> TaskExecutor::RunningAttempts() const {
  std::vector<v1::RunningAttempt> running;
  for (const auto& [key, attempt] : attempts_) {
    v1::RunningAttempt& out = running.emplace_back();
    out.set_job_id(key.first.hex);
    out.set_attempt(key.second.value);
    out.set_notified_checkpoint_id(attempt.notified.value);
    for (const auto& [task_key, task] : attempt.tasks) {
      *out.add_tasks() = Report(key, task, task.task->status());
    }
  }
  return running;
}

void TaskExecutor::FailAll(const Error& error) {
  for (auto& [key, attempt] : attempts_) {
    for (auto& [task_key, task] : attempt.tasks) {
      if (!task.failure) task.failure = error;
      task.task->Cancel();
    }
  }
}

void TaskExecutor::ReportFailure(const ChannelKey& key, ChannelEnd end, const Error& error) {
  services_.executor->Post([this, key, end, error] { Fail(key, end, error); });
}

void TaskExecutor::Fail(const ChannelKey& key, ChannelEnd end, const Error& error) {
  const auto attempt = attempts_.find({key.job, key.attempt});
  if (attempt == attempts_.end()) return;
  // The key may be what a peer has sent.
  if (key.edge < 0 || key.edge >= attempt->second.plan->edges_size()) return;
  const v1::Edge& edge = attempt->second.plan->edges(key.edge);
  const TaskKey task_key = end == ChannelEnd::kSender
                               ? TaskKey(edge.source_vertex_id(), key.upstream.value)
                               : TaskKey(edge.target_vertex_id(), key.downstream.value);
  const auto task = attempt->second.tasks.find(task_key);
  if (task == attempt->second.tasks.end() || task->second.failure) return;
  task->second.failure = error;
  task->second.task->Cancel();
}

void TaskExecutor::OnStatus(const AttemptKey& attempt_key, const TaskKey& task_key,
                            TaskStatus status) {
  const auto attempt = attempts_.find(attempt_key);
  if (attempt == attempts_.end()) return;
  const auto found = attempt->second.tasks.find(task_key);
  if (found == attempt->second.tasks.end()) return;
  RunningTask& task = found->second;
  if (task.failure && status.state == TaskState::kCanceled) {
    status.state = TaskState::kFailed;
    status.failure = *task.failure;
  }
  const ScopedLogFields fields(FieldsOf(task.task->spec()));
  if (status.state == TaskState::kFailed) {
    LogError("task failed: {}", status.failure.message);
  } else if (HasEnded(status.state)) {
    LogInfo("task {}", status.state == TaskState::kFinished ? "finished" : "canceled");
  } else if (!status.degraded_reason.empty()) {
    LogWarn("{}", status.degraded_reason);
  } else if (status.state == TaskState::kRunning) {
    LogInfo("task is running");
  }
  services_.on_report(Report(attempt_key, task, status));
  if (HasEnded(status.state)) Bury(attempt_key, task_key);
}

void TaskExecutor::Bury(const AttemptKey& attempt_key, const TaskKey& task_key) {
  const auto attempt = attempts_.find(attempt_key);
  auto node = attempt->second.tasks.extract(task_key);
  // shared_ptr: a posted function has to be copyable. Destroying joins the thread, which is ending.
  std::shared_ptr<Task> task = std::move(node.mapped().task);
  const bool last = attempt->second.tasks.empty();
  services_.reaper->Post([this, task = std::move(task), attempt_key, last]() mutable {
    task.reset();
    if (last) services_.executor->Post([this, attempt_key] { EndAttempt(attempt_key); });
  });
}

void TaskExecutor::EndAttempt(const AttemptKey& key) {
  attempts_.erase(key);
  ended_.End(key.first, key.second);
  services_.channels->ForgetAttempt(key.first, key.second);
  if (attempts_.empty() && services_.on_idle) services_.on_idle();
}

v1::SubtaskReport TaskExecutor::Report(const AttemptKey& attempt, const RunningTask& task,
                                       const TaskStatus& status) const {
  v1::SubtaskReport report;
  report.set_job_id(attempt.first.hex);
  v1::SubtaskStatus* out = report.mutable_status();
  out->set_vertex_id(task.task->spec().vertex_id);
  out->set_subtask(task.task->spec().subtask.value);
  out->set_attempt(attempt.second.value);
  out->set_state(ToProto(status.state));
  out->set_message(status.state == TaskState::kFailed ? status.failure.message
                                                      : status.degraded_reason);
  out->set_is_final(status.state == TaskState::kFailed &&
                    status.failure.domain == ErrorDomain::kUser);
  if (status.state == TaskState::kFailed) out->set_damaged_file(status.failure.damaged_file);
  SetCounters(task.task->figures(), *out->mutable_counters());
  return report;
}

std::vector<v1::SubtaskReport> TaskExecutor::Reports() const {
  std::vector<v1::SubtaskReport> reports;
  for (const auto& [key, attempt] : attempts_) {
    for (const auto& [task_key, task] : attempt.tasks) {
      reports.push_back(Report(key, task, task.task->status()));
    }
  }
  return reports;
}

}  // namespace watershed
