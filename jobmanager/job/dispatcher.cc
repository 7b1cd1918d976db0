#include "jobmanager/job/dispatcher.h"

#include <algorithm>
#include <utility>

#include "runtime/config/units.h"
#include "runtime/logging/log.h"
#include "runtime/types/planted_bug.h"

namespace watershed {

Dispatcher::Dispatcher(const DispatcherSettings& settings, DispatcherServices services)
    : settings_(settings),
      services_(std::move(services)),
      executor_(services_.executor),
      clock_(services_.clock),
      cluster_metrics_(services_.metrics, services_.metric_labels) {}

Dispatcher::~Dispatcher() = default;

JobMaster* Dispatcher::Find(const std::string& job_id) const {
  for (const auto& job : jobs_) {
    if (job->id().hex == job_id) return job.get();
  }
  return nullptr;
}

Result<JobMaster*> Dispatcher::FindNamed(const std::string& job_id) const {
  JobMaster* const job = Find(job_id);
  if (job == nullptr) return UserError("there is no job {}", job_id);
  return job;
}

Status Dispatcher::Cancel(const std::string& job_id) {
  WS_ASSIGN_OR_RETURN(JobMaster* const job, FindNamed(job_id));
  job->RequestCancel();
  OnJobChanged();
  return Ok();
}

std::vector<v1::JobSummary> Dispatcher::Summaries(bool include_ended) const {
  std::vector<v1::JobSummary> summaries;
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) {
    if (include_ended || !(*job)->ended()) summaries.push_back((*job)->Summary());
  }
  return summaries;
}

Result<v1::JobDetails> Dispatcher::Details(const std::string& job_id) const {
  WS_ASSIGN_OR_RETURN(const JobMaster* const job, FindNamed(job_id));
  return job->Details();
}

Result<v1::CheckpointDetails> Dispatcher::FindCheckpoint(const std::string& job_id,
                                                         CheckpointId id) const {
  const JobMaster* job = Find(job_id);
  std::optional<v1::CheckpointDetails> found;
  if (job != nullptr) found = job->FindCheckpoint(id);
  if (!found) return UserError("nothing is known of checkpoint {} of job {}", id.value, job_id);
  return std::move(*found);
}

std::vector<TaskManagerView> Dispatcher::TaskManagers() const {
  std::vector<TaskManagerView> views;
  for (const auto& [id, entry] : registry_.entries()) {
    TaskManagerView& view = views.emplace_back();
    view.id = id;
    view.address = entry.info.address();
    view.slots = entry.info.slots();
    view.free_slots = entry.leaving ? 0 : std::max(entry.info.slots() - SlotsInUse(id), 0);
    view.cpu_cores = entry.info.cpu_cores();
    view.pid = entry.info.pid();
    view.physical_memory_bytes = entry.info.physical_memory_bytes();
    view.free_memory_bytes = entry.free_memory_bytes;
    view.managed_memory_bytes = entry.info.managed_memory_bytes();
    view.process_memory_bytes = entry.info.process_memory_bytes();
    view.resident_memory_bytes = entry.resident_memory_bytes;
    for (const v1::MemoryShareUsage& share : entry.memory) {
      view.memory.push_back(
          {share.name(), share.limit_bytes(), share.used_bytes(), share.peak_bytes()});
    }
    view.last_heartbeat_ms = entry.last_heard_ms;
    for (const auto& job : jobs_) {
      if (const int32_t held = job->SlotsHeldOn(id); held > 0) {
        view.allocated.push_back({job->id().hex, held, job->TasksOn(id)});
      }
    }
  }
  return views;
}

Result<v1::RegisterTaskManagerResponse> Dispatcher::Register(
    const v1::RegisterTaskManagerRequest& request) {
  if (request.task_manager_id().empty() || request.address().empty() || request.slots() < 1) {
    return UserError("a TaskManager registers with an id, an address and at least one slot");
  }
  // Tasks of the registration before, if they still run, are cancelled by the first heartbeat.
  if (registry_.Find(request.task_manager_id()) != nullptr) {
    Lose(request.task_manager_id(), "it registered again");
  }
  TaskManagerEntry& entry =
      registry_.Add(request, services_.gateways(request.task_manager_id(), request.address()));
  entry.last_heard = HeartbeatTime();
  entry.last_heard_ms = clock_->NowMs();
  LogInfo("TaskManager {} at {} registered with {} slots", request.task_manager_id(),
          request.address(), request.slots());
  v1::RegisterTaskManagerResponse response;
  response.set_leader_epoch(leader_epoch_.value);
  response.set_heartbeat_interval_ms(settings_.heartbeat_interval.count());
  response.set_registration(entry.registration);
  response.set_epoch_without_log(!settings_.keeps_log);
  for (const v1::RunningAttempt& running : request.running()) {
    JobMaster* job = Find(running.job_id());
    if (job != nullptr) job->OnRunningAttempt(request.task_manager_id(), running);
  }
  AdvanceWaitingJobs();
  OnJobChanged();
  return response;
}

