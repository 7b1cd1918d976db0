// How a JobMaster puts an attempt on the cluster, and takes it off again.
#include <algorithm>
#include <set>

#include "jobmanager/job/job_master.h"
#include "jobmanager/store/stored_state.h"
#include "runtime/config/units.h"
#include "runtime/job/plan_lookup.h"
#include "runtime/job/split_assignment.h"
#include "runtime/status/job_status.h"
#include "runtime/types/kill_point.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kCancelRetry{500};

constexpr size_t kStoredReasonBytesMax = 300;

// Not within a character of UTF-8.
std::string CutTo(size_t bytes_max, const std::string& text) {
  size_t size = std::min(bytes_max, text.size());
  while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

// 0.5 s, 1 s, 2 s, … 10 s.
std::chrono::milliseconds DiscoveryBackoff(int failures) {
  return std::min(std::chrono::milliseconds(500) * (1 << std::min(failures - 1, 5)),
                  std::chrono::milliseconds(10'000));
}

}  // namespace

bool JobMaster::RequestSlots() {
  if (region_restart_) return RequestRegionSlots();
  const std::vector<FreeSlots> cluster = services_.cluster->free_slots();
  const int32_t slots = SlotsToTake(cluster);
  std::optional<std::vector<std::string>> assigned;
  if (slots > 0) assigned = AssignSlots(slots, cluster);
  if (!assigned) {
    std::string reason = MissingSlotsReason(SlotsNeeded(*wanted_plan_), cluster);
    if (adaptive_.enabled && some_since_) {
      reason += fmt::format("; it starts with fewer within {} of the first",
                            FormatDuration(adaptive_.stabilization));
    }
    if (reason != waiting_reason_) {
      waiting_reason_ = reason;
      Touch();
      LogInfo("{}", reason);
    }
    return false;
  }
  RunIn(slots);
  slots_ = std::move(*assigned);
  ++placement_;
  waiting_reason_.clear();
  Touch();
  for (v1::SubtaskStatus& subtask : subtasks_) {
    const std::string& task_manager = slots_[static_cast<size_t>(subtask.subtask())];
    subtask.set_task_manager_id(task_manager);
    subtask.set_endpoint(services_.cluster->address(task_manager));
    subtask.set_state(v1::TASK_SCHEDULED);
  }
  return true;
}

void JobMaster::ReleaseSlots() {
  slots_.clear();
  ++placement_;
  discovery_started_ = false;
  for (v1::SubtaskStatus& subtask : subtasks_) {
    subtask.clear_task_manager_id();
    subtask.clear_endpoint();
    subtask.set_state(v1::TASK_CREATED);
  }
  Touch();
}

bool JobMaster::StoreAttempt() {
  attempt_progress_ = StepProgress::kUnderWay;
  v1::AttemptEntry attempt;
  attempt.set_job_id(id_.hex);
  attempt.set_reason(CutTo(kStoredReasonBytesMax, last_restart_reason_));
  attempt.set_slots(SlotsNeeded(*plan_));
  attempt.set_regions(regions_.count());
  if (region_restart_) {
    for (const int32_t region : region_restart_->regions) attempt.add_restarted(region);
  }
  attempt.set_attempt(attempt_.value + NumbersTaken(attempt));
  if (checkpoints_ != nullptr) *attempt.mutable_counts() = checkpoints_->counts();
  v1::LogEntry entry;
  *entry.mutable_attempt() = attempt;
  const uint64_t number = region_restart_ ? region_restart_->number : 0;
  Store(std::move(entry), [attempt, number, plan = plan_](JobMaster& job) {
    job.OnAttemptStored(attempt, plan.get(), number);
  });
  return true;
}

// The entry says in how many slots the attempt runs and which regions begin anew: for any other
// start it has taken numbers in vain.
void JobMaster::OnAttemptStored(const v1::AttemptEntry& entry, const v1::PhysicalPlan* plan,
                                uint64_t region_restart) {
  const int32_t taken = NumbersTaken(entry);
  const int32_t first = entry.attempt() - taken + 1;
  attempt_ = Attempt{entry.attempt()};
  attempts_beside_ += taken - 1;
  if (entry.restarted().empty()) {
    region_attempts_.clear();
    for (int32_t i = 0; i < taken; ++i) region_attempts_.emplace_back(first + i);
  }
  for (int i = 0; i < entry.restarted_size(); ++i) {
    region_attempts_[static_cast<size_t>(entry.restarted(i))] = Attempt{first + i};
  }
  const uint64_t number = region_restart_ ? region_restart_->number : 0;
  const bool is_wanted =
      plan == plan_.get() && entry.regions() == regions_.count() && region_restart == number;
  attempt_progress_ = is_wanted ? StepProgress::kDone : StepProgress::kNotBegun;
  if (!is_wanted || !region_restart_ || checkpoints_ == nullptr) return;
  checkpoints_->OnRegionsBegin(attempt_, OldestAttempt(), SubtasksOf(region_restart_->regions));
}

bool JobMaster::HasSplits() const {
  return std::all_of(discoveries_.begin(), discoveries_.end(), [&](const auto& entry) {
    return entry.second.splits || (restore_ && restore_->assignment.splits.contains(entry.first));
  });
}

bool JobMaster::StartDiscovery() {
  if (region_restart_) {
    Fail("the splits of its sources are not known any more");
    return true;
  }
  discovery_started_ = true;
  waiting_reason_ = "asking the sources for their splits";
  for (const auto& [vertex_id, discovery] : discoveries_) {
    const bool is_restored = restore_ && restore_->assignment.splits.contains(vertex_id);
    if (!discovery.splits && !discovery.being_stored && !is_restored) DiscoverSource(vertex_id);
  }
  return true;
}

void JobMaster::DiscoverSource(const std::string& vertex_id) {
  const auto gateway = services_.cluster->gateway(slots_.front());
  if (gateway == nullptr) return;  // OnTaskManagerLost follows
  // What is found is kept for all attempts: for as many subtasks as there may ever be.
  const v1::Vertex& vertex = *FindVertex(*wanted_plan_, vertex_id);
  const v1::PlanNode* node = SourceNode(vertex);
  v1::DiscoverSplitsRequest request;
  request.set_leader_epoch(services_.leader_epoch.value);
  request.set_job_id(id_.hex);
  request.set_node_id(node->id());
  *request.mutable_source() = node->table_source_scan();
  request.set_parallelism(vertex.parallelism());
  request.set_job_name(name());
  gateway->DiscoverSplits(
      request, Later<Result<v1::DiscoverSplitsResponse>>(
                   [vertex_id](JobMaster& job, Result<v1::DiscoverSplitsResponse> response) {
                     job.OnDiscovered(vertex_id, std::move(response));
                   }));
}

void JobMaster::OnDiscovered(const std::string& vertex_id,
                             Result<v1::DiscoverSplitsResponse> response) {
  Discovery& discovery = discoveries_[vertex_id];
  if (response) return StoreSplits(vertex_id, *response);
  if (state() != v1::CREATED) return;
  const std::string where =
      fmt::format("source '{}'", SourceNode(*FindVertex(*plan_, vertex_id))->id());
  const std::string& message = response.error().message;
  const std::string text =
      message.starts_with(where) ? message : fmt::format("{}: {}", where, message);
  if (!response.error().retryable) {
    Fail(text, /*is_final=*/true);
    return;
  }
  const auto backoff = DiscoveryBackoff(++discovery.failures);
  waiting_reason_ = fmt::format("{}; trying again every {:.1f} s", text,
                                static_cast<double>(backoff.count()) / 1e3);
  Touch();
  if (discovery.failures == 1) LogWarn("{}", waiting_reason_);
  auto retry = Later<int>([vertex_id](JobMaster& job, int) {
    if (job.state() == v1::CREATED) job.DiscoverSource(vertex_id);
  });
  services_.executor->PostAfter(backoff, [retry] { retry(0); });
}

void JobMaster::StoreSplits(const std::string& vertex_id,
                            const v1::DiscoverSplitsResponse& discovered) {
  discoveries_[vertex_id].being_stored = true;
  v1::LogEntry entry;
  v1::SplitsEntry* splits = entry.mutable_splits();
  splits->set_job_id(id_.hex);
  splits->set_vertex_id(vertex_id);
  *splits->mutable_splits() = discovered.splits();
  Store(std::move(entry), [vertex_id, splits = discovered.splits()](JobMaster& job) {
    Discovery& discovery = job.discoveries_[vertex_id];
    discovery.being_stored = false;
    discovery.splits.emplace(splits.begin(), splits.end());
  });
}

v1::DeployTasksRequest JobMaster::CommonDeployment() const {
  v1::DeployTasksRequest request;
  request.set_leader_epoch(services_.leader_epoch.value);
  request.set_job_id(id_.hex);
  request.set_oldest_attempt(OldestAttempt().value);
  *request.mutable_plan() = *plan_;
  request.set_suspended(restore_ && IsOfTheStop(restore_->checkpoint.ref));
  if (TakesCheckpoints()) {
    const std::string& directory = checkpoints_->manifests()->directory();
    v1::CheckpointTarget* target = request.mutable_checkpoints();
    target->set_directory(directory);
    target->set_lineage(lineage());
    if (restore_ && restore_->checkpoint.directory != directory) {
      target->set_restore_directory(restore_->checkpoint.directory);
    }
  }
  return request;
}

v1::DeployTasksRequest JobMaster::DeploymentOf(int32_t region,
                                               const v1::DeployTasksRequest& common) const {
  v1::DeployTasksRequest request = common;
  request.set_attempt(AttemptOf(region).value);
  const bool needs_no_peers = regions_.IsAlone(region);
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    if (needs_no_peers && RegionOf(subtask) != region) continue;
    v1::TaskPlacement* placement = request.add_placements();
    placement->set_vertex_id(subtask.vertex_id());
    placement->set_subtask(subtask.subtask());
    placement->set_task_manager_id(subtask.task_manager_id());
    placement->set_address(subtask.endpoint());
  }
  return request;
}

std::vector<std::vector<v1::Split>> JobMaster::SplitsOf(const v1::Vertex& vertex) const {
  if (restore_) {
    const auto restored = restore_->assignment.splits.find(vertex.id());
    if (restored != restore_->assignment.splits.end()) return restored->second;
  }
  const auto source = discoveries_.find(vertex.id());
  if (source == discoveries_.end() || !source->second.splits) return {};
  return AssignSplits(*source->second.splits, vertex.parallelism());
}

bool JobMaster::Deploy() {
  Pass(KillPoint::kAttemptDeploys);
  if (restore_ && !TakesCheckpoints()) {
    Fail(
        "it begins with a checkpoint and its sources have no end, so it must go on taking them: "
        "give it 'checkpointing: { interval: … }'",
        /*is_final=*/true);
    return true;
  }
  waiting_reason_ = "starting the tasks";
  const v1::DeployTasksRequest common = CommonDeployment();
  std::map<DeploymentKey, v1::DeployTasksRequest> requests;
  attempt_progress_ = StepProgress::kNotBegun;  // the next one needs an entry of its own
  for (const v1::Vertex& vertex : plan_->vertices()) {
    const std::vector<std::vector<v1::Split>> splits = SplitsOf(vertex);
    for (int32_t i = 0; i < vertex.parallelism(); ++i) {
      v1::SubtaskStatus& subtask = *FindSubtask(vertex.id(), i);
      if (!IsConcerned(subtask)) continue;
      const int32_t region = RegionOf(subtask);
      const DeploymentKey key(subtask.task_manager_id(), AttemptOf(region));
      auto request = requests.find(key);
      if (request == requests.end()) {
        request = requests.emplace(key, DeploymentOf(region, common)).first;
      }
      AddTask(subtask, splits, request->second);
    }
  }
  for (const auto& [key, request] : requests) deployments_[key];
  if (region_restart_) {
    region_restart_->deployed = true;
  } else if (TakesCheckpoints()) {
    StartCheckpoints();
  }
  for (const auto& [key, request] : requests) {
    const auto gateway = services_.cluster->gateway(key.first);
    if (gateway == nullptr) continue;  // OnTaskManagerLost follows
    gateway->DeployTasks(request, Later<Status>([key = key](JobMaster& job, Status status) {
                           job.OnDeployed(key, status);
                         }));
  }
  return true;
}

void JobMaster::AddTask(v1::SubtaskStatus& subtask,
                        const std::vector<std::vector<v1::Split>>& splits,
                        v1::DeployTasksRequest& request) {
  v1::TaskDeployment* task = request.add_tasks();
  task->set_vertex_id(subtask.vertex_id());
  task->set_subtask(subtask.subtask());
  if (!splits.empty()) {
    const auto& own = splits[static_cast<size_t>(subtask.subtask())];
    *task->mutable_splits() = {own.begin(), own.end()};
  }
  if (restore_) {
    const auto restored =
        restore_->assignment.subtasks.find({subtask.vertex_id(), subtask.subtask()});
    if (restored != restore_->assignment.subtasks.end()) {
      *task->mutable_restore() = restored->second;
    }
  }
  subtask.set_attempt(request.attempt());
  subtask.set_start_time_ms(services_.clock->NowMs());
  SetState(subtask, v1::TASK_DEPLOYING);
}

void JobMaster::OnDeployed(const DeploymentKey& key, const Status& status) {
  const auto deployment = deployments_.find(key);
  if (deployment == deployments_.end()) return;  // of a region that has started anew since
  deployment->second.pending = false;
  const auto region = std::ranges::find(region_attempts_, key.second);
  if (!status && region != region_attempts_.end()) {
    FailRegions(
        {static_cast<int32_t>(region - region_attempts_.begin())},
        fmt::format("deployment on TaskManager {} failed: {}", key.first, status.error().message),
        /*is_final=*/status.error().domain == ErrorDomain::kUser);
  }
  SendCancel(key);  // if it has been asked for meanwhile
}

bool JobMaster::CancelTasks() {
  waiting_reason_.clear();
  move_.reset();
  GiveUpRegions();
  if (checkpoints_ != nullptr) {
    const std::string reason = failure_.empty() ? "the job was cancelled" : failure_;
    operations_.FailOpen(reason, /*and_stops=*/false);
    checkpoints_->StopAttempt(reason);
  }
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (IsEnded(subtask.state())) continue;
    const bool runs = IsDeployed(subtask);
    const bool may_run = awaits_reports_ && subtask.task_manager_id().empty();
    SetState(subtask, runs || may_run ? v1::TASK_CANCELING : v1::TASK_CANCELED);
  }
  CancelDeployed();
  return true;
}

