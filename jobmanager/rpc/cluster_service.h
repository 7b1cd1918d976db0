// ClusterService of control.proto: what TaskManagers tell. See job_service.h for threading.
#pragma once

#include "jobmanager/job/dispatcher.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {

class ClusterServiceHandler final : public v1::ClusterService::CallbackService {
 public:
  ClusterServiceHandler(Executor* executor, Dispatcher* dispatcher)
      : executor_(executor), dispatcher_(dispatcher) {}

  grpc::ServerUnaryReactor* RegisterTaskManager(grpc::CallbackServerContext* context,
                                                const v1::RegisterTaskManagerRequest* request,
                                                v1::RegisterTaskManagerResponse* response) override;
  grpc::ServerWriteReactor<v1::AttachEvent>* Attach(grpc::CallbackServerContext* context,
                                                    const v1::AttachRequest* request) override;
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context,
                                      const v1::HeartbeatRequest* request,
                                      v1::HeartbeatResponse* response) override;
  grpc::ServerUnaryReactor* UpdateTasks(grpc::CallbackServerContext* context,
                                        const v1::UpdateTasksRequest* request,
                                        v1::UpdateTasksResponse* response) override;
  grpc::ServerUnaryReactor* ReportCheckpoint(grpc::CallbackServerContext* context,
                                             const v1::ReportCheckpointRequest* request,
                                             v1::ReportCheckpointResponse* response) override;

 private:
  Executor* const executor_;
  Dispatcher* const dispatcher_;
};

}  // namespace watershed
