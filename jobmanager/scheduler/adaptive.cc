#include "jobmanager/scheduler/adaptive.h"

#include <algorithm>

namespace watershed {

StartDecision DecideStart(const AdaptiveSettings& settings, const StartFacts& facts) {
  if (facts.free >= facts.wanted) return {.slots = facts.wanted, .look_again_at = {}};
  if (!settings.enabled || facts.free <= 0) return {};
  const std::chrono::nanoseconds stable_at = facts.some_since + settings.stabilization;
  const std::chrono::nanoseconds waited_at = facts.waits_since + settings.wait;
  const bool came_in_time = facts.some_since <= waited_at;
  const auto start_at = came_in_time ? std::min(stable_at, waited_at) : stable_at;
  if (facts.has_waited || facts.now >= start_at) {
    return {.slots = facts.free, .look_again_at = {}};
  }
  return {.slots = 0, .look_again_at = start_at};
}

GrowthDecision DecideGrowth(const AdaptiveSettings& settings, const GrowthFacts& facts) {
  if (!settings.enabled || facts.held >= facts.wanted || facts.free <= 0) return {};
  std::chrono::nanoseconds grow_at = facts.runs_since + settings.cooldown;
  if (facts.held + facts.free < facts.wanted) {
    grow_at = std::max(grow_at, facts.more_since + settings.growth_stabilization);
  }
  if (facts.now >= grow_at) return {.grow = true, .look_again_at = {}};
  return {.grow = false, .look_again_at = grow_at};
}

}  // namespace watershed
