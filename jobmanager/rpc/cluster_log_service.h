// LogService of the whole cluster: this process's own log, and that of any TaskManager, asked
// there.
#pragma once

#include <memory>

#include "jobmanager/job/dispatcher.h"
#include "runtime/rpc/log_service.h"
#include "runtime/rpc/pending_calls.h"

namespace watershed {

class ClusterLogServiceHandler final : public LogServiceHandler {
 public:
  // See JobServiceHandler; `pending` has the calls to TaskManagers.
  ClusterLogServiceHandler(Executor* executor, Dispatcher* dispatcher,
                           std::shared_ptr<PendingCalls> pending)
      : executor_(executor), dispatcher_(dispatcher), pending_(std::move(pending)) {}

  grpc::ServerUnaryReactor* ReadLog(grpc::CallbackServerContext* context,
                                    const v1::ReadLogRequest* request,
                                    v1::ReadLogResponse* response) override;
  grpc::ServerUnaryReactor* LogLevel(grpc::CallbackServerContext* context,
                                     const v1::LogLevelRequest* request,
                                     v1::LogLevelResponse* response) override;

 private:
  // Calls `method` of the TaskManager that the request names.
  template <typename Request, typename Response, typename Method>
  grpc::ServerUnaryReactor* PassOn(grpc::CallbackServerContext* context, const Request* request,
                                   Response* response, Method method);

  Executor* const executor_;
  Dispatcher* const dispatcher_;
  const std::shared_ptr<PendingCalls> pending_;
};

}  // namespace watershed
