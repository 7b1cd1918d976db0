// How a JobMaster begins again: after a failure, from a checkpoint, or under a new JobManager.
#include <algorithm>
#include <functional>

#include "jobmanager/job/job_master.h"
#include "runtime/checkpoint/layout.h"
#include "runtime/config/units.h"
#include "runtime/job/plan_lookup.h"
#include "runtime/status/job_status.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kRestoreRetryMax{10'000};

// In [-1, 1], the same for the same attempt of the same job.
double Jitter(const JobId& id, Attempt attempt) {
  constexpr uint64_t kSteps = 2000;
  uint64_t mixed = std::hash<std::string>{}(id.hex) + static_cast<uint64_t>(attempt.value);
  mixed = (mixed ^ (mixed >> 31)) * 0x9E3779B97F4A7C15u;
  return static_cast<double>((mixed >> 32) % (kSteps + 1)) / (kSteps / 2.0) - 1.0;
}

}  // namespace

int32_t JobMaster::restarts() const {
  return std::max(attempt_.value - attempts_used_.value - attempts_beside_ - 1, 0);
}

std::vector<StoredCheckpoint> JobMaster::RestoreCandidates() const {
  std::vector<StoredCheckpoint> candidates;
  if (checkpoints_ == nullptr) return candidates;
  const std::vector<v1::CheckpointRef>& retained = checkpoints_->retained();
  for (auto checkpoint = retained.rbegin(); checkpoint != retained.rend(); ++checkpoint) {
    candidates.push_back({*checkpoint, checkpoints_->manifests()->directory()});
  }
  if (retained.empty() && submission_.has_restore_from()) {
    candidates.push_back({submission_.restore_from(), submission_.restore_directory(),
                          submission_.restore_options()});
  }
  return candidates;
}

bool JobMaster::ReadRestorePoint() {
  std::vector<StoredCheckpoint> candidates = RestoreCandidates();
  if (candidates.empty()) {
    restore_.reset();
    restore_progress_ = StepProgress::kDone;
    return true;
  }
  restore_progress_ = StepProgress::kUnderWay;
  waiting_reason_ =
      fmt::format("reading checkpoint {} in {}", candidates.front().ref.checkpoint_id(),
                  candidates.front().directory);
  checkpoints_->manifests()->Find(
      std::move(candidates), damaged_files_, plan_,
      [weak = weak_from_this(), plan = plan_, read = ++restore_reads_](Result<RestorePoint> point) {
        const std::shared_ptr<JobMaster> job = weak.lock();
        if (job == nullptr || read != job->restore_reads_) return;
        const ScopedLogFields fields({.job = job->id_.hex, .attempt = job->attempt_.value});
        job->OnRestorePoint(plan.get(), std::move(point));
        job->Advance();
      });
  return true;
}

void JobMaster::OnRestorePoint(const v1::PhysicalPlan* plan, Result<RestorePoint> point) {
  restore_progress_ = StepProgress::kNotBegun;
  const bool is_awaited = state() == v1::CREATED || region_restart_;
  if (!is_awaited || plan != plan_.get()) return;
  if (point && region_restart_ && !FitsRegions(*point)) return;
  if (point) {
    checkpoints_->OnRestored(*point);
    restore_ = std::move(*point);
    restore_progress_ = StepProgress::kDone;
    restore_failures_ = 0;
    return;
  }
  if (!point.error().retryable) {
    Fail("cannot be restored: " + point.error().message, /*is_final=*/true);
    return;
  }
  ReadAgainLater("cannot be restored now", point.error());
}

// The others go on from the newest checkpoint, and with what is theirs. Before the first one all
// have begun with the same, dealt out in the same way.
bool JobMaster::FitsRegions(const RestorePoint& point) {
  if (!point.damaged.empty()) {
    RestartWithoutFailure("its newest checkpoint cannot be restored: " + point.damaged.front());
    return false;
  }
  if (checkpoints_->retained().empty() || point.assignment.keeps_places) return true;
  RestartWithoutFailure("its newest checkpoint divides the work in another way than its tasks");
  return false;
}

void JobMaster::ReadAgainLater(const std::string& what, const Error& error) {
  const auto backoff = std::min(
      std::chrono::milliseconds(500) * (1 << std::min(restore_failures_++, 5)), kRestoreRetryMax);
  waiting_reason_ = fmt::format("{}, trying again: {}", what, error.message);
  LogWarn("{}", waiting_reason_);
  Touch();
  restore_progress_ = StepProgress::kUnderWay;
  services_.executor->PostAfter(backoff, [weak = weak_from_this(), state = state()] {
    const std::shared_ptr<JobMaster> job = weak.lock();
    if (job == nullptr || job->state() != state) return;
    job->restore_progress_ = StepProgress::kNotBegun;
    job->Advance();
  });
}

