// How long to wait before asking an outside system again.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace watershed {

// Exponential with jitter: 100 ms, doubling up to 30 s, each ±20 % so that many subtasks do not ask
// together. One thread.
class Backoff {
 public:
  explicit Backoff(uint64_t seed) : random_(seed) {}

  std::chrono::milliseconds Next() {
    const double jitter = std::uniform_real_distribution<double>(0.8, 1.2)(random_);
    const auto delay = std::chrono::milliseconds(static_cast<int64_t>(next_ms_ * jitter));
    next_ms_ = next_ms_ * 2 < kMaxMs ? next_ms_ * 2 : kMaxMs;
    return delay;
  }
  void Reset() { next_ms_ = kFirstMs; }

 private:
  static constexpr double kFirstMs = 100;
  static constexpr double kMaxMs = 30'000;
  std::minstd_rand random_;
  double next_ms_ = kFirstMs;
};

}  // namespace watershed