v1::HeartbeatResponse Dispatcher::Heartbeat(const v1::HeartbeatRequest& request) {
  v1::HeartbeatResponse response;
  TaskManagerEntry* entry = registry_.Find(request.task_manager_id());
  if (entry == nullptr || request.leader_epoch() != leader_epoch_.value) {
    response.set_unknown(true);
    return response;
  }
  entry->last_heard = HeartbeatTime();
  entry->last_heard_ms = clock_->NowMs();
  entry->free_memory_bytes = request.free_memory_bytes();
  entry->resident_memory_bytes = request.resident_memory_bytes();
  entry->memory.assign(request.memory().begin(), request.memory().end());
  if (request.leaving()) OnLeaving(*entry);
  for (const v1::SubtaskReport& report : request.tasks()) {
    JobMaster* job = Find(report.job_id());
    const Attempt attempt{report.status().attempt()};
    if (job == nullptr || !job->Wants(attempt)) {
      v1::ExecutionId* stale = response.add_stale();
      stale->set_job_id(report.job_id());
      stale->set_attempt(attempt.value);
    } else {
      job->OnCounters(request.task_manager_id(), report.status());
    }
  }
  return response;
}

Status Dispatcher::CheckSender(const std::string& task_manager_id, int64_t leader_epoch) {
  if (leader_epoch != leader_epoch_.value) {
    return InternalError("leader epoch {} is not current: it is {}", leader_epoch,
                         leader_epoch_.value);
  }
  if (registry_.Find(task_manager_id) == nullptr) {
    return InternalError("TaskManager {} is not registered", task_manager_id);
  }
  return Ok();
}

Status Dispatcher::ReportCheckpoint(const v1::ReportCheckpointRequest& request) {
  WS_RETURN_IF_ERROR(CheckSender(request.task_manager_id(), request.leader_epoch()));
  JobMaster* job = Find(request.job_id());
  if (job == nullptr) return InternalError("there is no job {}", request.job_id());
  return job->OnCheckpointReport(request);
}

Status Dispatcher::UpdateTasks(const v1::UpdateTasksRequest& request) {
  WS_RETURN_IF_ERROR(CheckSender(request.task_manager_id(), request.leader_epoch()));
  std::map<JobMaster*, std::vector<v1::SubtaskStatus>> reports;
  for (const v1::SubtaskReport& report : request.tasks()) {
    if (JobMaster* job = Find(report.job_id())) reports[job].push_back(report.status());
  }
  for (const auto& [job, of_job] : reports) job->OnTaskReports(request.task_manager_id(), of_job);
  OnJobChanged();
  return Ok();
}

bool Dispatcher::IsRegistered(const v1::AttachRequest& request) {
  const TaskManagerEntry* entry = registry_.Find(request.task_manager_id());
  return entry != nullptr && request.leader_epoch() == leader_epoch_.value &&
         entry->registration == request.registration();
}

void Dispatcher::OnDetached(const std::string& task_manager_id, int64_t registration) {
  const TaskManagerEntry* entry = registry_.Find(task_manager_id);
  if (entry == nullptr || entry->registration != registration || is_shutting_down_) return;
  if (!entry->leaving || TasksOn(task_manager_id) > 0) {
    return Lose(task_manager_id, "its connection broke");
  }
  LogInfo("TaskManager {} has left", task_manager_id);
  Remove(task_manager_id, "it has left");
}

void Dispatcher::Lose(const std::string& task_manager_id, const std::string& why) {
  LogWarn("TaskManager {} is lost: {}", task_manager_id, why);
  Remove(task_manager_id, why);
}

void Dispatcher::Remove(const std::string& task_manager_id, const std::string& why) {
  registry_.Remove(task_manager_id);
  const auto jobs = jobs_;  // a job that ends may leave the list meanwhile
  for (const auto& job : jobs) job->OnTaskManagerLost(task_manager_id, why);
  AdvanceWaitingJobs();  // that wait for others
  OnJobChanged();
}

std::chrono::nanoseconds Dispatcher::HeartbeatTime() const {
  if (IsPlanted(PlantedBug::kHeartbeatsByWallClock)) {
    return std::chrono::milliseconds(clock_->NowMs());
  }
  return clock_->Steady();
}

