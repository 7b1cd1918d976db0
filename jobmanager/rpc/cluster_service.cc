#include "jobmanager/rpc/cluster_service.h"

#include <algorithm>

#include "runtime/rpc/rpc_error.h"
#include "runtime/rpc/unary_handler.h"
#include "runtime/status/job_status.h"

namespace watershed {
namespace {

// The open end of Attach. What happens to it happens on the executor. It owns itself until the call
// is over, and what it posts owns it too: an executor that has stopped drops both.
class AttachReactor final : public grpc::ServerWriteReactor<v1::AttachEvent> {
 public:
  static AttachReactor* Start(Executor* executor, Dispatcher* dispatcher,
                              const v1::AttachRequest& request) {
    auto reactor = std::make_shared<AttachReactor>(executor, dispatcher, request);
    reactor->self_ = reactor;
    executor->Post([reactor] { reactor->Begin(); });
    return reactor.get();
  }
  AttachReactor(Executor* executor, Dispatcher* dispatcher, v1::AttachRequest request)
      : executor_(executor), dispatcher_(dispatcher), request_(std::move(request)) {}

  // The TaskManager's process or connection is gone, or this server shuts down.
  void OnCancel() override {
    executor_->Post([self = self_] {
      self->dispatcher_->OnDetached(self->request_.task_manager_id(),
                                    self->request_.registration());
      self->FinishOnce(grpc::Status::CANCELLED);
    });
  }
  void OnDone() override {
    executor_->Post([self = std::move(self_)] {});  // behind Begin and OnCancel
  }

 private:
  void Begin() {
    if (dispatcher_->IsRegistered(request_)) {
      StartWrite(&event_);
    } else {
      FinishOnce({grpc::StatusCode::FAILED_PRECONDITION, "this registration is not current"});
    }
  }

  void FinishOnce(const grpc::Status& status) {
    if (!finished_) Finish(status);
    finished_ = true;
  }

  Executor* const executor_;
  Dispatcher* const dispatcher_;
  const v1::AttachRequest request_;
  const v1::AttachEvent event_;
  bool finished_ = false;
  std::shared_ptr<AttachReactor> self_;
};

bool TellsOfAnEnd(const v1::UpdateTasksRequest& request) {
  return std::any_of(
      request.tasks().begin(), request.tasks().end(),
      [](const v1::SubtaskReport& report) { return IsEnded(report.status().state()); });
}

grpc::Status Stale(const Error& error) {
  return {grpc::StatusCode::FAILED_PRECONDITION, error.message};
}

}  // namespace

grpc::ServerUnaryReactor* ClusterServiceHandler::RegisterTaskManager(
    grpc::CallbackServerContext* context, const v1::RegisterTaskManagerRequest* request,
    v1::RegisterTaskManagerResponse* response) {
  return AnswerOn(executor_, context, [this, request, response] {
    Result<v1::RegisterTaskManagerResponse> registered = dispatcher_->Register(*request);
    if (!registered) return ToRpcStatus(registered.error());
    *response = std::move(*registered);
    return grpc::Status::OK;
  });
}

grpc::ServerWriteReactor<v1::AttachEvent>* ClusterServiceHandler::Attach(
    grpc::CallbackServerContext*, const v1::AttachRequest* request) {
  return AttachReactor::Start(executor_, dispatcher_, *request);
}

grpc::ServerUnaryReactor* ClusterServiceHandler::Heartbeat(grpc::CallbackServerContext* context,
                                                           const v1::HeartbeatRequest* request,
                                                           v1::HeartbeatResponse* response) {
  return AnswerOn(executor_, context, [this, request, response] {
    *response = dispatcher_->Heartbeat(*request);
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* ClusterServiceHandler::UpdateTasks(grpc::CallbackServerContext* context,
                                                             const v1::UpdateTasksRequest* request,
                                                             v1::UpdateTasksResponse*) {
  return AnswerLaterOn(executor_, context, [this, request](std::shared_ptr<UnaryAnswer> answer) {
    const Status status = dispatcher_->UpdateTasks(*request);
    if (!status) return answer->Finish(Stale(status.error()));
    if (!TellsOfAnEnd(*request)) return answer->Finish(grpc::Status::OK);
    // Until then the TaskManager tells again, perhaps another JobManager.
    dispatcher_->WhenStored([answer = std::move(answer)] { answer->Finish(grpc::Status::OK); });
  });
}

grpc::ServerUnaryReactor* ClusterServiceHandler::ReportCheckpoint(
    grpc::CallbackServerContext* context, const v1::ReportCheckpointRequest* request,
    v1::ReportCheckpointResponse*) {
  return AnswerOn(executor_, context, [this, request] {
    const Status status = dispatcher_->ReportCheckpoint(*request);
    return status ? grpc::Status::OK : Stale(status.error());
  });
}

}  // namespace watershed
