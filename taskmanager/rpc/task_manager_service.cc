#include "taskmanager/rpc/task_manager_service.h"

#include <utility>

#include "runtime/rpc/rpc_error.h"
#include "runtime/rpc/unary_handler.h"

namespace watershed {
namespace {

// What this TaskManager refuses by itself is stale, or a bug of ours.
grpc::Status Answer(const Status& status) {
  if (status || status.error().domain != ErrorDomain::kInternal) return ToRpcStatus(status);
  return {grpc::StatusCode::FAILED_PRECONDITION, status.error().message, "application"};
}

}  // namespace

grpc::ServerUnaryReactor* TaskManagerServiceHandler::DiscoverSplits(
    grpc::CallbackServerContext* context, const v1::DiscoverSplitsRequest* request,
    v1::DiscoverSplitsResponse* response) {
  return AnswerLaterOn(
      executor_, context, [this, request, response](std::shared_ptr<UnaryAnswer> answer) {
        control_->DiscoverSplits(
            *request, *response,
            [answer = std::move(answer)](const Status& done) { answer->Finish(Answer(done)); });
      });
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::DeployTasks(
    grpc::CallbackServerContext* context, const v1::DeployTasksRequest* request,
    v1::DeployTasksResponse*) {
  return AnswerLaterOn(executor_, context, [this, request](std::shared_ptr<UnaryAnswer> answer) {
    control_->DeployTasks(*request, [answer = std::move(answer)](const Status& done) {
      answer->Finish(Answer(done));
    });
  });
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::TriggerCheckpoint(
    grpc::CallbackServerContext* context, const v1::TriggerCheckpointRequest* request,
    v1::TriggerCheckpointResponse*) {
  return AnswerOn(executor_, context,
                  [this, request] { return Answer(control_->TriggerCheckpoint(*request)); });
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::NotifyCheckpoint(
    grpc::CallbackServerContext* context, const v1::NotifyCheckpointRequest* request,
    v1::NotifyCheckpointResponse*) {
  return AnswerOn(executor_, context,
                  [this, request] { return Answer(control_->NotifyCheckpoint(*request)); });
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::CancelTasks(
    grpc::CallbackServerContext* context, const v1::CancelTasksRequest* request,
    v1::CancelTasksResponse* response) {
  return AnswerOn(executor_, context, [this, request, response] {
    return Answer(control_->CancelTasks(*request, *response));
  });
}

}  // namespace watershed
