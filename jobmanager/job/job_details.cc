// What a JobMaster shows of itself.
#include <algorithm>

#include "jobmanager/job/job_master.h"
#include "runtime/status/job_status.h"

namespace watershed {
namespace {

std::string HowItStops(const v1::StopEntry& stop) {
  return fmt::format("stopped{} with a savepoint in {}", stop.drain() ? ", drained," : "",
                     stop.directory());
}

std::string Joined(const std::string& reason, const std::string& other) {
  return reason + (reason.empty() || other.empty() ? "" : "; ") + other;
}

}  // namespace

std::string JobMaster::TaskName(const v1::SubtaskStatus& subtask) const {
  for (const v1::Vertex& vertex : plan_->vertices()) {
    if (vertex.id() != subtask.vertex_id()) continue;
    return fmt::format("{} ({}/{})", vertex.name(), subtask.subtask() + 1, vertex.parallelism());
  }
  return subtask.vertex_id();
}

std::string JobMaster::StatusReason() const {
  if (state() == v1::RESTARTING) return WaitingReason();
  if (!failure_.empty()) return failure_;
  if (ended()) return "";
  const std::string stop = IsToStop() && state() == v1::RUNNING ? "being " + HowItStops(stop_) : "";
  // A task that cannot connect says more than that the tasks are being started.
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    if (!IsEnded(subtask.state()) && !subtask.message().empty()) {
      return Joined(stop, fmt::format("{}: {}", TaskName(subtask), subtask.message()));
    }
  }
  const std::string trouble = services_.cluster->store_trouble();
  if (!trouble.empty()) return trouble;
  if (state() != v1::RUNNING || !waiting_reason_.empty()) return WaitingReason();
  std::string reason = stop;
  if (stop.empty() && IsSmaller()) {
    reason = fmt::format("runs in {} of the {} slots that it asks for{}", SlotsNeeded(*plan_),
                         SlotsNeeded(*wanted_plan_), HowItGrows());
  }
  return Joined(reason, CheckpointTrouble());
}

// Of a job that does not run; a stop is carried out once it does.
std::string JobMaster::WaitingReason() const {
  const bool may_run =
      state() == v1::CREATED || state() == v1::RESTARTING || state() == v1::RECONCILING;
  if (!IsToStop() || !may_run) return waiting_reason_;
  return fmt::format("{}{}to be {} once it runs", waiting_reason_,
                     waiting_reason_.empty() ? "" : "; ", HowItStops(stop_));
}

// As long as the last one has failed: after a failure the job would begin further back.
std::string JobMaster::CheckpointTrouble() const {
  if (checkpoints_ == nullptr) return "";
  const v1::CheckpointSummary& failed = checkpoints_->statistics().latest_failed();
  const bool is_last = failed.id() > checkpoints_->statistics().latest_completed().id();
  // Those that a former attempt left open say nothing of this one.
  if (!is_last || failed.end_time_ms() < state_.entered_ms(v1::RUNNING)) return "";
  return fmt::format("degraded: checkpoint {} failed: {}", failed.id(), failed.failure());
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
  const auto found = std::ranges::find(region_attempts_, attempt);
  if (found == region_attempts_.end()) return false;
  if (region_restart_) {
    const auto region = static_cast<int32_t>(found - region_attempts_.begin());
    return region_restart_->deployed || !region_restart_->regions.contains(region);
  }
  // Until the next attempt is deployed, it may be the one before.
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
  details.set_attempt(attempt_.value - attempts_beside_);
  details.set_restarts(restarts());
  details.set_last_restart_reason(last_restart_reason_);
  if (checkpoints_ != nullptr &&
      (TakesCheckpoints() || checkpoints_->statistics().triggered() > 0)) {
    *details.mutable_checkpoints() = checkpoints_->statistics();
  }
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
