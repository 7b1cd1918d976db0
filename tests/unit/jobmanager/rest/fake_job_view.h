// A JobManager with one running job, one finished and one TaskManager, for REST tests.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "jobmanager/job/job_view.h"
#include "runtime/types/clock.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

inline const std::string kRunningJob = "0123456789abcdef0123456789abcdef";
inline const std::string kFinishedJob = "ffffffffffffffffffffffffffffffff";
inline const std::string kUnknownJob = "00000000000000000000000000000000";
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

  std::vector<v1::JobDetails> jobs{SampleJob(), SampleFinishedJob()};
  std::vector<TaskManagerView> task_managers{SampleTaskManager()};
  std::vector<std::string> cancelled;
};

class FixedClock : public Clock {
 public:
  int64_t NowMs() const override { return kNowMs; }
  std::chrono::nanoseconds Steady() const override { return {}; }
};

}  // namespace watershed
