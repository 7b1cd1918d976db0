#include "jobmanager/job/dispatcher_view.h"

namespace watershed {

std::vector<v1::JobSummary> DispatcherView::Jobs() const {
  std::vector<v1::JobSummary> jobs;
  loop_->RunAndWait([&] { jobs = dispatcher_->Summaries(/*include_ended=*/true); });
  return jobs;
}

Result<v1::JobDetails> DispatcherView::FindJob(std::string_view job_id) const {
  Result<v1::JobDetails> details = TransientError("the JobManager is shutting down");
  loop_->RunAndWait([&] { details = dispatcher_->Details(std::string(job_id)); });
  return details;
}

Result<v1::CheckpointDetails> DispatcherView::FindCheckpoint(std::string_view job_id,
                                                             CheckpointId id) const {
  Result<v1::CheckpointDetails> details = TransientError("the JobManager is shutting down");
  loop_->RunAndWait([&] { details = dispatcher_->FindCheckpoint(std::string(job_id), id); });
  return details;
}

std::vector<TaskManagerView> DispatcherView::TaskManagers() const {
  std::vector<TaskManagerView> task_managers;
  loop_->RunAndWait([&] { task_managers = dispatcher_->TaskManagers(); });
  return task_managers;
}

Status DispatcherView::RequestCancel(std::string_view job_id) {
  Status status = TransientError("the JobManager is shutting down");
  loop_->RunAndWait([&] { status = dispatcher_->Cancel(std::string(job_id)); });
  return status;
}

void DispatcherView::TriggerSavepoint(const v1::TriggerSavepointRequest& request,
                                      OperationDone done) {
  loop_->Post([dispatcher = dispatcher_, request, done = std::move(done)] {
    dispatcher->TriggerSavepoint(request, done);
  });
}

void DispatcherView::StopWithSavepoint(const v1::StopWithSavepointRequest& request,
                                       OperationDone done) {
  loop_->Post([dispatcher = dispatcher_, request, done = std::move(done)] {
    dispatcher->StopWithSavepoint(request, done);
  });
}

void DispatcherView::RequestCheckpoint(const v1::RequestCheckpointRequest& request,
                                       OperationDone done) {
  loop_->Post([dispatcher = dispatcher_, request, done = std::move(done)] {
    done(dispatcher->RequestCheckpoint(request));
  });
}

void DispatcherView::DisposeSavepoint(const v1::DisposeSavepointRequest& request,
                                      OperationDone done) {
  loop_->Post([dispatcher = dispatcher_, request, done = std::move(done)] {
    done(dispatcher->BeginDisposal(request.path()));
  });
}

Result<v1::Operation> DispatcherView::FindOperation(const v1::GetOperationRequest& request) const {
  Result<v1::Operation> operation = TransientError("the JobManager is shutting down");
  loop_->RunAndWait([&] { operation = dispatcher_->FindOperation(request); });
  return operation;
}

}  // namespace watershed
