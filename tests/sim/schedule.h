// Time and chance of a simulation: everything that happens is an event at a virtual moment, and
// every choice is drawn from one seed, so that a seed is a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "runtime/types/clock.h"

namespace watershed::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// SplitMix64 (Steele, Lea, Flood 2014). The standard library's distributions differ between
// libraries.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  int64_t Below(int64_t bound) { return static_cast<int64_t>(Next() % uint64_t(bound)); }
  int64_t Between(int64_t low, int64_t high) { return low + Below(high - low + 1); }
  bool Chance(int thousandths) { return Below(1000) < thousandths; }
  nanoseconds Between(nanoseconds low, nanoseconds high) {
    return nanoseconds(Between(low.count(), high.count()));
  }
  template <typename T>
  const T& Pick(const std::vector<T>& of) {
    return of[static_cast<size_t>(Below(static_cast<int64_t>(of.size())))];
  }

 private:
  uint64_t state_;
};

// One thread. As a Clock it shows the true time.
class Schedule final : public Clock {
 public:
  explicit Schedule(uint64_t seed) : random_(seed) {}

  // Runs `event` when `delay` has passed, behind all that come at the same moment already.
  void After(nanoseconds delay, std::function<void()> event);
  // Moves time to the next event and runs it. False: there is none.
  bool RunNext();

  int64_t NowMs() const override;
  static int64_t BeginMs();  // the wall clock when the simulation begins
  nanoseconds Steady() const override { return now_; }
  Random& random() { return random_; }

  // What two runs of one seed must have in common besides the moments of their events.
  void Trace(std::string_view what, uint64_t value = 0);
  uint64_t trace() const { return trace_; }
  int64_t events() const { return events_; }

 private:
  struct Event {
    nanoseconds at;
    uint64_t number;
    std::function<void()> run;
    bool operator<(const Event& other) const {  // of a heap: the earliest is the greatest
      return at != other.at ? at > other.at : number > other.number;
    }
  };
  void Mix(uint64_t value);

  Random random_;
  nanoseconds now_{std::chrono::seconds(1)};
  uint64_t numbers_ = 0;
  std::vector<Event> heap_;
  uint64_t trace_ = 0;
  int64_t events_ = 0;
};

}  // namespace watershed::sim
