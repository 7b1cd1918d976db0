// How a JobMaster puts an attempt on the cluster, and takes it off again.
#include <algorithm>
#include <set>

#include "jobmanager/job/job_master.h"
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
  const Attempt next{attempt_.value + 1};
  v1::LogEntry entry;
  entry.mutable_attempt()->set_job_id(id_.hex);
  entry.mutable_attempt()->set_attempt(next.value);
  entry.mutable_attempt()->set_reason(CutTo(kStoredReasonBytesMax, last_restart_reason_));
  entry.mutable_attempt()->set_slots(SlotsNeeded(*plan_));
  if (checkpoints_ != nullptr) *entry.mutable_attempt()->mutable_counts() = checkpoints_->counts();
  Store(std::move(entry), [next, plan = plan_](JobMaster& job) {
    job.attempt_ = next;
    // The entry says in how many slots the attempt runs.
    job.attempt_progress_ = plan == job.plan_ ? StepProgress::kDone : StepProgress::kNotBegun;
  });
  return true;
}

bool JobMaster::HasSplits() const {
  return std::all_of(discoveries_.begin(), discoveries_.end(), [&](const auto& entry) {
    return entry.second.splits || (restore_ && restore_->assignment.splits.contains(entry.first));
  });
}

bool JobMaster::StartDiscovery() {
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
  request.set_attempt(attempt_.value);
  *request.mutable_plan() = *plan_;
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    v1::TaskPlacement* placement = request.add_placements();
    placement->set_vertex_id(subtask.vertex_id());
    placement->set_subtask(subtask.subtask());
    placement->set_task_manager_id(subtask.task_manager_id());
    placement->set_address(subtask.endpoint());
  }
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
  v1::DeployTasksRequest common = CommonDeployment();
  common.set_suspended(restore_ && IsOfTheStop(restore_->checkpoint.ref));
  std::map<std::string, v1::DeployTasksRequest> requests;
  attempt_progress_ = StepProgress::kNotBegun;  // the next one needs an entry of its own
  for (const v1::Vertex& vertex : plan_->vertices()) {
    const std::vector<std::vector<v1::Split>> splits = SplitsOf(vertex);
    for (int32_t i = 0; i < vertex.parallelism(); ++i) {
      v1::SubtaskStatus& subtask = *FindSubtask(vertex.id(), i);
      auto [request, is_new] = requests.try_emplace(subtask.task_manager_id(), common);
      v1::TaskDeployment* task = request->second.add_tasks();
      task->set_vertex_id(vertex.id());
      task->set_subtask(i);
      if (!splits.empty()) {
        for (const v1::Split& split : splits[static_cast<size_t>(i)]) *task->add_splits() = split;
      }
      if (restore_) {
        const auto restored = restore_->assignment.subtasks.find({vertex.id(), i});
        if (restored != restore_->assignment.subtasks.end()) {
          *task->mutable_restore() = restored->second;
        }
      }
      subtask.set_attempt(attempt_.value);
      subtask.set_start_time_ms(services_.clock->NowMs());
      SetState(subtask, v1::TASK_DEPLOYING);
    }
  }
  for (const auto& [task_manager, request] : requests) deployments_[task_manager];
  if (TakesCheckpoints()) StartCheckpoints();
  for (const auto& [task_manager, request] : requests) {
    const auto gateway = services_.cluster->gateway(task_manager);
    if (gateway == nullptr) continue;  // OnTaskManagerLost follows
    gateway->DeployTasks(request, Later<Status>([id = task_manager](JobMaster& job, Status status) {
                           job.OnDeployed(id, status);
                         }));
  }
  return true;
}

void JobMaster::OnDeployed(const std::string& task_manager_id, const Status& status) {
  Deployment& deployment = deployments_[task_manager_id];
  deployment.pending = false;
  if (!status) {
    Fail(fmt::format("deployment on TaskManager {} failed: {}", task_manager_id,
                     status.error().message),
         /*is_final=*/status.error().domain == ErrorDomain::kUser);
  }
  if (state() == v1::FAILING || state() == v1::CANCELLING) SendCancel(task_manager_id);
}

bool JobMaster::CancelTasks() {
  waiting_reason_.clear();
  move_.reset();
  if (checkpoints_ != nullptr) {
    const std::string reason = failure_.empty() ? "the job was cancelled" : failure_;
    operations_.FailOpen(reason, /*and_stops=*/false);
    checkpoints_->StopAttempt(reason);
  }
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (IsEnded(subtask.state())) continue;
    const bool runs = !deployments_.empty() && !subtask.task_manager_id().empty();
    const bool may_run = awaits_reports_ && subtask.task_manager_id().empty();
    SetState(subtask, runs || may_run ? v1::TASK_CANCELING : v1::TASK_CANCELED);
  }
  for (const auto& [task_manager, deployment] : deployments_) {
    if (!deployment.pending) SendCancel(task_manager);
  }
  return true;
}

void JobMaster::SendCancel(const std::string& task_manager_id) {
  const auto gateway = services_.cluster->gateway(task_manager_id);
  if (gateway == nullptr || TasksOn(task_manager_id) == 0) return;
  v1::CancelTasksRequest request;
  request.set_leader_epoch(services_.leader_epoch.value);
  request.set_job_id(id_.hex);
  request.set_attempt(attempt_.value);
  gateway->CancelTasks(
      request, Later<Result<v1::CancelTasksResponse>>(
                   [id = task_manager_id](JobMaster& job, Result<v1::CancelTasksResponse> answer) {
                     job.OnCancelled(id, std::move(answer));
                   }));
}

void JobMaster::OnCancelled(const std::string& task_manager_id,
                            Result<v1::CancelTasksResponse> response) {
  if (ended()) return;
  if (!response) {
    LogWarn("tasks on TaskManager {} could not be cancelled, trying again: {}", task_manager_id,
            response.error().message);
    auto retry =
        Later<int>([task_manager_id](JobMaster& job, int) { job.SendCancel(task_manager_id); });
    services_.executor->PostAfter(kCancelRetry, [retry] { retry(0); });
    return;
  }
  std::set<std::pair<std::string, int32_t>> live;
  for (const v1::TaskId& task : response->live()) live.emplace(task.vertex_id(), task.subtask());
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (subtask.task_manager_id() == task_manager_id && !IsEnded(subtask.state()) &&
        !live.contains({subtask.vertex_id(), subtask.subtask()})) {
      SetState(subtask, v1::TASK_CANCELED);
    }
  }
}

}  // namespace watershed
