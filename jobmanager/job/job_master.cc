#include "jobmanager/job/job_master.h"

#include <algorithm>
#include <set>

#include "runtime/job/plan_lookup.h"
#include "runtime/status/job_status.h"

namespace watershed {
namespace {

// A task's life in order; an end is an end whichever it is.
int Rank(v1::TaskState state) { return IsEnded(state) ? 100 : static_cast<int>(state); }

// Ids that one earlier JobManager used without storing them: far fewer than these.
constexpr int64_t kCheckpointIdsSkipped = 1000;

CheckpointId HighestUsed(const JobDescription& description) {
  int64_t highest = description.checkpoints_used.value;
  for (const v1::CheckpointRef& checkpoint : description.stored.checkpoints()) {
    highest = std::max(highest, checkpoint.checkpoint_id());
  }
  const bool has_run = description.recovered && description.stored.attempt() > 0;
  // Two that led one after the other must not use the same ones: their tasks may be the same, and
  // would take the second for the first.
  const int64_t leaders = std::max(description.stored.leaders(), 1);
  return CheckpointId{highest + (has_run ? leaders * kCheckpointIdsSkipped : 0)};
}

v1::JobState FirstState(const JobDescription& description) {
  if (description.stored.has_end()) return description.stored.end().state();
  return description.recovered && description.stored.attempt() > 0 ? v1::RECONCILING : v1::CREATED;
}

// Of the tasks of a job that ended before this JobManager knew it.
v1::TaskState TaskStateAtEnd(v1::JobState state) {
  if (state == v1::FINISHED) return v1::TASK_FINISHED;
  return state == v1::FAILED ? v1::TASK_FAILED : v1::TASK_CANCELED;
}

LogLevel LevelOf(v1::JobState entered, bool is_failure) {
  if (entered == v1::FAILED) return LogLevel::kError;
  const bool is_trouble = entered == v1::FAILING || entered == v1::RESTARTING;
  return is_trouble && is_failure ? LogLevel::kWarn : LogLevel::kInfo;
}

}  // namespace

JobMaster::JobMaster(JobDescription description, const JobServices& services)
    : submission_(description.stored.submission()),
      id_{submission_.job_id()},
      wanted_plan_(std::make_shared<const v1::PhysicalPlan>(std::move(description.plan))),
      wanted_shown_plan_(std::move(description.shown_plan)),
      plan_(wanted_plan_),
      shown_plan_(wanted_shown_plan_),
      shown_graph_(std::move(description.shown_graph)),
      services_(services),
      state_(FirstState(description), description.stored.submitted_time_ms(),
             description.stored.has_end() ? description.stored.end_time_ms()
                                          : services.clock->NowMs()),
      attempt_{std::max(description.stored.attempt(), description.attempts_used.value)},
      restarts_regions_(description.restarts_regions),
      attempts_used_(description.attempts_used),
      checkpoints_used_(HighestUsed(description)),
      start_time_ms_(description.stored.submitted_time_ms()),
      last_modification_ms_(services.clock->NowMs()),
      adaptive_(description.adaptive),
      restart_strategy_(description.restart),
      has_interval_(description.checkpoints.interval.count() > 0) {
  CreateSubtasks();
  if (!services_.checkpoint_directory.empty()) {
    checkpoints_ =
        std::make_shared<JobCheckpoints>(static_cast<CheckpointedJob*>(this), description.stored,
                                         services_, description.checkpoints, checkpoints_used_);
  }
  Recover(description.stored);
  if (!description.unusable.empty() && !ended()) Fail(description.unusable, /*is_final=*/true);
}

void JobMaster::CreateSubtasks() {
  for (const v1::Vertex& vertex : plan_->vertices()) {
    first_subtask_[vertex.id()] = subtasks_.size();
    for (int32_t i = 0; i < vertex.parallelism(); ++i) {
      v1::SubtaskStatus& subtask = subtasks_.emplace_back();
      subtask.set_vertex_id(vertex.id());
      subtask.set_subtask(i);
      subtask.set_state(v1::TASK_CREATED);
      subtask.set_start_time_ms(-1);
      subtask.set_end_time_ms(-1);
    }
    if (SourceNode(vertex) != nullptr) discoveries_[vertex.id()];
  }
  regions_ = PlannedRegions();
}

void JobMaster::Recover(const v1::StoredJob& stored) {
  if (stored.slots() > 0) RunIn(std::min(stored.slots(), SlotsNeeded(*wanted_plan_)));
  if (stored.attempt() > 0) RecoverRegions(stored);
  for (const v1::SplitsEntry& entry : stored.splits()) {
    const auto discovery = discoveries_.find(entry.vertex_id());
    if (discovery == discoveries_.end()) continue;
    discovery->second.splits.emplace(entry.splits().begin(), entry.splits().end());
  }
  cancel_requested_ = stored.cancel_requested();
  RecoverOperations(stored);
  last_restart_reason_ = stored.restart_reason();
  if (state() == v1::RECONCILING) {
    slots_.resize(static_cast<size_t>(SlotsNeeded(*plan_)));
    waiting_reason_ = "waiting for the TaskManagers to report the tasks they run";
    for (const v1::TaskId& task : stored.finished()) {
      v1::SubtaskStatus* subtask = FindSubtask(task.vertex_id(), task.subtask());
      if (subtask == nullptr) continue;
      const Attempt attempt = AttemptOf(RegionOf(*subtask));
      if (task.attempt() > 0 && Attempt{task.attempt()} != attempt) continue;
      subtask->set_state(v1::TASK_FINISHED);
      subtask->set_attempt(attempt.value);
    }
  }
  if (!stored.has_end()) return;
  end_time_ms_ = stored.end_time_ms();
  last_modification_ms_ = end_time_ms_;
  failure_ = stored.end().reason();
  for (v1::SubtaskStatus& subtask : subtasks_) {
    subtask.set_state(TaskStateAtEnd(state()));
    subtask.set_attempt(AttemptOf(RegionOf(subtask)).value);
  }
}

void JobMaster::Store(v1::LogEntry entry, std::function<void(JobMaster&)> stored) {
  services_.cluster->Store(std::move(entry), [weak = weak_from_this(), stored = std::move(stored)] {
    const std::shared_ptr<JobMaster> job = weak.lock();
    if (job == nullptr) return;
    const ScopedLogFields fields({.job = job->id_.hex, .attempt = job->attempt_.value});
    stored(*job);
    job->Advance();
  });
}

void JobMaster::Advance() {
  // A step may call back (a job that ends frees slots, which advances the jobs): the outermost goes
  // on.
  advance_again_ = true;
  if (advancing_) return;
  advancing_ = true;
  const ScopedLogFields fields({.job = id_.hex, .attempt = attempt_.value});
  while (advance_again_) {
    advance_again_ = false;
    while (Perform(DecideNext(Facts()))) {
    }
    ConsiderGrowth();
  }
  advancing_ = false;
}

JobFacts JobMaster::Facts() const {
  JobFacts facts;
  facts.state = state();
  facts.failed = !failure_.empty();
  facts.regions_failed = !failed_regions_.empty();
  facts.in_regions = region_restart_.has_value();
  facts.regions_released = region_restart_ && region_restart_->released;
  facts.may_restart = restart_.restart;
  facts.restart_due = restart_due_;
  facts.cancel_requested = cancel_requested_;
  facts.cancel_is_being_stored = cancel_is_being_stored_;
  facts.attempt = attempt_progress_;
  facts.restore = restore_progress_;
  facts.has_splits = HasSplits();
  facts.discovery_under_way = discovery_started_;
  facts.deployed = region_restart_ ? region_restart_->deployed : !deployments_.empty();
  std::set<Attempt> concerned;
  bool has_slots = !slots_.empty();
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    if (!IsConcerned(subtask)) continue;
    concerned.insert(Attempt{subtask.attempt()});
    if (region_restart_) has_slots &= subtask.state() != v1::TASK_CREATED;
    ++facts.tasks;
    facts.tasks_running += subtask.state() == v1::TASK_RUNNING;
    facts.tasks_finished += subtask.state() == v1::TASK_FINISHED;
    facts.tasks_ended += IsEnded(subtask.state());
  }
  facts.has_slots = has_slots;
  for (const auto& [key, deployment] : deployments_) {
    facts.deployments_pending += deployment.pending && concerned.contains(key.second);
  }
  facts.reconciling_is_over = reconciling_is_over_;
  facts.end_is_being_stored = end_is_being_stored_;
  return facts;
}

