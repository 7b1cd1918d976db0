#include "jobmanager/job/job_master.h"

#include <algorithm>
#include <set>

#include "runtime/job/split_assignment.h"
#include "runtime/logging/log.h"
#include "runtime/status/job_status.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kCancelRetry{500};

// 0.5 s, 1 s, 2 s, … 10 s.
std::chrono::milliseconds DiscoveryBackoff(int failures) {
  return std::min(std::chrono::milliseconds(500) * (1 << std::min(failures - 1, 5)),
                  std::chrono::milliseconds(10'000));
}

const v1::PlanNode* SourceNode(const v1::Vertex& vertex) {
  for (const v1::PlanNode& node : vertex.nodes()) {
    if (node.has_table_source_scan()) return &node;
  }
  return nullptr;
}

const v1::Vertex* FindVertex(const v1::PhysicalPlan& plan, const std::string& vertex_id) {
  for (const v1::Vertex& vertex : plan.vertices()) {
    if (vertex.id() == vertex_id) return &vertex;
  }
  return nullptr;
}

// A task's life in order; an end is an end whichever it is.
int Rank(v1::TaskState state) { return IsEnded(state) ? 100 : static_cast<int>(state); }

}  // namespace

JobMaster::JobMaster(JobId id, v1::PhysicalPlan plan, v1::PhysicalPlan shown_plan,
                     const JobServices& services)
    : id_(std::move(id)),
      plan_(std::move(plan)),
      shown_plan_(std::move(shown_plan)),
      services_(services),
      state_(services.clock->NowMs()),
      start_time_ms_(services.clock->NowMs()),
      last_modification_ms_(start_time_ms_) {
  for (const v1::Vertex& vertex : plan_.vertices()) {
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
}

template <typename Argument>
std::function<void(Argument)> JobMaster::Later(std::function<void(JobMaster&, Argument)> handler) {
  return [executor = services_.executor, weak = weak_from_this(), placement = placement_,
          handler = std::move(handler)](Argument argument) {
    executor->Post([weak, placement, handler, argument = std::move(argument)]() mutable {
      const std::shared_ptr<JobMaster> job = weak.lock();
      if (job == nullptr || job->placement_ != placement) return;
      const ScopedLogFields fields({.job = job->id_.hex, .attempt = job->attempt_.value});
      handler(*job, std::move(argument));
      job->Advance();
    });
  };
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
  }
  advancing_ = false;
}

JobFacts JobMaster::Facts() const {
  JobFacts facts;
  facts.state = state();
  facts.failed = !failure_.empty();
  facts.cancel_requested = cancel_requested_;
  facts.has_slots = !slots_.empty();
  facts.has_splits = std::all_of(discoveries_.begin(), discoveries_.end(),
                                 [](const auto& entry) { return entry.second.splits.has_value(); });
  facts.discovery_under_way = discovery_started_;
  facts.deployed = !deployments_.empty();
  for (const auto& [id, deployment] : deployments_) facts.deployments_pending += deployment.pending;
  facts.tasks = static_cast<int32_t>(subtasks_.size());
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    facts.tasks_running += subtask.state() == v1::TASK_RUNNING;
    facts.tasks_finished += subtask.state() == v1::TASK_FINISHED;
    facts.tasks_ended += IsEnded(subtask.state());
  }
  return facts;
}

