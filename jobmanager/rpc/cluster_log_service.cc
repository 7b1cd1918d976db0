#include "jobmanager/rpc/cluster_log_service.h"

#include <algorithm>
#include <utility>

#include "runtime/rpc/connection.h"
#include "runtime/rpc/unary_call.h"
#include "runtime/rpc/unary_handler.h"

namespace watershed {
namespace {

// The lines are in its memory.
constexpr std::chrono::seconds kDeadline{5};

}  // namespace

template <typename Request, typename Response, typename Method>
grpc::ServerUnaryReactor* ClusterLogServiceHandler::PassOn(grpc::CallbackServerContext* context,
                                                           const Request* request,
                                                           Response* response, Method method) {
  return AnswerLaterOn(executor_, context, [=, this](std::shared_ptr<UnaryAnswer> answer) {
    const std::string& id = request->task_manager_id();
    const std::vector<TaskManagerView> all = dispatcher_->TaskManagers();
    const auto found = std::ranges::find(all, id, &TaskManagerView::id);
    if (found == all.end()) {
      return answer->Finish(
          {grpc::StatusCode::NOT_FOUND, fmt::format("TaskManager {} has not registered", id)});
    }
    std::shared_ptr<v1::LogService::Stub> stub =
        v1::LogService::NewStub(MakeChannel(found->address));
    const CallOptions options{.peer = fmt::format("TaskManager {} at {}", id, found->address),
                              .deadline = kDeadline};
    CallUnary<Response>(
        pending_, options, *request,
        [stub, method](auto&&... arguments) { ((*stub->async()).*method)(arguments...); },
        [stub, answer = std::move(answer), response](Result<Response> answered) {
          if (answered) *response = std::move(*answered);
          answer->Finish(answered
                             ? grpc::Status::OK
                             : grpc::Status(grpc::StatusCode::INTERNAL, answered.error().message));
        });
  });
}

grpc::ServerUnaryReactor* ClusterLogServiceHandler::ReadLog(grpc::CallbackServerContext* context,
                                                            const v1::ReadLogRequest* request,
                                                            v1::ReadLogResponse* response) {
  if (request->task_manager_id().empty()) {
    return LogServiceHandler::ReadLog(context, request, response);
  }
  using Method = void (v1::LogService::Stub::async::*)(
      grpc::ClientContext*, const v1::ReadLogRequest*, v1::ReadLogResponse*,
      std::function<void(grpc::Status)>);
  return PassOn(context, request, response, Method(&v1::LogService::Stub::async::ReadLog));
}

grpc::ServerUnaryReactor* ClusterLogServiceHandler::LogLevel(grpc::CallbackServerContext* context,
                                                             const v1::LogLevelRequest* request,
                                                             v1::LogLevelResponse* response) {
  if (request->task_manager_id().empty()) {
    return LogServiceHandler::LogLevel(context, request, response);
  }
  using Method = void (v1::LogService::Stub::async::*)(
      grpc::ClientContext*, const v1::LogLevelRequest*, v1::LogLevelResponse*,
      std::function<void(grpc::Status)>);
  return PassOn(context, request, response, Method(&v1::LogService::Stub::async::LogLevel));
}

}  // namespace watershed