bool JobMaster::Perform(JobAction action) {
  switch (action) {
    case JobAction::kWait:
      return false;
    case JobAction::kRequestSlots:
      return RequestSlots();
    case JobAction::kStoreAttempt:
      return StoreAttempt();
    case JobAction::kReadRestorePoint:
      return ReadRestorePoint();
    case JobAction::kReadLastCheckpoint:
      return ReadLastCheckpoint();
    case JobAction::kDiscoverSplits:
      return StartDiscovery();
    case JobAction::kDeploy:
      return Deploy();
    case JobAction::kEnterRunning:
      return EnterRunning();
    case JobAction::kEnterFailing:
      return EnterFailing();
    case JobAction::kEnterCancelling:
      return EnterCancelling();
    case JobAction::kEnterRestarting:
      return EnterRestarting();
    case JobAction::kRestartRegions:
      return RestartRegions();
    case JobAction::kReleaseRegions:
      return ReleaseRegions();
    case JobAction::kEnterCreated:
      return EnterCreated();
    case JobAction::kGiveUpReconciling:
      return RestartWithoutFailure("not all of its tasks were reported to the new JobManager");
    case JobAction::kEnterFailed:
      return StoreEnd(v1::FAILED);
    case JobAction::kEnterCanceled:
      return StoreEnd(v1::CANCELED);
    case JobAction::kEnterFinished:
      return StoreEnd(v1::FINISHED);
  }
  return false;
}

