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

}  // namespace watershed
