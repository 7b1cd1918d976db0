// JobManagerView over a Dispatcher on an event loop.
#pragma once

#include "jobmanager/job/dispatcher.h"
#include "jobmanager/job/job_view.h"
#include "runtime/process/event_loop.h"

namespace watershed {

// Each call runs in the loop, which never blocks, and waits for that. After the loop's stop lists
// are empty and everything else is a transient error.
class DispatcherView final : public JobManagerView {
 public:
  // Both outlive the view.
  DispatcherView(EventLoop* loop, Dispatcher* dispatcher) : loop_(loop), dispatcher_(dispatcher) {}

  std::vector<v1::JobSummary> Jobs() const override;
  Result<v1::JobDetails> FindJob(std::string_view job_id) const override;
  Result<v1::CheckpointDetails> FindCheckpoint(std::string_view job_id,
                                               CheckpointId id) const override;
  std::vector<TaskManagerView> TaskManagers() const override;
  Status RequestCancel(std::string_view job_id) override;
  void TriggerSavepoint(const v1::TriggerSavepointRequest& request, OperationDone done) override;
  void StopWithSavepoint(const v1::StopWithSavepointRequest& request, OperationDone done) override;
  void RequestCheckpoint(const v1::RequestCheckpointRequest& request, OperationDone done) override;
  void DisposeSavepoint(const v1::DisposeSavepointRequest& request, OperationDone done) override;
  Result<v1::Operation> FindOperation(const v1::GetOperationRequest& request) const override;

 private:
  EventLoop* const loop_;
  Dispatcher* const dispatcher_;
};

}  // namespace watershed
