// What the JobManager must not forget: leadership, submissions, attempts, ends. Every entry is
// stored before anything is done because of it.
#pragma once

#include <memory>

#include "runtime/types/clock.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"
#include "watershed/v1/control.pb.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

class JobStore {
 public:
  virtual ~JobStore() = default;
  // Once, first. Higher than every epoch before.
  virtual Result<LeaderEpoch> BecomeLeader() = 0;
  virtual Status PutSubmission(const JobId& id, const v1::JobGraph& graph) = 0;
  virtual Status PutAttempt(const JobId& id, Attempt attempt) = 0;
  virtual Status PutEnd(const JobId& id, v1::JobState state) = 0;
};

// Remembers nothing beyond the process. Its epoch is the wall clock's milliseconds, so that a
// JobManager that is started again is above the one before.
std::unique_ptr<JobStore> MakeMemoryJobStore(const Clock& clock);

}  // namespace watershed
