#include "taskmanager/cluster/job_manager_connection.h"

#include <algorithm>
#include <utility>

#include "runtime/logging/log.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kRetry{200};

// Of a heartbeat. Bounds how many are under way; the JobManager's timeout is at least as long.
constexpr int kIntervalsToAnswer = 4;

}  // namespace

JobManagerConnection::JobManagerConnection(std::shared_ptr<JobManagerGateway> gateway,
                                           Executor* executor, JobManagerCallbacks callbacks,
                                           std::chrono::milliseconds silence_max)
    : executor_(executor),
      gateway_(std::move(gateway)),
      callbacks_(std::move(callbacks)),
      silence_max_(silence_max),
      checkpoint_reports_(std::make_shared<CheckpointReports>(gateway_, executor_)) {}

void JobManagerConnection::Start(v1::RegisterTaskManagerRequest self) {
  self_ = std::move(self);
  Register();
}

void JobManagerConnection::Register() {
  if (registered_ || registering_ || leaving_) return;
  registering_ = true;
  v1::RegisterTaskManagerRequest request = self_;
  callbacks_.fill_registration(request);
  gateway_->Register(request, [executor = executor_, weak = weak_from_this()](auto response) {
    executor->Post([weak, response = std::move(response)] {
      if (const auto self = weak.lock()) self->OnRegistered(response);
    });
  });
}

void JobManagerConnection::RegisterLater() {
  executor_->PostAfter(kRetry, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Register();
  });
}

// One that led before, and does not know yet that it leads no longer, has nothing to say any more.
Status JobManagerConnection::CheckLeads(
    const Result<v1::RegisterTaskManagerResponse>& response) const {
  if (!response) return tl::make_unexpected(response.error());
  const LeaderEpoch epoch{response->leader_epoch()};
  if (response->epoch_without_log() || epoch >= leader_epoch_) return Ok();
  return TransientError("the {} leads no longer: its leader epoch is {}, and {} has led since",
                        gateway_->peer(), epoch.value, leader_epoch_.value);
}

void JobManagerConnection::OnRegistered(const Result<v1::RegisterTaskManagerResponse>& response) {
  registering_ = false;
  if (const Status leads = CheckLeads(response); !leads) {
    if (leaving_) return;
    if (!std::exchange(was_refused_, true)) {
      LogWarn("cannot register yet, trying on: {}", leads.error().message);
    }
    gateway_->TryAnother();
    RegisterLater();
    return;
  }
  was_refused_ = false;
  registered_ = true;
  leader_epoch_ = LeaderEpoch{response->leader_epoch()};
  registration_ = response->registration();
  heartbeat_interval_ = std::chrono::milliseconds(response->heartbeat_interval_ms());
  unanswered_heartbeats_ = 0;
  LogInfo("registered at {}, leader epoch {}", gateway_->peer(), leader_epoch_.value);
  callbacks_.on_registered(leader_epoch_, response->epoch_without_log());
  Attach();
  SendHeartbeat();
  SendReports();
  checkpoint_reports_->OnRegistered(self_.task_manager_id(), leader_epoch_);
}

void JobManagerConnection::Attach() {
  v1::AttachRequest request;
  request.set_task_manager_id(self_.task_manager_id());
  request.set_leader_epoch(leader_epoch_.value);
  request.set_registration(registration_);
  gateway_->Attach(request,
                   [executor = executor_, weak = weak_from_this(), registration = registration_] {
                     executor->Post([weak, registration] {
                       if (const auto self = weak.lock()) self->OnDetached(registration);
                     });
                   });
}

void JobManagerConnection::OnDetached(int64_t registration) {
  if (!registered_ || registration != registration_) return;
  registered_ = false;
  checkpoint_reports_->OnDetached();
  executor_->CancelTimer(heartbeat_timer_);
  if (callbacks_.on_detached) callbacks_.on_detached();
  if (leaving_) return;
  LogWarn("the connection to the JobManager ended; registering again");
  Register();
}

void JobManagerConnection::LeaveTheSilent() {
  if (unanswered_heartbeats_ * heartbeat_interval_ < silence_max_) return;
  const std::string silent = gateway_->peer();
  if (!gateway_->TryAnother()) return;
  LogWarn("the {} has not answered {} heartbeats: looking for another one", silent,
          unanswered_heartbeats_);
  gateway_->Detach();  // OnDetached follows
}

