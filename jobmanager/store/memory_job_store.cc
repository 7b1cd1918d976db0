#include "jobmanager/store/job_store.h"

namespace watershed {
namespace {

class MemoryJobStore final : public JobStore {
 public:
  explicit MemoryJobStore(const Clock& clock) : clock_(clock) {}
  Result<LeaderEpoch> BecomeLeader() override { return LeaderEpoch{clock_.NowMs()}; }
  Status PutSubmission(const JobId&, const v1::JobGraph&) override { return Ok(); }
  Status PutAttempt(const JobId&, Attempt) override { return Ok(); }
  Status PutEnd(const JobId&, v1::JobState) override { return Ok(); }

 private:
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<JobStore> MakeMemoryJobStore(const Clock& clock) {
  return std::make_unique<MemoryJobStore>(clock);
}

}  // namespace watershed
