#include "tests/sim/heartbeat_oracle.h"

#include <fmt/format.h>

namespace watershed::sim {
namespace {

// JobManagers look for the silent ten times in a timeout, and may be frozen before and after.
constexpr int kLooksInTimeout = 10;
constexpr int kLooksUnsure = 4;

}  // namespace

void HeartbeatOracle::OnRegistered(const Heard& heard, int64_t leader_epoch) {
  registered_[heard.who] = {leader_epoch, heard.awake, false};
}

void HeartbeatOracle::OnHeartbeat(const Heard& heard, int64_t leader_epoch, bool known) {
  const auto found = registered_.find(heard.who);
  if (found == registered_.end() || found->second.leader_epoch != leader_epoch) return;
  Registration& registration = found->second;
  const nanoseconds silence = heard.awake - registration.heard;
  const nanoseconds unsure = kLooksUnsure * timeout_ / kLooksInTimeout;
  const auto describe = [&](const char* what) {
    return fmt::format("{} {} after {} ms of silence", found->first.second, what,
                       silence / milliseconds(1));
  };
  if (known) {
    if (silence > timeout_ + unsure) violate_("lost-too-late", describe("was not called lost"));
    registration.heard = heard.awake;
    registration.detached = false;
    return;
  }
  if (!registration.detached && silence < timeout_ - unsure) {
    violate_("lost-too-early", describe("was called lost"));
  }
  registered_.erase(found);
}

void HeartbeatOracle::OnDetached(const Heard& heard) {
  const auto found = registered_.find(heard.who);
  if (found != registered_.end()) found->second.detached = true;
}

}  // namespace watershed::sim
