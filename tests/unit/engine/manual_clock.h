// A clock that tests move.
#pragma once

#include <atomic>

#include "runtime/types/clock.h"

namespace watershed {

class ManualClock final : public Clock {
 public:
  int64_t NowMs() const override { return now_ms_; }
  std::chrono::nanoseconds Steady() const override { return std::chrono::nanoseconds(steady_ns_); }

  void Advance(std::chrono::milliseconds time) {
    steady_ns_ += std::chrono::nanoseconds(time).count();
    now_ms_ += time.count();
  }
  void SetNowMs(int64_t now_ms) { now_ms_ = now_ms; }

 private:
  std::atomic<int64_t> now_ms_{1'700'000'000'000};
  std::atomic<int64_t> steady_ns_{1'000'000'000};
};

}  // namespace watershed
