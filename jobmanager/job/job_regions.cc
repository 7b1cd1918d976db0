// How a JobMaster restarts the regions whose tasks have failed, while the others run.
// (DECISIONS.md, "Region restart".) Wherever that would not be as safe as a restart of all tasks,
// it is one.
#include <algorithm>

#include "jobmanager/job/job_master.h"
#include "runtime/config/units.h"
#include "runtime/status/job_status.h"

namespace watershed {
namespace {

constexpr size_t kNamesShown = 3;

}  // namespace

Regions JobMaster::PlannedRegions() const {
  return restarts_regions_ ? Regions::Of(*plan_) : Regions::One(*plan_);
}

// Whatever the setting is now: as the tasks were started. One number for all is one region, as it
// was in earlier versions. A plan with other regions is that of another version, whose tasks are
// then not adopted.
void JobMaster::RecoverRegions(const v1::StoredJob& stored) {
  const auto& attempts = stored.region_attempts();
  attempts_beside_ = stored.attempts_beside();
  regions_ = Regions::Of(*plan_);
  const bool fits = attempts.size() > 1 && attempts.size() == regions_.count() &&
                    std::ranges::max(attempts) == stored.attempt();
  if (fits) {
    for (const int32_t attempt : attempts) region_attempts_.emplace_back(attempt);
  } else {
    regions_ = Regions::One(*plan_);
    region_attempts_ = {attempt_};
  }
}

int32_t JobMaster::RegionOf(const v1::SubtaskStatus& subtask) const {
  return regions_.Find(subtask.vertex_id(), subtask.subtask());
}

Attempt JobMaster::AttemptOf(int32_t region) const {
  const bool is_stored = region >= 0 && std::cmp_less(region, region_attempts_.size());
  return is_stored ? region_attempts_[static_cast<size_t>(region)] : Attempt{0};
}

Attempt JobMaster::OldestAttempt() const {
  return region_attempts_.empty() ? attempt_ : std::ranges::min(region_attempts_);
}

bool JobMaster::IsConcerned(const v1::SubtaskStatus& subtask) const {
  return !region_restart_ || region_restart_->regions.contains(RegionOf(subtask));
}

std::set<CheckpointCoordinator::SubtaskKey> JobMaster::SubtasksOf(
    const std::set<int32_t>& regions) const {
  std::set<CheckpointCoordinator::SubtaskKey> keys;
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    if (regions.contains(RegionOf(subtask))) keys.emplace(subtask.vertex_id(), subtask.subtask());
  }
  return keys;
}

// "Source: a (1/2), Source: a (2/2) and 3 more subtasks"
std::string JobMaster::NamesOf(const std::set<int32_t>& regions) const {
  std::string names;
  size_t count = 0;
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    if (!regions.contains(RegionOf(subtask))) continue;
    if (++count <= kNamesShown) names += (names.empty() ? "" : ", ") + TaskName(subtask);
  }
  if (count > kNamesShown) names += fmt::format(" and {} more", count - kNamesShown);
  return names;
}

// Until the new tasks' attempts are on their way into the log others may join; once they are
// deployed it may begin again. Between the two nothing changes under it.
bool JobMaster::MayRestartAlone(const std::set<int32_t>& regions) const {
  const bool may_begin =
      state() == v1::RUNNING ||
      (region_restart_ && (!region_restart_->released || region_restart_->deployed));
  const bool is_to_end = IsToStop() || stop_is_being_stored_ || cancel_requested_ ||
                         cancel_is_being_stored_ || end_is_being_stored_;
  return restarts_regions_ && failure_.empty() && may_begin && !is_to_end && !move_ &&
         std::cmp_less(regions.size(), regions_.count());
}

void JobMaster::FailRegions(const std::set<int32_t>& regions, std::string message, bool is_final) {
  std::set<int32_t> all = failed_regions_;
  all.insert(regions.begin(), regions.end());
  if (region_restart_) all.insert(region_restart_->regions.begin(), region_restart_->regions.end());
  if (is_final || !MayRestartAlone(all)) {
    if (!is_final && !region_failure_.empty()) Fail(std::exchange(region_failure_, {}));
    return Fail(std::move(message), is_final);
  }
  failed_regions_.insert(regions.begin(), regions.end());
  if (message.empty()) message = "failed without a reason";
  // The peers of a TaskManager that dies often tell first.
  if (region_failure_.empty()) {
    region_failure_ = std::move(message);
  } else if (message.find("was lost") != std::string::npos &&
             region_failure_.find(message) == std::string::npos) {
    region_failure_ += "; " + message;
  }
  Touch();
}

