// A JobManager that waits until it may lead. It listens on no port meanwhile: what finds one
// listening has found the leader.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "jobmanager/leadership/lease_watch.h"
#include "runtime/storage/object_storage.h"
#include "runtime/types/clock.h"
#include "runtime/types/result.h"

namespace watershed {

// One thread.
class Standby {
 public:
  Standby(std::shared_ptr<ObjectStorage> log, const Clock* clock)
      : observer_(std::move(log)), clock_(clock) {}

  // Whose successor this process may be: the newest leader epoch, 0 when nobody has led. Blocks
  // until that leader has released its lease, or has been silent for one, or its port, which is of
  // this network place, is refused. Nothing: `pause`, which waits for so long, said (false) that
  // the process is to end. An error only of the first look at the log.
  Result<std::optional<int64_t>> AwaitTurn(
      const std::function<bool(std::chrono::milliseconds)>& pause);

 private:
  bool MayLead(const LeaderSight& sight);
  void SayOnce(const LeaderSight& sight);

  LeaderObserver observer_;
  const Clock* const clock_;
  LeaseWatch watch_;
  int64_t told_of_ = 0;  // leader epoch
};

}  // namespace watershed
