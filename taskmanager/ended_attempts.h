// Which attempts are over on this TaskManager. Several of a job may run at once, one of each region
// (runtime/job/regions.h), so that one which has ended says nothing of those before it; only the
// JobManager knows below which number none lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>

#include "runtime/types/ids.h"

namespace watershed {

// What a message about `attempt` says of the oldest that lives; one without it (0) is of a job that
// runs as one attempt.
inline Attempt OldestAttempt(Attempt attempt, int32_t said) {
  return said > 0 ? Attempt{said} : attempt;
}

// One thread, or under its owner's lock.
class EndedAttempts {
 public:
  void End(const JobId& job, Attempt attempt);
  // All below `oldest` have ended, wherever they ran.
  void EndBelow(const JobId& job, Attempt oldest);
  bool Contains(const JobId& job, Attempt attempt) const;

 private:
  struct OfJob {
    Attempt oldest{0};
    std::set<Attempt> ended;  // not below it
  };
  OfJob& Of(const JobId& job);

  // Old enough ones are as good as never heard of: nobody starts them any more.
  static constexpr size_t kJobsKept = 1000;
  static constexpr size_t kAttemptsKept = 1000;  // of a job
  std::map<JobId, OfJob> jobs_;
  std::deque<JobId> order_;
};

}  // namespace watershed