bool JobMaster::Enter(v1::JobState next) {
  const v1::JobState previous = state();
  if (const Status entered = state_.Enter(next, services_.clock->NowMs()); !entered) {
    LogError("{}", entered.error().message);
    return false;
  }
  Touch();
  const std::string reason = StatusReason();
  Log(LevelOf(next, /*is_failure=*/!failure_.empty() && !restart_without_failure_),
      "job '{}' {} -> {}{}{}", name(), NameOf(previous), NameOf(next), reason.empty() ? "" : ": ",
      reason);
  return true;
}

bool JobMaster::EnterRunning() {
  waiting_reason_.clear();
  runs_since_ = services_.clock->Steady();
  region_restart_.reset();
  const bool is_adopted = state() == v1::RECONCILING;
  if (!Enter(v1::RUNNING)) return false;
  if (is_adopted && TakesCheckpoints()) {
    AdoptCheckpoints();
    return true;
  }
  RequestStopCheckpoint();
  if (TakesCheckpoints()) checkpoints_->OnRunning();
  return true;
}

bool JobMaster::StoreEnd(v1::JobState end) {
  if (checkpoints_ != nullptr) checkpoints_->StopAttempt("the job ended");
  end_is_being_stored_ = true;
  v1::LogEntry entry;
  entry.mutable_job_end()->set_job_id(id_.hex);
  entry.mutable_job_end()->set_state(end);
  entry.mutable_job_end()->set_reason(failure_);
  Store(std::move(entry), [end](JobMaster& job) { job.OnEndStored(end); });
  return false;
}

void JobMaster::OnEndStored(v1::JobState end) {
  if (!Enter(end)) return;
  if (end == v1::FINISHED && IsStopped()) {
    LogInfo("stopped with the savepoint {}", newest_checkpoint()->savepoint_path());
  }
  EndOperations(end, newest_checkpoint());
  end_time_ms_ = services_.clock->NowMs();
  slots_.clear();
  ++placement_;
  services_.cluster->OnJobEnded(id_);
}

