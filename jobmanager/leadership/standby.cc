#include "jobmanager/leadership/standby.h"

#include <algorithm>
#include <utility>

#include "runtime/config/units.h"
#include "runtime/logging/log.h"
#include "runtime/process/network_place.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kLongestPause{500};
constexpr int kLooksInLease = 8;

std::chrono::milliseconds PauseFor(const LeaderSight& sight) {
  return std::clamp(std::chrono::milliseconds(sight.leader.lease_ms()) / kLooksInLease,
                    std::chrono::milliseconds(10), kLongestPause);
}

bool IsKnownGone(const v1::LeaderEntry& leader) {
  return !leader.network_place().empty() && leader.network_place() == NetworkPlace() &&
         IsRefused(leader.rpc_address());
}

}  // namespace

Result<std::optional<int64_t>> Standby::AwaitTurn(
    const std::function<bool(std::chrono::milliseconds)>& pause) {
  WS_ASSIGN_OR_RETURN(LeaderSight sight, observer_.Look());
  bool is_read = true;
  while (!is_read || !MayLead(sight)) {
    SayOnce(sight);
    if (!pause(PauseFor(sight))) return std::nullopt;
    auto next = observer_.Look();
    const bool was_read = std::exchange(is_read, next.has_value());
    if (next) {
      sight = *std::move(next);
      continue;
    }
    if (was_read) {
      LogWarn("standing by, but the log cannot be read; trying on: {}", next.error().message);
    }
    // What keeps this process from reading may have kept the leader from writing.
    watch_ = {};
  }
  return sight.leader_epoch;
}

bool Standby::MayLead(const LeaderSight& sight) {
  if (watch_.MayLead(sight, clock_->Steady())) {
    if (told_of_ == sight.leader_epoch && told_of_ != 0) {
      LogInfo("the JobManager at {} {}: taking over from leader epoch {}",
              sight.leader.rpc_address(),
              sight.is_released ? "has released its lease" : "has been silent for its lease",
              sight.leader_epoch);
    }
    return true;
  }
  if (!IsKnownGone(sight.leader)) return false;
  LogInfo("nobody listens at {} any more: taking over from leader epoch {}",
          sight.leader.rpc_address(), sight.leader_epoch);
  return true;
}

void Standby::SayOnce(const LeaderSight& sight) {
  if (std::exchange(told_of_, sight.leader_epoch) == sight.leader_epoch) return;
  LogInfo("standing by: the JobManager at {} leads, with leader epoch {}; its lease is {}",
          sight.leader.rpc_address(), sight.leader_epoch,
          FormatDuration(std::chrono::milliseconds(sight.leader.lease_ms())));
}

}  // namespace watershed