void JobManagerConnection::ScheduleHeartbeat() {
  executor_->CancelTimer(heartbeat_timer_);
  heartbeat_timer_ = executor_->PostAfter(heartbeat_interval_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->SendHeartbeat();
  });
}

void JobManagerConnection::SendHeartbeat() { SendHeartbeat(nullptr); }

void JobManagerConnection::Announce() {
  announcement_under_way_ = registered_;
  SendHeartbeat([this](const auto&) { announcement_under_way_ = false; });
}

void JobManagerConnection::AskIfWanted(const JobId& job, Attempt attempt,
                                       std::function<void(Result<bool>)> answer) {
  if (!registered_) {
    return answer(TransientError("whether attempt {} of job {} still counts is not known: no {}",
                                 attempt.value, job.hex, gateway_->peer()));
  }
  const OnAnswer tell = [peer = gateway_->peer(), job, attempt,
                         answer = std::move(answer)](const auto& response) {
    if (!response || response->unknown()) {
      return answer(TransientError(
          "whether attempt {} of job {} still counts is not known: {}", attempt.value, job.hex,
          response ? peer + " does not know this TaskManager" : response.error().message));
    }
    answer(std::ranges::none_of(response->stale(), [&](const v1::ExecutionId& stale) {
      return stale.job_id() == job.hex && stale.attempt() == attempt.value;
    }));
  };
  SendHeartbeat(tell);
}

void JobManagerConnection::SendHeartbeat(const OnAnswer& also) {
  if (!registered_) return;
  ScheduleHeartbeat();
  LeaveTheSilent();
  ++unanswered_heartbeats_;
  v1::HeartbeatRequest request;
  request.set_task_manager_id(self_.task_manager_id());
  request.set_leader_epoch(leader_epoch_.value);
  callbacks_.fill_heartbeat(request);
  // The analyzer does not follow std::function's own deletion of what it holds.
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
  auto on_answer = [this, registration = registration_,
                    also](const Result<v1::HeartbeatResponse>& response) {
    if (also) also(response);
    if (!response || registration != registration_) return;  // Attach tells of broken connections
    unanswered_heartbeats_ = 0;
    for (const v1::ExecutionId& stale : response->stale()) {
      callbacks_.on_stale(JobId{stale.job_id()}, Attempt{stale.attempt()});
    }
    if (response->unknown()) gateway_->Detach();  // OnDetached follows
  };
  gateway_->Heartbeat(request, kIntervalsToAnswer * heartbeat_interval_,
                      [executor = executor_, weak = weak_from_this(), on_answer](auto response) {
                        executor->Post([weak, on_answer, response = std::move(response)] {
                          if (const auto self = weak.lock()) on_answer(response);
                        });
                      });
}

void JobManagerConnection::Report(v1::SubtaskReport report) {
  reports_.push_back(std::move(report));
  SendReports();
}

void JobManagerConnection::SendReports() {
  if (!registered_ || update_under_way_ || reports_.empty()) return;
  update_under_way_ = true;
  v1::UpdateTasksRequest request;
  request.set_task_manager_id(self_.task_manager_id());
  request.set_leader_epoch(leader_epoch_.value);
  for (const v1::SubtaskReport& report : reports_) *request.add_tasks() = report;
  auto on_answer = [this, sent = reports_.size()](const Result<v1::UpdateTasksResponse>& response) {
    update_under_way_ = false;
    if (response) {
      reports_.erase(reports_.begin(), reports_.begin() + static_cast<ptrdiff_t>(sent));
      SendReports();
      return;
    }
    // Not acknowledged: the same again, after the next registration if this one has ended.
    executor_->PostAfter(kRetry, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->SendReports();
    });
  };
  gateway_->UpdateTasks(request,
                        [executor = executor_, weak = weak_from_this(), on_answer](auto response) {
                          executor->Post([weak, on_answer, response = std::move(response)] {
                            if (const auto self = weak.lock()) on_answer(response);
                          });
                        });
}

}  // namespace watershed