bool JobMaster::EnterFailing() {
  const std::optional<RestartDecision> refusal = std::exchange(refusal_, std::nullopt);
  if (refusal) {
    restart_ = *refusal;
  } else if (restart_without_failure_) {
    restart_ = {.restart = true, .delay = {}, .refusal = ""};
  } else if (failure_is_final_) {
    restart_ = {};
  } else {
    restart_ = AskRestartStrategy();
  }
  if (!restart_.refusal.empty()) failure_ += "; " + restart_.refusal;
  return Enter(v1::FAILING) && CancelTasks();
}

RestartDecision JobMaster::AskRestartStrategy() {
  return restart_strategy_.OnFailure(services_.clock->Steady(), Jitter(id_, attempt_));
}

bool JobMaster::EnterCancelling() {
  awaits_reports_ = state() == v1::RECONCILING && !reconciling_is_over_;
  return Enter(v1::CANCELLING) && CancelTasks();
}

bool JobMaster::EnterRestarting() {
  last_restart_reason_ = failure_;
  // The delay keeps a job that fails by itself from doing nothing else. One whose TaskManager is
  // gone has nothing to wait for but slots; a checkpoint in every attempt bounds how often.
  if (lost_task_manager_ && HasProgressed(attempt_)) restart_.delay = {};
  if (!Enter(v1::RESTARTING)) return false;
  ReleaseSlots();
  deployments_.clear();
  restart_due_ = restart_.delay.count() == 0;
  if (restart_due_) return true;
  waiting_reason_ =
      fmt::format("restarting in {}, after: {}", FormatDuration(restart_.delay), failure_);
  auto due = Later<int>([](JobMaster& job, int) { job.restart_due_ = true; });
  services_.executor->PostAfter(restart_.delay, [due] { due(0); });
  return false;
}

bool JobMaster::HasProgressed(Attempt attempt) const {
  const v1::CheckpointRef* newest = newest_checkpoint();
  return newest != nullptr && AttemptOfFile(newest->manifest().name()) >= attempt;
}

void JobMaster::ForgetTask(v1::SubtaskStatus& subtask) {
  subtask.clear_message();
  subtask.clear_counters();
  subtask.set_start_time_ms(-1);
  subtask.set_end_time_ms(-1);
}

bool JobMaster::EnterCreated() {
  failure_.clear();
  failure_is_final_ = lost_task_manager_ = restart_without_failure_ = restart_due_ = false;
  restart_ = {};
  waits_since_.reset();
  some_since_.reset();
  restore_.reset();
  restore_progress_ = StepProgress::kNotBegun;
  waiting_reason_.clear();
  regions_ = PlannedRegions();
  for (v1::SubtaskStatus& subtask : subtasks_) ForgetTask(subtask);
  return Enter(v1::CREATED);
}

bool JobMaster::RestartWithoutFailure(std::string reason) {
  restart_without_failure_ = true;
  Fail(std::move(reason));
  return true;
}

// A file of the checkpoint it began with can be damaged in a way that only reading it shows. That
// is no failure of the job while there may be another checkpoint; ReadRestorePoint ends it when
// there is none. Every such restart rules a file out, so they come to an end. It is one of all
// tasks: an older checkpoint is not one that the others have gone on from.
void JobMaster::FailBy(const std::string& task_manager_id, const v1::SubtaskStatus& task) {
  std::string message =
      fmt::format("{} on TaskManager {}: {}", TaskName(task), task_manager_id, task.message());
  const std::string& file = task.damaged_file();
  if (!file.empty()) {
    const bool is_news = damaged_files_.emplace(file, message).second;
    if (is_news && failure_.empty() && IsRestored(file)) restart_without_failure_ = true;
    return Fail(std::move(message), task.is_final());
  }
  // It may not fit what an older checkpoint knows: then it matters why it was not a newer one.
  if (task.is_final() && restore_ && !restore_->damaged.empty()) {
    message += "; a newer checkpoint was passed over: " + restore_->damaged.front();
  }
  const v1::SubtaskStatus* subtask = FindSubtask(task.vertex_id(), task.subtask());
  if (region_restart_ && !Wants(*subtask)) return;  // it is being cancelled
  FailRegions({RegionOf(*subtask)}, std::move(message), task.is_final());
}

bool JobMaster::IsRestored(const std::string& file) const {
  if (!restore_) return false;
  const auto has = [&](const v1::FileRef& ref) { return ref.name() == file; };
  for (const auto& [subtask, restore] : restore_->assignment.subtasks) {
    for (const v1::OperatorSnapshot& op : restore.operators()) {
      if (std::ranges::any_of(op.keyed_state().files(), has)) return true;
    }
    for (const v1::SinkSnapshot& sink : restore.sinks()) {
      for (const v1::SegmentRef& segment : sink.unconfirmed()) {
        if (has(segment.file())) return true;
      }
    }
  }
  return false;
}