void JobMaster::CancelDeployed() {
  for (const auto& [key, deployment] : deployments_) {
    if (!deployment.pending) SendCancel(key);
  }
}

void JobMaster::SendCancel(const DeploymentKey& key) {
  const auto gateway = services_.cluster->gateway(key.first);
  const bool is_wanted = std::ranges::any_of(subtasks_, [&](const v1::SubtaskStatus& subtask) {
    return subtask.state() == v1::TASK_CANCELING && IsAt(key, subtask);
  });
  if (gateway == nullptr || !is_wanted) return;
  v1::CancelTasksRequest request;
  request.set_leader_epoch(services_.leader_epoch.value);
  request.set_job_id(id_.hex);
  request.set_attempt(key.second.value);
  request.set_oldest_attempt(std::min(key.second, OldestAttempt()).value);
  gateway->CancelTasks(request, Later<Result<v1::CancelTasksResponse>>(
                                    [key](JobMaster& job, Result<v1::CancelTasksResponse> answer) {
                                      job.OnCancelled(key, std::move(answer));
                                    }));
}

void JobMaster::OnCancelled(const DeploymentKey& key, Result<v1::CancelTasksResponse> response) {
  if (ended()) return;
  if (!response) {
    LogWarn("tasks on TaskManager {} could not be cancelled, trying again: {}", key.first,
            response.error().message);
    auto retry = Later<int>([key](JobMaster& job, int) { job.SendCancel(key); });
    services_.executor->PostAfter(kCancelRetry, [retry] { retry(0); });
    return;
  }
  std::set<std::pair<std::string, int32_t>> live;
  for (const v1::TaskId& task : response->live()) live.emplace(task.vertex_id(), task.subtask());
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (IsAt(key, subtask) && !IsEnded(subtask.state()) &&
        !live.contains({subtask.vertex_id(), subtask.subtask()})) {
      SetState(subtask, v1::TASK_CANCELED);
    }
  }
}

}  // namespace watershed
