#include "jobmanager/rpc/job_service.h"

#include "runtime/rpc/rpc_error.h"
#include "runtime/rpc/unary_handler.h"
#include "runtime/version/version.h"

namespace watershed {
namespace {

// Everything else in these calls that a client gets wrong is INVALID_ARGUMENT; an id is NOT_FOUND.
grpc::Status NotFound(const Error& error) { return {grpc::StatusCode::NOT_FOUND, error.message}; }

v1::TaskManagerDetails ToProto(const TaskManagerView& view) {
  v1::TaskManagerDetails details;
  details.set_task_manager_id(view.id);
  details.set_address(view.address);
  details.set_slots(view.slots);
  details.set_free_slots(view.free_slots);
  details.set_cpu_cores(view.cpu_cores);
  details.set_pid(view.pid);
  details.set_process_memory_bytes(view.process_memory_bytes);
  details.set_resident_memory_bytes(view.resident_memory_bytes);
  details.set_last_heartbeat_ms(view.last_heartbeat_ms);
  for (const MemoryShareView& share : view.memory) {
    v1::MemoryShareUsage& usage = *details.add_memory();
    usage.set_name(share.name);
    usage.set_limit_bytes(share.limit_bytes);
    usage.set_used_bytes(share.used_bytes);
    usage.set_peak_bytes(share.peak_bytes);
  }
  for (const AllocatedSlotsView& slots : view.allocated) {
    (*details.mutable_slots_by_job())[slots.job_id] = slots.slots;
  }
  return details;
}

std::function<void(Result<std::string>)> AnswerAccepted(std::shared_ptr<UnaryAnswer> answer,
                                                        v1::OperationAccepted* response) {
  return [answer = std::move(answer), response](const Result<std::string>& operation_id) {
    if (operation_id) response->set_operation_id(*operation_id);
    answer->Finish(operation_id ? grpc::Status::OK : ToRpcStatus(operation_id.error()));
  };
}

}  // namespace

grpc::ServerUnaryReactor* JobServiceHandler::SubmitJob(grpc::CallbackServerContext* context,
                                                       const v1::SubmitJobRequest* request,
                                                       v1::SubmitJobResponse* response) {
  return AnswerLaterOn(
      executor_, context, [this, request, response](std::shared_ptr<UnaryAnswer> answer) {
        dispatcher_->Submit(*request, [this, answer = std::move(answer), response](const auto& id) {
          if (id) {
            response->set_job_id(id->hex);
            for (std::string& warning : dispatcher_->WarningsOf(*id)) {
              response->add_warnings(std::move(warning));
            }
          }
          answer->Finish(id ? grpc::Status::OK : ToRpcStatus(id.error()));
        });
      });
}

grpc::ServerUnaryReactor* JobServiceHandler::CancelJob(grpc::CallbackServerContext* context,
                                                       const v1::CancelJobRequest* request,
                                                       v1::CancelJobResponse*) {
  return AnswerLaterOn(executor_, context, [this, request](std::shared_ptr<UnaryAnswer> answer) {
    const Status status = dispatcher_->Cancel(request->job_id());
    if (!status) return answer->Finish(NotFound(status.error()));
    dispatcher_->WhenStored([answer = std::move(answer)] { answer->Finish(grpc::Status::OK); });
  });
}

grpc::ServerUnaryReactor* JobServiceHandler::ListJobs(grpc::CallbackServerContext* context,
                                                      const v1::ListJobsRequest* request,
                                                      v1::ListJobsResponse* response) {
  return AnswerOn(executor_, context, [this, request, response] {
    for (v1::JobSummary& summary : dispatcher_->Summaries(request->include_ended())) {
      *response->add_jobs() = std::move(summary);
    }
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* JobServiceHandler::GetJob(grpc::CallbackServerContext* context,
                                                    const v1::GetJobRequest* request,
                                                    v1::JobDetails* response) {
  return AnswerOn(executor_, context, [this, request, response] {
    Result<v1::JobDetails> details = dispatcher_->Details(request->job_id());
    if (!details) return NotFound(details.error());
    *response = std::move(*details);
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* JobServiceHandler::TriggerSavepoint(
    grpc::CallbackServerContext* context, const v1::TriggerSavepointRequest* request,
    v1::OperationAccepted* response) {
  return AnswerLaterOn(
      executor_, context, [this, request, response](std::shared_ptr<UnaryAnswer> answer) {
        dispatcher_->TriggerSavepoint(*request, AnswerAccepted(std::move(answer), response));
      });
}

grpc::ServerUnaryReactor* JobServiceHandler::StopWithSavepoint(
    grpc::CallbackServerContext* context, const v1::StopWithSavepointRequest* request,
    v1::OperationAccepted* response) {
  return AnswerLaterOn(
      executor_, context, [this, request, response](std::shared_ptr<UnaryAnswer> answer) {
        dispatcher_->StopWithSavepoint(*request, AnswerAccepted(std::move(answer), response));
      });
}

grpc::ServerUnaryReactor* JobServiceHandler::RequestCheckpoint(
    grpc::CallbackServerContext* context, const v1::RequestCheckpointRequest* request,
    v1::OperationAccepted* response) {
  return AnswerLaterOn(
      executor_, context, [this, request, response](std::shared_ptr<UnaryAnswer> answer) {
        AnswerAccepted(std::move(answer), response)(dispatcher_->RequestCheckpoint(*request));
      });
}

grpc::ServerUnaryReactor* JobServiceHandler::GetOperation(grpc::CallbackServerContext* context,
                                                          const v1::GetOperationRequest* request,
                                                          v1::Operation* response) {
  return AnswerOn(executor_, context, [this, request, response] {
    Result<v1::Operation> operation = dispatcher_->FindOperation(*request);
    if (!operation) return NotFound(operation.error());
    *response = std::move(*operation);
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* JobServiceHandler::DisposeSavepoint(
    grpc::CallbackServerContext* context, const v1::DisposeSavepointRequest* request,
    v1::DisposeSavepointResponse*) {
  return AnswerLaterOn(executor_, context, [this, request](std::shared_ptr<UnaryAnswer> answer) {
    dispatcher_->DisposeSavepoint(
        request->path(), [answer = std::move(answer)](const Status& disposed) {
          answer->Finish(disposed ? grpc::Status::OK : ToRpcStatus(disposed.error()));
        });
  });
}

grpc::ServerUnaryReactor* JobServiceHandler::ListTaskManagers(
    grpc::CallbackServerContext* context, const v1::ListTaskManagersRequest*,
    v1::ListTaskManagersResponse* response) {
  return AnswerOn(executor_, context, [this, response] {
    for (const TaskManagerView& view : dispatcher_->TaskManagers()) {
      *response->add_task_managers() = ToProto(view);
    }
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* JobServiceHandler::GetVersion(grpc::CallbackServerContext* context,
                                                        const v1::GetVersionRequest*,
                                                        v1::GetVersionResponse* response) {
  response->set_version(std::string(BuildVersion()));
  response->set_commit(std::string(BuildCommit()));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace watershed