void JobMaster::OnRunningAttempt(const std::string& task_manager_id,
                                 const v1::RunningAttempt& running) {
  const Attempt attempt{running.attempt()};
  if (std::ranges::find(region_attempts_, attempt) == region_attempts_.end()) return;
  if (awaits_reports_ && state() == v1::CANCELLING) return CancelReported(task_manager_id, running);
  if (state() != v1::RECONCILING || !failure_.empty()) return;
  deployments_[{task_manager_id, attempt}].pending = false;
  for (const v1::SubtaskReport& report : running.tasks()) {
    AdoptOrRestart(task_manager_id, attempt, report.status());
  }
  StoreFinished();
  Touch();
  Advance();
}

void JobMaster::AdoptOrRestart(const std::string& task_manager_id, Attempt attempt,
                               const v1::SubtaskStatus& report) {
  if (Adopt(task_manager_id, attempt, report)) return;
  RestartWithoutFailure(
      fmt::format("subtask {} of vertex {} on TaskManager {} does not fit what others run",
                  report.subtask(), report.vertex_id(), task_manager_id));
}

bool JobMaster::Adopt(const std::string& task_manager_id, Attempt attempt,
                      const v1::SubtaskStatus& report) {
  v1::SubtaskStatus* subtask = FindSubtask(report.vertex_id(), report.subtask());
  if (subtask == nullptr || attempt != AttemptOf(RegionOf(*subtask))) return false;
  std::string& slot = slots_[static_cast<size_t>(report.subtask())];
  if (!slot.empty() && slot != task_manager_id) return false;
  slot = task_manager_id;
  *subtask = report;
  subtask->set_attempt(attempt.value);
  if (!IsDeployed(*subtask)) subtask->set_state(v1::TASK_DEPLOYING);
  subtask->set_start_time_ms(-1);  // nobody remembers
  subtask->set_end_time_ms(IsEnded(report.state()) ? services_.clock->NowMs() : -1);
  subtask->set_task_manager_id(task_manager_id);
  subtask->set_endpoint(services_.cluster->address(task_manager_id));
  if (report.state() == v1::TASK_FINISHED) NoteFinished(*subtask);
  if (report.state() == v1::TASK_FAILED) {
    FailBy(task_manager_id, report);
  }
  return report.state() != v1::TASK_CANCELED && report.state() != v1::TASK_CANCELING;
}

// A task that has ended has said its last word in a checkpoint, which all later ones repeat.
bool JobMaster::ReadLastCheckpoint() {
  const bool any_ended =
      std::any_of(subtasks_.begin(), subtasks_.end(), [](const v1::SubtaskStatus& subtask) {
        return subtask.state() == v1::TASK_FINISHED || subtask.counters().ended();
      });
  if (!any_ended || checkpoints_ == nullptr || checkpoints_->retained().empty()) {
    restore_progress_ = StepProgress::kDone;
    return true;
  }
  restore_progress_ = StepProgress::kUnderWay;
  const v1::CheckpointRef& last = checkpoints_->retained().back();
  const std::string& directory = checkpoints_->manifests()->directory();
  waiting_reason_ = fmt::format("reading checkpoint {} in {}", last.checkpoint_id(), directory);
  checkpoints_->manifests()->Read(
      {last, directory}, [weak = weak_from_this()](Result<v1::CheckpointManifest> manifest) {
        const std::shared_ptr<JobMaster> job = weak.lock();
        if (job == nullptr || job->state() != v1::RECONCILING) return;
        const ScopedLogFields fields({.job = job->id_.hex, .attempt = job->attempt_.value});
        job->OnLastCheckpoint(std::move(manifest));
        job->Advance();
      });
  return true;
}

void JobMaster::OnLastCheckpoint(Result<v1::CheckpointManifest> manifest) {
  if (!manifest) {
    if (manifest.error().retryable) {
      return ReadAgainLater("its last checkpoint cannot be read now", manifest.error());
    }
    RestartWithoutFailure("its last checkpoint cannot be read: " + manifest.error().message);
    return;
  }
  // In an attempt that has completed none yet, nothing has said its last word: the manifest is of
  // the highest that there was then.
  for (v1::SubtaskSnapshot& part : *manifest->mutable_subtasks()) {
    const Attempt own = AttemptOf(regions_.Find(part.vertex_id(), part.subtask()));
    if (part.ended() && Attempt{manifest->attempt()} >= own) last_parts_.push_back(std::move(part));
  }
  restore_progress_ = StepProgress::kDone;
}