void JobMaster::RequestCancel() {
  if (cancel_requested_ || cancel_is_being_stored_ || end_is_being_stored_ || ended()) return;
  cancel_is_being_stored_ = true;
  v1::LogEntry entry;
  entry.mutable_cancel()->set_job_id(id_.hex);
  Store(std::move(entry), [](JobMaster& job) {
    job.cancel_is_being_stored_ = false;
    job.cancel_requested_ = true;
    job.Touch();
  });
}

void JobMaster::OnTaskReports(const std::string& task_manager_id,
                              const std::vector<v1::SubtaskStatus>& reports) {
  for (const v1::SubtaskStatus& report : reports) OnTaskReport(task_manager_id, report);
  StoreFinished();
  Advance();
}

void JobMaster::OnTaskReport(const std::string& task_manager_id, const v1::SubtaskStatus& report) {
  v1::SubtaskStatus* subtask = FindSubtask(report.vertex_id(), report.subtask());
  if (subtask == nullptr || IsEnded(subtask->state()) || ended()) return;
  // It ended while there was no JobManager, before its TaskManager could say that it runs.
  if (state() == v1::RECONCILING && subtask->task_manager_id().empty() && failure_.empty() &&
      IsEnded(report.state()) && Attempt{report.attempt()} == AttemptOf(RegionOf(*subtask))) {
    return AdoptOrRestart(task_manager_id, Attempt{report.attempt()}, report);
  }
  if (!IsFrom(task_manager_id, report, *subtask)) return;
  if (Rank(report.state()) < Rank(subtask->state())) return;
  if (report.has_counters()) SetCounters(*subtask, report.counters());
  if (report.message() != subtask->message()) {
    subtask->set_message(report.message());
    Touch();
  }
  if (report.state() == subtask->state()) return;
  SetState(*subtask, report.state());
  if (report.state() == v1::TASK_FAILED) return FailBy(task_manager_id, report);
  if (!Wants(*subtask)) return;
  if (report.state() == v1::TASK_FINISHED) {
    NoteFinished(*subtask);
  } else if (report.state() == v1::TASK_CANCELED) {
    FailRegions({RegionOf(*subtask)},
                fmt::format("{} on TaskManager {} was cancelled, though the job was not",
                            TaskName(*subtask), task_manager_id));
  }
}

bool JobMaster::Wants(const v1::SubtaskStatus& subtask) const {
  if (region_restart_) return region_restart_->deployed || !IsConcerned(subtask);
  return state() == v1::CREATED || state() == v1::RUNNING || state() == v1::RECONCILING;
}

void JobMaster::NoteFinished(const v1::SubtaskStatus& subtask) {
  v1::TaskId& task = finished_unstored_.emplace_back();
  task.set_vertex_id(subtask.vertex_id());
  task.set_subtask(subtask.subtask());
  task.set_attempt(subtask.attempt());
  if (checkpoints_ != nullptr) checkpoints_->OnFinished({subtask.vertex_id(), subtask.subtask()});
}

void JobMaster::StoreFinished() {
  const std::vector<v1::TaskId> finished = std::exchange(finished_unstored_, {});
  const bool have_all = std::ranges::all_of(subtasks_, [](const v1::SubtaskStatus& subtask) {
    return subtask.state() == v1::TASK_FINISHED;
  });
  if (have_all) return;
  std::map<int32_t, v1::LogEntry> entries;  // by attempt
  for (const v1::TaskId& task : finished) {
    v1::TasksFinishedEntry* entry = entries[task.attempt()].mutable_tasks_finished();
    entry->set_job_id(id_.hex);
    entry->set_attempt(task.attempt());
    v1::TaskId* out = entry->add_tasks();
    out->set_vertex_id(task.vertex_id());
    out->set_subtask(task.subtask());
  }
  for (auto& [attempt, entry] : entries) Store(std::move(entry), [](JobMaster&) {});
}

