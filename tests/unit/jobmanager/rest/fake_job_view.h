// A JobManager with one running job, one finished and one TaskManager, for REST tests.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobmanager/job/job_view.h"
#include "jobmanager/rest/rest_api.h"
#include "runtime/types/clock.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

inline const std::string kRunningJob = "0123456789abcdef0123456789abcdef";
inline const std::string kFinishedJob = "ffffffffffffffffffffffffffffffff";
inline const std::string kUnknownJob = "00000000000000000000000000000000";
// The id of an operation for which the client has chosen none.
inline const std::string kChosenOperation = "11112222333344445555666677778888";
inline constexpr int64_t kNowMs = 100'000;

v1::JobDetails SampleJob();
v1::JobDetails SampleFinishedJob();
TaskManagerView SampleTaskManager();
// Subtask 1 of vertex aa has answered 60 ms after the trigger, bb's 80 ms after it.
v1::CheckpointDetails SampleCheckpoint(const v1::CheckpointSummary& summary);

class FakeJobView : public JobManagerView {
 public:
  std::vector<v1::JobSummary> Jobs() const override {
    std::vector<v1::JobSummary> result;
    result.reserve(jobs.size());
    for (const v1::JobDetails& job : jobs) result.push_back(job.summary());
    return result;
  }
  Result<v1::JobDetails> FindJob(std::string_view job_id) const override {
    for (const v1::JobDetails& job : jobs) {
      if (job.summary().job_id() == job_id) return job;
    }
    return UserError("job {} not found", job_id);
  }
  Result<v1::CheckpointDetails> FindCheckpoint(std::string_view job_id,
                                               CheckpointId id) const override {
    WS_ASSIGN_OR_RETURN(const v1::JobDetails job, FindJob(job_id));
    for (const v1::CheckpointSummary& summary : job.checkpoints().recent()) {
      if (summary.id() == id.value) return SampleCheckpoint(summary);
    }
    return UserError("no checkpoint {}", id.value);
  }
  std::vector<TaskManagerView> TaskManagers() const override { return task_managers; }
  Status RequestCancel(std::string_view job_id) override {
    cancelled.emplace_back(job_id);
    return Ok();
  }

  // Each is written down and accepted with its id, or one of its own; or refused with `refusal`.
  void TriggerSavepoint(const v1::TriggerSavepointRequest& request, OperationDone done) override {
    Note("savepoint " + request.job_id() + " " + request.directory(), request.operation_id(), done);
  }
  void StopWithSavepoint(const v1::StopWithSavepointRequest& request, OperationDone done) override {
    Note("stop " + request.job_id() + " " + request.directory() + (request.drain() ? " drain" : ""),
         request.operation_id(), done);
  }
  void RequestCheckpoint(const v1::RequestCheckpointRequest& request, OperationDone done) override {
    Note("checkpoint " + request.job_id(), request.operation_id(), done);
  }
  void DisposeSavepoint(const v1::DisposeSavepointRequest& request, OperationDone done) override {
    Note("dispose " + request.path(), "", done);
  }
  Result<v1::Operation> FindOperation(const v1::GetOperationRequest& request) const override {
    for (const auto& [job_id, operation] : operations) {
      if (job_id == request.job_id() && operation.operation_id() == request.operation_id()) {
        return operation;
      }
    }
    return UserError("nothing is known of operation {}", request.operation_id());
  }

  std::vector<v1::JobDetails> jobs{SampleJob(), SampleFinishedJob()};
  std::vector<TaskManagerView> task_managers{SampleTaskManager()};
  std::vector<std::string> cancelled;
  std::vector<std::pair<std::string, v1::Operation>> operations;  // by job; "": disposals
  std::vector<std::string> asked;
  std::optional<Error> refusal;

 private:
  void Note(std::string what, const std::string& operation_id, const OperationDone& done) {
    asked.push_back(std::move(what));
    if (refusal) return done(tl::make_unexpected(*refusal));
    done(operation_id.empty() ? kChosenOperation : operation_id);
  }
};

// What the API answers, which in these tests is before it returns.
inline HttpResponse Answer(const RestApi& api, const HttpRequest& request) {
  HttpResponse answer{.status = 0};
  api.Handle(request, [&](HttpResponse response) { answer = std::move(response); });
  return answer;
}

class FixedClock : public Clock {
 public:
  int64_t NowMs() const override { return kNowMs; }
  std::chrono::nanoseconds Steady() const override { return {}; }
};

}  // namespace watershed
