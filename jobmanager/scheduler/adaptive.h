// Whether a job runs in fewer slots than it asks for, and when it takes more: pure functions, under
// the names of Flink's adaptive scheduler. (DECISIONS.md, "Fewer slots than asked for".)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace watershed {

struct AdaptiveSettings {
  bool enabled = false;                                    // jobmanager.scheduler
  std::chrono::milliseconds wait{300'000};                 // submission.resource-wait-timeout
  std::chrono::milliseconds stabilization{10'000};         // submission.resource-stabiliz…
  std::chrono::milliseconds cooldown{30'000};              // executing.cooldown-after-rescaling
  std::chrono::milliseconds growth_stabilization{60'000};  // executing.resource-stabiliz…
};

// Times are of the steady clock.
struct StartFacts {
  int32_t wanted = 0;
  int32_t free = 0;
  std::chrono::nanoseconds now{0};
  std::chrono::nanoseconds waits_since{0};
  std::chrono::nanoseconds some_since{0};  // since when any have been free; ignored without
  bool has_waited = false;                 // it restarts for more slots, and takes what it finds
};

struct StartDecision {
  int32_t slots = 0;                                      // to take; 0: it waits
  std::optional<std::chrono::nanoseconds> look_again_at;  // if nothing else changes before
};

// All it wants at once. Fewer, when adaptive, once some have been free for `stabilization` or it
// has waited for `wait`, whichever is earlier; slots that come later than that have their
// `stabilization`. Never none: it waits for the first one for ever.
StartDecision DecideStart(const AdaptiveSettings& settings, const StartFacts& facts);

struct GrowthFacts {
  int32_t wanted = 0;
  int32_t held = 0;
  int32_t free = 0;
  std::chrono::nanoseconds now{0};
  std::chrono::nanoseconds runs_since{0};  // or since it last tried in vain
  std::chrono::nanoseconds more_since{0};  // since when any have been free; ignored without
};

struct GrowthDecision {
  bool grow = false;
  std::optional<std::chrono::nanoseconds> look_again_at;
};

// Not before it has run for `cooldown`; and if the free slots do not make up all that it wants, not
// before some have been free for `growth_stabilization`.
GrowthDecision DecideGrowth(const AdaptiveSettings& settings, const GrowthFacts& facts);

}  // namespace watershed
