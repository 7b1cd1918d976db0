// Whether and when a failed job begins anew: Flink's restart strategies with Flink's options and
// defaults, as a pure function of the failures so far.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "runtime/types/result.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

struct RestartSettings {
  enum class Type : uint8_t { kNone, kFixedDelay, kExponentialDelay, kFailureRate };
  Type type = Type::kNone;
  std::chrono::milliseconds delay{1000};  // fixed-delay, failure-rate
  int64_t attempts = 1;                   // fixed-delay
  std::chrono::milliseconds initial_backoff{1000};
  std::chrono::milliseconds max_backoff{60'000};
  double backoff_multiplier = 1.5;
  std::chrono::milliseconds reset_backoff_threshold{3'600'000};
  double jitter_factor = 0.1;
  int64_t attempts_before_reset_backoff = -1;  // -1: any number
  int64_t max_failures_per_interval = 1;
  std::chrono::milliseconds failure_rate_interval{60'000};
};

// What the job file says; else exponential-delay when the job takes checkpoints at an interval, and
// none otherwise. An option that cannot be read is a user error.
Result<RestartSettings> RestartSettingsOf(const v1::JobGraph& graph);

struct RestartDecision {
  bool restart = false;
  std::chrono::milliseconds delay{0};
  std::string refusal;  // why not, when the strategy has had enough
};

// The failures of one job, in the order they come.
class RestartStrategy {
 public:
  explicit RestartStrategy(const RestartSettings& settings) : settings_(settings) {}

  // A failure at `now` (steady clock). `jitter` in [-1, 1] spreads an exponential delay, so that
  // jobs that failed together do not come back together.
  RestartDecision OnFailure(std::chrono::nanoseconds now, double jitter);

 private:
  RestartDecision Exponential(std::chrono::nanoseconds now, double jitter);

  const RestartSettings settings_;
  int64_t failures_ = 0;                       // exponential-delay: since the last reset
  double backoff_ms_ = 0;                      // 0: initial
  std::chrono::nanoseconds restarted_at_{-1};  // when the last restart was to begin; -1: never
  std::deque<std::chrono::nanoseconds> recent_;
};

}  // namespace watershed
