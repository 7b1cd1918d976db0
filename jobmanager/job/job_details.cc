// What a JobMaster shows of itself.
#include <algorithm>

#include "jobmanager/job/job_master.h"
#include "runtime/status/job_status.h"

namespace watershed {

std::string JobMaster::TaskName(const v1::SubtaskStatus& subtask) const {
  for (const v1::Vertex& vertex : plan_->vertices()) {
    if (vertex.id() != subtask.vertex_id()) continue;
    return fmt::format("{} ({}/{})", vertex.name(), subtask.subtask() + 1, vertex.parallelism());
  }
  return subtask.vertex_id();
}

std::string JobMaster::StatusReason() const {
  if (state() == v1::RESTARTING) return waiting_reason_;
  if (!failure_.empty()) return failure_;
  if (ended()) return "";
  // A task that cannot connect says more than that the tasks are being started.
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    if (!IsEnded(subtask.state()) && !subtask.message().empty()) {
      return fmt::format("{}: {}", TaskName(subtask), subtask.message());
    }
  }
  const std::string trouble = services_.cluster->store_trouble();
  if (!trouble.empty()) return trouble;
  if (state() == v1::RUNNING && waiting_reason_.empty() && IsToStop()) {
    return fmt::format("being stopped{} with a savepoint in {}", stop_.drain() ? ", drained," : "",
                       stop_.directory());
  }
  if (state() == v1::RUNNING && waiting_reason_.empty() && IsSmaller()) {
    return fmt::format("runs in {} of the {} slots that it asks for{}", SlotsNeeded(*plan_),
                       SlotsNeeded(*wanted_plan_), HowItGrows());
  }
  return waiting_reason_;
}

std::string JobMaster::HowItGrows() const {
  if (!adaptive_.enabled) return "";
  return TakesCheckpoints() ? ", and takes more when they are free"
                            : "; it takes no checkpoints, so it keeps to them";
}

int32_t JobMaster::SlotsHeldOn(const std::string& task_manager_id) const {
  return static_cast<int32_t>(std::count(slots_.begin(), slots_.end(), task_manager_id));
}

int32_t JobMaster::TasksOn(const std::string& task_manager_id) const {
  return static_cast<int32_t>(
      std::count_if(subtasks_.begin(), subtasks_.end(), [&](const v1::SubtaskStatus& subtask) {
        return subtask.task_manager_id() == task_manager_id && !IsEnded(subtask.state());
      }));
}

bool JobMaster::Wants(Attempt attempt) const {
  if (attempt != attempt_) return false;
  // Until the next attempt is deployed, `attempt_` may be that of the one before.
  return state() == v1::RUNNING || state() == v1::RECONCILING ||
         (state() == v1::CREATED && !deployments_.empty());
}

v1::JobSummary JobMaster::Summary() const {
  v1::JobSummary summary;
  summary.set_job_id(id_.hex);
  summary.set_name(name());
  summary.set_state(state());
  summary.set_start_time_ms(start_time_ms_);
  summary.set_end_time_ms(end_time_ms_);
  summary.set_last_modification_ms(last_modification_ms_);
  summary.set_tasks_total(static_cast<int32_t>(subtasks_.size()));
  summary.set_status_reason(StatusReason());
  auto& by_state = *summary.mutable_tasks_by_state();
  for (const v1::SubtaskStatus& subtask : subtasks_) ++by_state[subtask.state()];
  const auto running = by_state.find(v1::TASK_RUNNING);
  summary.set_tasks_running(running == by_state.end() ? 0 : running->second);
  return summary;
}

v1::JobDetails JobMaster::Details() const {
  v1::JobDetails details;
  *details.mutable_summary() = Summary();
  *details.mutable_plan() = shown_plan_;
  details.set_attempt(attempt_.value);
  details.set_restarts(restarts());
  details.set_last_restart_reason(last_restart_reason_);
  if (checkpoints_ != nullptr) *details.mutable_checkpoints() = checkpoints_->statistics();
  for (const v1::SubtaskStatus& subtask : subtasks_) *details.add_subtasks() = subtask;
  for (int i = v1::JobState_MIN; i <= v1::JobState_MAX; ++i) {
    const auto state = static_cast<v1::JobState>(i);
    if (state != v1::JOB_STATE_UNSPECIFIED && state_.entered_ms(state) >= 0) {
      (*details.mutable_state_timestamps_ms())[i] = state_.entered_ms(state);
    }
  }
  return details;
}

}  // namespace watershed