void JobMaster::OnCounters(const std::string& task_manager_id, const v1::SubtaskStatus& report) {
  v1::SubtaskStatus* subtask = FindSubtask(report.vertex_id(), report.subtask());
  if (subtask == nullptr || IsEnded(subtask->state()) || !report.has_counters() ||
      !IsFrom(task_manager_id, report, *subtask)) {
    return;
  }
  SetCounters(*subtask, report.counters());
}

void JobMaster::OnTaskManagerLost(const std::string& task_manager_id, const std::string& why) {
  if (ended() || std::find(slots_.begin(), slots_.end(), task_manager_id) == slots_.end()) return;
  // Regions that restart have places of their own, and others of the job may have finished.
  if (deployments_.empty() && !region_restart_) {
    ReleaseSlots();
    Advance();
    return;
  }
  for (auto& [key, deployment] : deployments_) deployment.pending &= key.first != task_manager_id;
  const std::string message = fmt::format("TaskManager {} was lost: {}", task_manager_id, why);
  std::set<int32_t> lost;
  bool lost_any = false, lost_place = false;
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (subtask.task_manager_id() != task_manager_id || IsEnded(subtask.state())) continue;
    lost_any = true;
    // Of a region that restarts: it was to be deployed there. One that is cancelled has just ended.
    lost_place |= !IsDeployed(subtask);
    if (!region_restart_ || Wants(subtask)) lost.insert(RegionOf(subtask));
    subtask.set_message(message);
    SetState(subtask, v1::TASK_FAILED);
  }
  lost_task_manager_ |= lost_any;
  if (lost_place) Fail(message);
  if (!lost.empty()) FailRegions(lost, message);
  Advance();
}

bool JobMaster::IsDeployed(const v1::SubtaskStatus& subtask) {
  return subtask.state() != v1::TASK_CREATED && subtask.state() != v1::TASK_SCHEDULED;
}

bool JobMaster::IsAt(const DeploymentKey& key, const v1::SubtaskStatus& subtask) {
  return subtask.task_manager_id() == key.first && subtask.attempt() == key.second.value;
}

bool JobMaster::IsFrom(const std::string& task_manager_id, const v1::SubtaskStatus& report,
                       const v1::SubtaskStatus& subtask) {
  return report.attempt() == subtask.attempt() && subtask.task_manager_id() == task_manager_id &&
         IsDeployed(subtask);
}

v1::SubtaskStatus* JobMaster::FindSubtask(const std::string& vertex_id, int32_t subtask) {
  const auto first = first_subtask_.find(vertex_id);
  const v1::Vertex* vertex = FindVertex(*plan_, vertex_id);
  if (first == first_subtask_.end() || subtask < 0 || subtask >= vertex->parallelism()) {
    return nullptr;
  }
  return &subtasks_[first->second + static_cast<size_t>(subtask)];
}

void JobMaster::SetState(v1::SubtaskStatus& subtask, v1::TaskState next) {
  subtask.set_state(next);
  if (IsEnded(next)) subtask.set_end_time_ms(services_.clock->NowMs());
  Touch();
}

void JobMaster::Touch() {
  last_modification_ms_ = services_.clock->NowMs();
  services_.cluster->OnJobChanged();
}

void JobMaster::SetCounters(v1::SubtaskStatus& subtask, const v1::TaskCounters& counters) {
  const bool has_just_ended = counters.ended() && !subtask.counters().ended();
  *subtask.mutable_counters() = counters;
  if (has_just_ended && checkpoints_ != nullptr) {
    checkpoints_->OnEnded({subtask.vertex_id(), subtask.subtask()});
  }
}

void JobMaster::Fail(std::string message, bool is_final) {
  Touch();
  if (failure_.empty()) {
    failure_is_final_ = is_final;
    failure_ = message.empty() ? "failed without a reason" : std::move(message);
  } else if (message.find("was lost") != std::string::npos &&
             failure_.find(message) == std::string::npos) {
    // The peers of a TaskManager that dies often tell first, by their broken connections.
    failure_ += "; " + message;
  }
}

}  // namespace watershed
