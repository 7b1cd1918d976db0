// Whether JobManagers call TaskManagers lost when they have been silent for the heartbeat timeout,
// and only then. Time in which the JobManager itself stood still does not count.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "tests/sim/schedule.h"

namespace watershed::sim {

// A message that has come to a JobManager.
struct Heard {
  std::pair<int, std::string> who;  // number of the JobManager, id of the TaskManager
  nanoseconds awake{0};             // by the JobManager's steady clock, while it was not frozen
};

class HeartbeatOracle {
 public:
  using Violate = std::function<void(const std::string& oracle, std::string what)>;
  HeartbeatOracle(nanoseconds timeout, Violate violate)
      : timeout_(timeout), violate_(std::move(violate)) {}

  // It is registered now.
  void OnRegistered(const Heard& heard, int64_t leader_epoch);
  // `known`: the JobManager says that it is registered.
  void OnHeartbeat(const Heard& heard, int64_t leader_epoch, bool known);
  // Its connection has broken, so that it may be called lost.
  void OnDetached(const Heard& heard);

 private:
  struct Registration {
    int64_t leader_epoch = 0;
    nanoseconds heard{0};
    bool detached = false;
  };

  const nanoseconds timeout_;
  const Violate violate_;
  std::map<std::pair<int, std::string>, Registration> registered_;
};

}  // namespace watershed::sim
