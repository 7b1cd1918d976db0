// When another JobManager may lead: once the log shows that the one that leads is silent. Judged by
// the watcher's own steady clock, as clocks of two machines differ: the lease begins anew whenever
// the watcher sees that the log has grown. A lease that ends too early for the leader (it was
// stopped, or the storage was slow) costs a change of leaders and nothing else: what keeps two from
// writing is the log (numbered_log.h).
#pragma once

#include <chrono>

#include "jobmanager/store/leader_observer.h"

namespace watershed {

// Pure.
class LeaseWatch {
 public:
  // What the log shows at `now`. True: nobody leads, or the leader's lease is over.
  bool MayLead(const LeaderSight& sight, std::chrono::nanoseconds now) {
    if (sight.leader_epoch == 0 || sight.is_released || sight.leader.lease_ms() == 0) return true;
    if (sight.leader_epoch != leader_epoch_ || sight.last_entry != last_entry_) {
      leader_epoch_ = sight.leader_epoch;
      last_entry_ = sight.last_entry;
      seen_ = now;
    }
    return now - seen_ >= std::chrono::milliseconds(sight.leader.lease_ms());
  }

 private:
  int64_t leader_epoch_ = 0;
  int64_t last_entry_ = 0;
  std::chrono::nanoseconds seen_{0};
};

}  // namespace watershed
