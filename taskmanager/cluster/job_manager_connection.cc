#include "taskmanager/cluster/job_manager_connection.h"

#include <grpcpp/support/client_callback.h>

#include <utility>

#include "runtime/logging/log.h"
#include "runtime/rpc/connection.h"
#include "runtime/rpc/unary_call.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kRetry{200};
constexpr std::chrono::milliseconds kRegisterDeadline{5000};
constexpr std::chrono::milliseconds kCallDeadline{10'000};

}  // namespace

// Reads until the JobManager, its process or the connection ends. Deletes itself.
class JobManagerConnection::AttachReader final : public grpc::ClientReadReactor<v1::AttachEvent> {
 public:
  static void Start(const std::shared_ptr<JobManagerConnection>& connection,
                    const v1::AttachRequest& request) {
    connection->attach_context_ = std::make_shared<grpc::ClientContext>();
    if (!connection->pending_->Add(connection->attach_context_.get())) return;
    auto* reader = new AttachReader(connection, request);
    connection->stub_->async()->Attach(reader->context_.get(), &reader->request_, reader);
    reader->StartRead(&reader->event_);
    reader->StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) StartRead(&event_);
  }
  void OnDone(const grpc::Status&) override {
    if (const auto connection = connection_.lock()) {
      connection->executor_->Post([weak = connection_, registration = request_.registration()] {
        if (const auto self = weak.lock()) self->OnDetached(registration);
      });
    }
    const std::shared_ptr<PendingCalls> pending = pending_;
    pending->Forget(context_.get());
    delete this;
    pending->Done();
  }

 private:
  AttachReader(const std::shared_ptr<JobManagerConnection>& connection,
               const v1::AttachRequest& request)
      : connection_(connection),
        pending_(connection->pending_),
        context_(connection->attach_context_),
        request_(request) {}

  const std::weak_ptr<JobManagerConnection> connection_;
  const std::shared_ptr<PendingCalls> pending_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const v1::AttachRequest request_;
  v1::AttachEvent event_;
};

JobManagerConnection::JobManagerConnection(const std::string& address, Executor* executor,
                                           std::shared_ptr<PendingCalls> pending,
                                           JobManagerCallbacks callbacks)
    : peer_("JobManager at " + address),
      executor_(executor),
      pending_(std::move(pending)),
      callbacks_(std::move(callbacks)),
      stub_(v1::ClusterService::NewStub(MakeChannel(address))),
      checkpoint_reports_(
          std::make_shared<CheckpointReports>(peer_, stub_.get(), executor_, pending_)) {}

void JobManagerConnection::Start(v1::RegisterTaskManagerRequest self) {
  self_ = std::move(self);
  Register();
}

void JobManagerConnection::Register() {
  if (registered_ || registering_ || leaving_) return;
  registering_ = true;
  v1::RegisterTaskManagerRequest request = self_;
  callbacks_.fill_registration(request);
  CallUnary<v1::RegisterTaskManagerResponse>(
      pending_, {.peer = peer_, .deadline = kRegisterDeadline, .wait_for_ready = true},
      std::move(request),
      [this](auto&&... arguments) { stub_->async()->RegisterTaskManager(arguments...); },
      [executor = executor_, weak = weak_from_this()](auto response) {
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

void JobManagerConnection::OnRegistered(const Result<v1::RegisterTaskManagerResponse>& response) {
  registering_ = false;
  if (!response) {
    if (leaving_) return;
    if (!std::exchange(was_refused_, true)) {
      LogWarn("cannot register yet, trying on: {}", response.error().message);
    }
    RegisterLater();
    return;
  }
  was_refused_ = false;
  registered_ = true;
  leader_epoch_ = LeaderEpoch{response->leader_epoch()};
  registration_ = response->registration();
  heartbeat_interval_ = std::chrono::milliseconds(response->heartbeat_interval_ms());
  LogInfo("registered at {}, leader epoch {}", peer_, leader_epoch_.value);
  callbacks_.on_registered(leader_epoch_);
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
  AttachReader::Start(shared_from_this(), request);
}

void JobManagerConnection::OnDetached(int64_t registration) {
  if (!registered_ || registration != registration_) return;
  registered_ = false;
  checkpoint_reports_->OnDetached();
  executor_->CancelTimer(heartbeat_timer_);
  if (leaving_) return;
  LogWarn("the connection to the {} ended; registering again", peer_);
  Register();
}

void JobManagerConnection::ScheduleHeartbeat() {
  executor_->CancelTimer(heartbeat_timer_);
  heartbeat_timer_ = executor_->PostAfter(heartbeat_interval_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->SendHeartbeat();
  });
}

void JobManagerConnection::SendHeartbeat() {
  if (!registered_) return;
  ScheduleHeartbeat();
  if (heartbeat_under_way_) return;
  heartbeat_under_way_ = true;
  v1::HeartbeatRequest request;
  request.set_task_manager_id(self_.task_manager_id());
  request.set_leader_epoch(leader_epoch_.value);
  callbacks_.fill_heartbeat(request);
  auto on_answer = [this, registration = registration_](const auto& response) {
    heartbeat_under_way_ = false;
    if (!response || registration != registration_) return;  // Attach tells of broken connections
    for (const v1::ExecutionId& stale : response->stale()) {
      callbacks_.on_stale(JobId{stale.job_id()}, Attempt{stale.attempt()});
    }
    if (response->unknown()) attach_context_->TryCancel();  // OnDetached follows
  };
  CallUnary<v1::HeartbeatResponse>(
      pending_, {.peer = peer_, .deadline = kCallDeadline}, std::move(request),
      [this](auto&&... arguments) { stub_->async()->Heartbeat(arguments...); },
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
  CallUnary<v1::UpdateTasksResponse>(
      pending_, {.peer = peer_, .deadline = kCallDeadline}, std::move(request),
      [this](auto&&... arguments) { stub_->async()->UpdateTasks(arguments...); },
      [executor = executor_, weak = weak_from_this(), on_answer](auto response) {
        executor->Post([weak, on_answer, response = std::move(response)] {
          if (const auto self = weak.lock()) on_answer(response);
        });
      });
}

}  // namespace watershed