void JobMaster::CancelReported(const std::string& task_manager_id,
                               const v1::RunningAttempt& running) {
  const Attempt attempt{running.attempt()};
  deployments_[{task_manager_id, attempt}].pending = false;
  for (const v1::SubtaskReport& report : running.tasks()) {
    Adopt(task_manager_id, attempt, report.status());
  }
  CancelTasks();
  Advance();
}

void JobMaster::EndReconciling() {
  reconciling_is_over_ = true;
  if (std::exchange(awaits_reports_, false)) {
    for (v1::SubtaskStatus& subtask : subtasks_) {
      const bool runs = !subtask.task_manager_id().empty() || IsEnded(subtask.state());
      if (!runs) SetState(subtask, v1::TASK_CANCELED);
    }
  }
  Advance();
}

// ---- Checkpoints: what they ask, and what is told to them ----

CheckpointId JobMaster::checkpoints_used() const {
  int64_t highest = checkpoints_used_.value;
  if (checkpoints_ != nullptr) {
    for (const v1::CheckpointSummary& summary : checkpoints_->statistics().recent()) {
      highest = std::max(highest, summary.id());
    }
  }
  return CheckpointId{highest};
}

bool JobMaster::TakesCheckpoints() const {
  if (checkpoints_ == nullptr) return false;
  if (has_interval_) return true;
  for (const v1::Vertex& vertex : plan_->vertices()) {
    for (const std::vector<v1::Split>& splits : SplitsOf(vertex)) {
      for (const v1::Split& split : splits) {
        if (!split.has_end_position()) return false;
      }
    }
  }
  return true;
}

void JobMaster::StartCheckpoints() {
  std::map<CheckpointCoordinator::SubtaskKey, std::string> names;
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    names[{subtask.vertex_id(), subtask.subtask()}] = TaskName(subtask);
  }
  checkpoints_->StartAttempt(attempt_, OldestAttempt(), names);
}

void JobMaster::AdoptCheckpoints() {
  StartCheckpoints();
  // Before any other checkpoint: sources that a drain has ended would end the job with that one.
  // Tasks that go on from the stop's own checkpoint are told that it was the last.
  // Not those of an attempt that only began with it: they are stopped again.
  const bool is_stopped =
      IsStopped() && AttemptOfFile(newest_checkpoint()->manifest().name()) == attempt_;
  if (!is_stopped) RequestStopCheckpoint();
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    const JobCheckpoints::SubtaskKey key(subtask.vertex_id(), subtask.subtask());
    if (subtask.counters().ended()) checkpoints_->OnEnded(key);
    if (subtask.state() == v1::TASK_FINISHED) checkpoints_->OnFinished(key);
  }
  checkpoints_->OnAdopted(std::exchange(last_parts_, {}), is_stopped);
}

Status JobMaster::OnCheckpointReport(const v1::ReportCheckpointRequest& report) {
  const ScopedLogFields fields({.job = id_.hex, .attempt = attempt_.value});
  const Attempt attempt{report.attempt()};
  const Attempt current = AttemptOf(regions_.Find(report.vertex_id(), report.subtask()));
  const bool is_wanted = attempt == current && Wants(attempt);
  if (!is_wanted && !IsPlanted(PlantedBug::kStaleAttemptAccepted)) {
    return InternalError("attempt {} of job {} is not current: it is {}", attempt.value, id_.hex,
                         current.value);
  }
  if (checkpoints_ != nullptr) checkpoints_->OnReport(report);
  return Ok();
}

std::vector<CheckpointedJob::TasksAt> JobMaster::TasksInUse() const {
  std::vector<TasksAt> in_use;
  for (const auto& [key, deployment] : deployments_) {
    const bool has_any = std::ranges::any_of(subtasks_, [&](const v1::SubtaskStatus& subtask) {
      return IsAt(key, subtask) && !IsEnded(subtask.state());
    });
    auto gateway = services_.cluster->gateway(key.first);
    if (has_any && gateway != nullptr) {
      in_use.push_back({key.first, key.second, std::move(gateway)});
    }
  }
  return in_use;
}

void JobMaster::Describe(v1::CheckpointManifest& manifest) const {
  manifest.set_job_id(id_.hex);
  manifest.set_lineage(lineage());
  *manifest.mutable_graph() = shown_graph_;
  *manifest.mutable_plan() = shown_plan_;
  const auto place = [&](const v1::SubtaskSnapshot& part) {
    return std::pair(first_subtask_.at(part.vertex_id()), part.subtask());
  };
  std::sort(manifest.mutable_subtasks()->begin(), manifest.mutable_subtasks()->end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

void JobMaster::OnCheckpointsShown() { services_.cluster->OnJobChanged(); }

void JobMaster::OnTooManyFailures(const std::string& reason) {
  Fail(reason);
  Advance();
}

}  // namespace watershed
