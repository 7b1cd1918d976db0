// TaskManagerService of control.proto over TaskManagerControl. Handlers hold no thread.
#pragma once

#include "runtime/process/executor.h"
#include "taskmanager/task/task_manager_control.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {

class TaskManagerServiceHandler final : public v1::TaskManagerService::CallbackService {
 public:
  // Both outlive the server; the executor is that of `control`.
  TaskManagerServiceHandler(Executor* executor, TaskManagerControl* control)
      : executor_(executor), control_(control) {}

  grpc::ServerUnaryReactor* DiscoverSplits(grpc::CallbackServerContext* context,
                                           const v1::DiscoverSplitsRequest* request,
                                           v1::DiscoverSplitsResponse* response) override;
  grpc::ServerUnaryReactor* DeployTasks(grpc::CallbackServerContext* context,
                                        const v1::DeployTasksRequest* request,
                                        v1::DeployTasksResponse* response) override;
  grpc::ServerUnaryReactor* CancelTasks(grpc::CallbackServerContext* context,
                                        const v1::CancelTasksRequest* request,
                                        v1::CancelTasksResponse* response) override;
  grpc::ServerUnaryReactor* TriggerCheckpoint(grpc::CallbackServerContext* context,
                                              const v1::TriggerCheckpointRequest* request,
                                              v1::TriggerCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* NotifyCheckpoint(grpc::CallbackServerContext* context,
                                             const v1::NotifyCheckpointRequest* request,
                                             v1::NotifyCheckpointResponse* response) override;

 private:
  Executor* const executor_;
  TaskManagerControl* const control_;
};

}  // namespace watershed
