// The job file of a simulation: one source, its rows as they are, and windows over them.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/scenario.h"

namespace watershed::sim {

inline constexpr const char* kFixedDelay =
    "{ type: fixed-delay, attempts: 1000000, delay: 50ms }";

struct JobText {
  int64_t interval_ms = 0;  // of checkpoints
  const char* restarts = kFixedDelay;
  int64_t delay_ms = 0;           // of the watermark
  std::string watermark_options;  // more of it, each behind a comma
  bool late_to_side_output = false;
};

std::string TextOf(const JobText& job, const Scenario& scenario);

// Of an operator: "    type: …\n    size: …ms\n", or a gap.
std::string WindowText(const Scenario& scenario);

}  // namespace watershed::sim
