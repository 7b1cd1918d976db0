// The clocks of one machine as they are: wrong by some time, too fast or too slow, and set now and
// then.
#pragma once

#include <cstdint>

#include "tests/sim/schedule.h"

namespace watershed::sim {

struct ClockError {
  milliseconds wall_off{0};  // what the wall clock shows too much
  int64_t rate_ppm = 0;      // how much faster than true time both clocks run; negative: slower
  nanoseconds up_for{0};     // what the steady clock shows when the simulation begins
  bool any() const { return wall_off.count() != 0 || rate_ppm != 0 || up_for.count() != 0; }
};

class MachineClock final : public Clock {
 public:
  MachineClock(const Schedule* schedule, const ClockError& error)
      : schedule_(schedule), error_(error) {}

  int64_t NowMs() const override {
    return schedule_->BeginMs() + (Passed() + error_.wall_off + stepped_) / milliseconds(1);
  }
  nanoseconds Steady() const override { return error_.up_for + Passed(); }
  // The wall clock is set; the steady one is not.
  void Step(milliseconds by) { stepped_ += by; }
  // How long a timer of this machine takes.
  nanoseconds TrueTime(nanoseconds of_timer) const {
    const int64_t whole = kMillion + error_.rate_ppm;
    return nanoseconds((of_timer.count() * kMillion + whole - 1) / whole);
  }
  // What this clock shows for that.
  nanoseconds OwnTime(nanoseconds true_time) const {
    return nanoseconds(true_time.count() / kMillion * (kMillion + error_.rate_ppm) +
                       true_time.count() % kMillion * (kMillion + error_.rate_ppm) / kMillion);
  }

 private:
  static constexpr int64_t kMillion = 1'000'000;
  nanoseconds Passed() const { return OwnTime(schedule_->Steady()); }

  const Schedule* const schedule_;
  const ClockError error_;
  milliseconds stepped_{0};
};

}  // namespace watershed::sim