bool JobMaster::RestartRegions() {
  RegionRestart next{.regions = std::exchange(failed_regions_, {}),
                     .decision = {},
                     .reason = std::exchange(region_failure_, {}),
                     .number = ++region_restarts_};
  const bool joins = region_restart_ && !region_restart_->deployed;
  if (joins) {
    next.decision = region_restart_->decision;
    next.reason = region_restart_->reason;
  } else {
    next.decision = AskRestartStrategy();
  }
  if (!next.decision.restart) {
    refusal_ = next.decision;
    Fail(std::move(next.reason));
    return true;
  }
  if (region_restart_) {
    next.regions.insert(region_restart_->regions.begin(), region_restart_->regions.end());
  }
  region_restart_ = std::move(next);
  const std::string& reason = region_restart_->reason;
  last_restart_reason_ =
      fmt::format("{} restarted, the others ran on: {}", NamesOf(region_restart_->regions), reason);
  waiting_reason_ =
      fmt::format("{} restart, the others run: {}", NamesOf(region_restart_->regions), reason);
  if (state() == v1::RUNNING) {
    if (!Enter(v1::RESTARTING)) return false;
  } else {
    LogWarn("{}", waiting_reason_);
  }
  operations_.FailOpen(reason, /*and_stops=*/false);
  if (checkpoints_ != nullptr) checkpoints_->OnRegionsFailed(reason);
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (IsConcerned(subtask) && !IsEnded(subtask.state())) SetState(subtask, v1::TASK_CANCELING);
  }
  CancelDeployed();
  return true;
}

bool JobMaster::ReleaseRegions() {
  RegionRestart& restart = *region_restart_;
  bool has_progressed = true;
  for (const int32_t region : restart.regions) {
    const Attempt attempt = AttemptOf(region);
    has_progressed &= HasProgressed(attempt);
    std::erase_if(deployments_, [&](const auto& entry) { return entry.first.second == attempt; });
  }
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (!IsConcerned(subtask)) continue;
    subtask.clear_task_manager_id();
    subtask.clear_endpoint();
    subtask.set_state(v1::TASK_CREATED);
    ForgetTask(subtask);
  }
  restart.released = true;
  restart.deployed = false;
  restore_progress_ = StepProgress::kNotBegun;
  // As for all tasks: what is waited for is not the TaskManager that is gone.
  if (std::exchange(lost_task_manager_, false) && has_progressed) restart.decision.delay = {};
  restart_due_ = restart.decision.delay.count() == 0;
  Touch();
  if (restart_due_) return true;
  waiting_reason_ = fmt::format("{} restart in {}, the others run: {}", NamesOf(restart.regions),
                                FormatDuration(restart.decision.delay), restart.reason);
  services_.executor->PostAfter(
      restart.decision.delay, [weak = weak_from_this(), number = restart.number] {
        const std::shared_ptr<JobMaster> job = weak.lock();
        if (job == nullptr || !job->region_restart_ || job->region_restart_->number != number) {
          return;
        }
        job->restart_due_ = true;
        job->Advance();
      });
  return false;
}

// The others keep theirs, and so do these, but for those of TaskManagers that are gone.
bool JobMaster::RequestRegionSlots() {
  std::set<size_t> missing;
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    const auto slot = static_cast<size_t>(subtask.subtask());
    if (IsConcerned(subtask) && services_.cluster->gateway(slots_[slot]) == nullptr) {
      missing.insert(slot);
    }
  }
  const std::vector<FreeSlots> cluster = services_.cluster->free_slots();
  const auto needed = static_cast<int32_t>(missing.size());
  const auto assigned = AssignSlots(needed, cluster);
  if (!assigned) {
    std::string reason =
        fmt::format("{} restart, the others run: {}", NamesOf(region_restart_->regions),
                    MissingSlotsReason(needed, cluster));
    if (reason == waiting_reason_) return false;
    waiting_reason_ = std::move(reason);
    Touch();
    LogInfo("{}", waiting_reason_);
    return false;
  }
  auto next = assigned->begin();
  for (const size_t slot : missing) slots_[slot] = *next++;
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (!IsConcerned(subtask)) continue;
    subtask.set_task_manager_id(slots_[static_cast<size_t>(subtask.subtask())]);
    subtask.set_endpoint(services_.cluster->address(subtask.task_manager_id()));
    SetState(subtask, v1::TASK_SCHEDULED);
  }
  return true;
}

void JobMaster::GiveUpRegions() {
  // A number that was taken for them is not one for all: those that ran on have had theirs.
  const bool has_number = region_restart_ && attempt_progress_ == StepProgress::kDone;
  if (has_number) attempt_progress_ = StepProgress::kNotBegun;
  region_restart_.reset();
  failed_regions_.clear();
  region_failure_.clear();
}

}  // namespace watershed
