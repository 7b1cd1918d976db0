#include "jobmanager/store/leader_observer.h"

#include <utility>

#include "jobmanager/store/stored_log.h"

namespace watershed {

LeaderObserver::LeaderObserver(std::shared_ptr<ObjectStorage> storage)
    : log_(std::move(storage), /*writer_id=*/0) {}

Result<LeaderSight> LeaderObserver::Look() {
  WS_ASSIGN_OR_RETURN(const auto last, log_.ReadLast());
  if (!last) return LeaderSight{};
  WS_ASSIGN_OR_RETURN(const v1::LogEntry entry, ParseEntry(log_, *last));
  if (entry.leader_epoch() != known_.leader_epoch) {
    WS_ASSIGN_OR_RETURN(const StoredLog stored, ReadLog(log_));
    // Of a leader that is newer still, the next look tells.
    known_.leader_epoch = stored.state.leader_epoch();
    known_.leader = stored.state.leader();
  }
  known_.last_entry = last->number;
  known_.is_released = entry.has_lease() && entry.lease().released();
  return known_;
}

}  // namespace watershed