// While this process stood still (stopped, swapped out, its virtual machine paused), heartbeats
// were waiting at its door: that time is nobody's silence.
void Dispatcher::ForgiveOwnSilence(std::chrono::nanoseconds between_looks) {
  const std::chrono::nanoseconds now = clock_->Steady();
  const std::chrono::nanoseconds passed = now - std::exchange(looked_at_, now).value_or(now);
  if (passed <= 2 * between_looks) return;
  LogWarn("this process stood still for about {}: heartbeats are waited for as much longer",
          FormatDuration(std::chrono::floor<std::chrono::milliseconds>(passed - between_looks)));
  registry_.Forgive(passed - between_looks, HeartbeatTime());
}

void Dispatcher::OnLeaving(TaskManagerEntry& entry) {
  const std::string id = entry.info.task_manager_id();
  const bool is_news = !std::exchange(entry.leaving, true);
  if (is_news) LogInfo("TaskManager {} is leaving", id);
  const auto jobs = jobs_;
  for (const auto& job : jobs) job->OnTaskManagerLeaving(id);
  if (is_news) AdvanceWaitingJobs();  // that wait for others
  OnJobChanged();
}

void Dispatcher::LoseTheSilent() {
  const std::chrono::milliseconds between_looks = settings_.heartbeat_timeout / 10;
  ForgiveOwnSilence(between_looks);
  for (const std::string& id : registry_.Silent(HeartbeatTime(), settings_.heartbeat_timeout)) {
    Lose(id, fmt::format("no heartbeat for {}", FormatDuration(settings_.heartbeat_timeout)));
  }
  executor_->PostAfter(between_looks, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) LoseTheSilent();
  });
}

std::vector<FreeSlots> Dispatcher::free_slots() const {
  std::vector<FreeSlots> slots;
  for (const auto& [id, entry] : registry_.entries()) {
    const int32_t free = entry.leaving ? 0 : entry.info.slots() - SlotsInUse(id);
    slots.push_back({id, free, entry.info.slots(), entry.leaving});
  }
  return slots;
}

int32_t Dispatcher::TasksOn(const std::string& task_manager_id) const {
  int32_t tasks = 0;
  for (const auto& job : jobs_) tasks += job->TasksOn(task_manager_id);
  return tasks;
}

int32_t Dispatcher::SlotsInUse(const std::string& task_manager_id) const {
  int32_t used = 0;
  for (const auto& job : jobs_) used += job->SlotsHeldOn(task_manager_id);
  return used;
}

std::shared_ptr<TaskManagerGateway> Dispatcher::gateway(const std::string& id) const {
  const auto entry = registry_.entries().find(id);
  return entry == registry_.entries().end() ? nullptr : entry->second.gateway;
}

std::string Dispatcher::address(const std::string& id) const {
  const auto entry = registry_.entries().find(id);
  return entry == registry_.entries().end() ? "" : entry->second.info.address();
}

void Dispatcher::OnJobChanged() {
  if (std::exchange(change_posted_, true)) return;
  executor_->Post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    change_posted_ = false;
    UpdateMetrics();
    if (on_change_) on_change_();
  });
}

void Dispatcher::OnJobEnded(const JobId& id) {
  job_metrics_.erase(id);
  ended_.push_back(id);
  // Not from here: the job that has ended is still on the stack.
  executor_->Post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    DropOldestEnded();
    AdvanceWaitingJobs();
    OnJobChanged();
  });
}

void Dispatcher::DropOldestEnded() {
  while (static_cast<int64_t>(ended_.size()) > settings_.ended_jobs_kept) {
    std::erase_if(jobs_, [&](const auto& job) { return job->id() == ended_.front(); });
    ended_.pop_front();
  }
}

void Dispatcher::AdvanceWaitingJobs() {
  const auto jobs = jobs_;
  for (const auto& job : jobs) job->Advance();
}

void Dispatcher::UpdateMetrics() {
  int64_t total = 0;
  int64_t available = 0;
  for (const FreeSlots& slots : free_slots()) {
    if (slots.leaving) continue;
    total += slots.total;
    available += slots.free;
  }
  cluster_metrics_.task_managers.Set(static_cast<int64_t>(registry_.entries().size()));
  cluster_metrics_.slots_total.Set(total);
  cluster_metrics_.slots_available.Set(available);
  int64_t running = 0;
  for (const auto& job : jobs_) {
    const bool is_running = job->state() == v1::RUNNING;
    running += is_running;
    const auto metrics = job_metrics_.find(job->id());
    if (metrics != job_metrics_.end()) {
      metrics->second->SetRunningSince(is_running ? job->entered_ms(v1::RUNNING) : -1);
      metrics->second->Set(job->restarts(), job->checkpoints());
    }
  }
  cluster_metrics_.running_jobs.Set(running);
}

}  // namespace watershed
