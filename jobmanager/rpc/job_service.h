// JobService of control.proto: what clients ask. Handlers hold no thread: they post to the
// JobManager's executor, which answers.
#pragma once

#include "jobmanager/job/dispatcher.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {

class JobServiceHandler final : public v1::JobService::CallbackService {
 public:
  // Both outlive the server. A stopped executor answers nothing: stop the server first.
  JobServiceHandler(Executor* executor, Dispatcher* dispatcher)
      : executor_(executor), dispatcher_(dispatcher) {}

  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext* context,
                                      const v1::SubmitJobRequest* request,
                                      v1::SubmitJobResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::CancelJobResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::JobDetails* response) override;
  grpc::ServerUnaryReactor* TriggerSavepoint(grpc::CallbackServerContext* context,
                                             const v1::TriggerSavepointRequest* request,
                                             v1::OperationAccepted* response) override;
  grpc::ServerUnaryReactor* StopWithSavepoint(grpc::CallbackServerContext* context,
                                              const v1::StopWithSavepointRequest* request,
                                              v1::OperationAccepted* response) override;
  grpc::ServerUnaryReactor* RequestCheckpoint(grpc::CallbackServerContext* context,
                                              const v1::RequestCheckpointRequest* request,
                                              v1::OperationAccepted* response) override;
  grpc::ServerUnaryReactor* GetOperation(grpc::CallbackServerContext* context,
                                         const v1::GetOperationRequest* request,
                                         v1::Operation* response) override;
  grpc::ServerUnaryReactor* DisposeSavepoint(grpc::CallbackServerContext* context,
                                             const v1::DisposeSavepointRequest* request,
                                             v1::DisposeSavepointResponse* response) override;
  grpc::ServerUnaryReactor* ListTaskManagers(grpc::CallbackServerContext* context,
                                             const v1::ListTaskManagersRequest* request,
                                             v1::ListTaskManagersResponse* response) override;
  grpc::ServerUnaryReactor* GetVersion(grpc::CallbackServerContext* context,
                                       const v1::GetVersionRequest* request,
                                       v1::GetVersionResponse* response) override;

 private:
  Executor* const executor_;
  Dispatcher* const dispatcher_;
};

}  // namespace watershed