bool JobMaster::Perform(JobAction action) {
  switch (action) {
    case JobAction::kWait:
      return false;
    case JobAction::kRequestSlots:
      return RequestSlots();
    case JobAction::kDiscoverSplits:
      StartDiscovery();
      return true;
    case JobAction::kDeploy:
      return Deploy();
    case JobAction::kEnterRunning:
      waiting_reason_.clear();
      return Enter(v1::RUNNING);
    case JobAction::kEnterFailing:
    case JobAction::kEnterCancelling: {
      const bool failing = action == JobAction::kEnterFailing;
      waiting_reason_.clear();
      if (!Enter(failing ? v1::FAILING : v1::CANCELLING)) return false;
      CancelTasks();
      return true;
    }
    case JobAction::kEnterFailed:
      if (!Enter(v1::FAILED)) return false;
      End();
      return false;
    case JobAction::kEnterCanceled:
      if (!Enter(v1::CANCELED)) return false;
      End();
      return false;
    case JobAction::kEnterFinished:
      if (!Enter(v1::FINISHED)) return false;
      End();
      return false;
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
  LogInfo("job '{}' {} -> {}{}{}", name(), NameOf(previous), NameOf(next),
          reason.empty() ? "" : ": ", reason);
  return true;
}

void JobMaster::End() {
  end_time_ms_ = services_.clock->NowMs();
  if (const Status stored = services_.store->PutEnd(id_, state()); !stored) {
    LogError("the end of the job could not be stored: {}", stored.error().message);
  }
  slots_.clear();
  ++placement_;
  services_.cluster->OnJobEnded(id_);
}

bool JobMaster::RequestSlots() {
  const int32_t needed = SlotsNeeded(plan_);
  const std::vector<FreeSlots> cluster = services_.cluster->free_slots();
  std::optional<std::vector<std::string>> assigned = AssignSlots(needed, cluster);
  if (!assigned) {
    const std::string reason = MissingSlotsReason(needed, cluster);
    if (reason != waiting_reason_) {
      waiting_reason_ = reason;
      Touch();
      LogInfo("{}", reason);
    }
    return false;
  }
  if (const Status stored = services_.store->PutAttempt(id_, attempt_); !stored) {
    Fail(stored.error().message);
    return true;
  }
  slots_ = std::move(*assigned);
  ++placement_;
  waiting_reason_.clear();
  Touch();
  for (v1::SubtaskStatus& subtask : subtasks_) {
    const std::string& task_manager = slots_[static_cast<size_t>(subtask.subtask())];
    subtask.set_task_manager_id(task_manager);
    subtask.set_endpoint(services_.cluster->address(task_manager));
    subtask.set_attempt(attempt_.value);
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

void JobMaster::StartDiscovery() {
  discovery_started_ = true;
  waiting_reason_ = "asking the sources for their splits";
  for (const auto& [vertex_id, discovery] : discoveries_) {
    if (!discovery.splits) DiscoverSource(vertex_id);
  }
}

void JobMaster::DiscoverSource(const std::string& vertex_id) {
  const auto gateway = services_.cluster->gateway(slots_.front());
  if (gateway == nullptr) return;  // OnTaskManagerLost follows
  const v1::Vertex& vertex = *FindVertex(plan_, vertex_id);
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
  if (response) {
    discovery.splits.emplace(response->splits().begin(), response->splits().end());
    return;
  }
  if (state() != v1::CREATED) return;
  const std::string where =
      fmt::format("source '{}'", SourceNode(*FindVertex(plan_, vertex_id))->id());
  const std::string& message = response.error().message;
  const std::string text =
      message.starts_with(where) ? message : fmt::format("{}: {}", where, message);
  if (!response.error().retryable) {
    Fail(text);
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

v1::DeployTasksRequest JobMaster::CommonDeployment() const {
  v1::DeployTasksRequest request;
  request.set_leader_epoch(services_.leader_epoch.value);
  request.set_job_id(id_.hex);
  request.set_attempt(attempt_.value);
  *request.mutable_plan() = plan_;
  for (const v1::SubtaskStatus& subtask : subtasks_) {
    v1::TaskPlacement* placement = request.add_placements();
    placement->set_vertex_id(subtask.vertex_id());
    placement->set_subtask(subtask.subtask());
    placement->set_task_manager_id(subtask.task_manager_id());
    placement->set_address(subtask.endpoint());
  }
  return request;
}

bool JobMaster::Deploy() {
  waiting_reason_ = "starting the tasks";
  const v1::DeployTasksRequest common = CommonDeployment();
  std::map<std::string, v1::DeployTasksRequest> requests;
  for (const v1::Vertex& vertex : plan_.vertices()) {
    std::vector<std::vector<v1::Split>> splits;
    if (const auto source = discoveries_.find(vertex.id()); source != discoveries_.end()) {
      splits = AssignSplits(*source->second.splits, vertex.parallelism());
    }
    for (int32_t i = 0; i < vertex.parallelism(); ++i) {
      v1::SubtaskStatus& subtask = *FindSubtask(vertex.id(), i);
      auto [request, is_new] = requests.try_emplace(subtask.task_manager_id(), common);
      v1::TaskDeployment* task = request->second.add_tasks();
      task->set_vertex_id(vertex.id());
      task->set_subtask(i);
      if (!splits.empty()) {
        for (const v1::Split& split : splits[static_cast<size_t>(i)]) *task->add_splits() = split;
      }
      subtask.set_start_time_ms(services_.clock->NowMs());
      SetState(subtask, v1::TASK_DEPLOYING);
    }
  }
  for (const auto& [task_manager, request] : requests) deployments_[task_manager];
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
                     status.error().message));
  }
  if (state() == v1::FAILING || state() == v1::CANCELLING) SendCancel(task_manager_id);
}

void JobMaster::RequestCancel() {
  if (cancel_requested_ || ended()) return;
  cancel_requested_ = true;
  Touch();
  Advance();
}

void JobMaster::CancelTasks() {
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (IsEnded(subtask.state())) continue;
    SetState(subtask, deployments_.empty() ? v1::TASK_CANCELED : v1::TASK_CANCELING);
  }
  for (const auto& [task_manager, deployment] : deployments_) {
    if (!deployment.pending) SendCancel(task_manager);
  }
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

void JobMaster::OnTaskReport(const std::string& task_manager_id, const v1::SubtaskStatus& report) {
  v1::SubtaskStatus* subtask = FindSubtask(report.vertex_id(), report.subtask());
  if (subtask == nullptr || report.attempt() != attempt_.value ||
      subtask->task_manager_id() != task_manager_id || IsEnded(subtask->state()) || ended()) {
    return;
  }
  if (Rank(report.state()) < Rank(subtask->state())) return;
  if (report.has_counters()) *subtask->mutable_counters() = report.counters();
  if (report.message() != subtask->message()) {
    subtask->set_message(report.message());
    Touch();
  }
  if (report.state() == subtask->state()) return;
  SetState(*subtask, report.state());
  if (report.state() == v1::TASK_FAILED) {
    Fail(fmt::format("{} on TaskManager {}: {}", TaskName(*subtask), task_manager_id,
                     report.message()));
  } else if (report.state() == v1::TASK_CANCELED &&
             (state() == v1::CREATED || state() == v1::RUNNING)) {
    Fail(fmt::format("{} on TaskManager {} was cancelled, though the job was not",
                     TaskName(*subtask), task_manager_id));
  }
  Advance();
}

void JobMaster::OnCounters(const std::string& task_manager_id, const v1::SubtaskStatus& report) {
  v1::SubtaskStatus* subtask = FindSubtask(report.vertex_id(), report.subtask());
  if (subtask == nullptr || report.attempt() != attempt_.value ||
      subtask->task_manager_id() != task_manager_id || IsEnded(subtask->state()) ||
      !report.has_counters()) {
    return;
  }
  *subtask->mutable_counters() = report.counters();
}

void JobMaster::OnTaskManagerLost(const std::string& task_manager_id, const std::string& why) {
  if (ended() || std::find(slots_.begin(), slots_.end(), task_manager_id) == slots_.end()) return;
  if (deployments_.empty()) {
    ReleaseSlots();
    Advance();
    return;
  }
  deployments_[task_manager_id].pending = false;
  const std::string message = fmt::format("TaskManager {} was lost: {}", task_manager_id, why);
  bool lost_any = false;
  for (v1::SubtaskStatus& subtask : subtasks_) {
    if (subtask.task_manager_id() != task_manager_id || IsEnded(subtask.state())) continue;
    lost_any = true;
    subtask.set_message(message);
    SetState(subtask, v1::TASK_FAILED);
  }
  if (lost_any) Fail(message);
  Advance();
}

v1::SubtaskStatus* JobMaster::FindSubtask(const std::string& vertex_id, int32_t subtask) {
  const auto first = first_subtask_.find(vertex_id);
  const v1::Vertex* vertex = FindVertex(plan_, vertex_id);
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

void JobMaster::Fail(std::string message) {
  Touch();
  if (failure_.empty()) {
    failure_ = message.empty() ? "failed without a reason" : std::move(message);
  } else if (message.find("was lost") != std::string::npos &&
             failure_.find(message) == std::string::npos) {
    // The peers of a TaskManager that dies often tell first, by their broken connections.
    failure_ += "; " + message;
  }
}

}  // namespace watershed
