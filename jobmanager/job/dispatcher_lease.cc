// How a leader shows that it is there.
#include "jobmanager/job/dispatcher.h"

namespace watershed {
namespace {

// Of which one may be late or fail.
constexpr int kRenewalsInLease = 3;

}  // namespace

void Dispatcher::RenewLease() {
  if (settings_.lease.count() == 0) return;
  // Any entry shows it; and one that the storage keeps waiting is as good a sign as two.
  const bool is_silent = entries_appended_ == entries_at_renewal_ && append_times_.empty();
  if (is_silent) {
    v1::LogEntry entry;
    entry.mutable_lease();
    Store(std::move(entry), [] {});
  }
  entries_at_renewal_ = entries_appended_;
  executor_->PostAfter(settings_.lease / kRenewalsInLease, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) RenewLease();
  });
}

void Dispatcher::ReleaseLease(std::function<void()> done) {
  if (settings_.lease.count() == 0 || has_failed_) return done();
  v1::LogEntry entry;
  entry.mutable_lease()->set_released(true);
  Store(std::move(entry), std::move(done));
  has_released_ = true;
}

}  // namespace watershed
