// The only source of time in the engine, injected everywhere, so that a simulation can own it.
#pragma once

#include <chrono>
#include <cstdint>

namespace watershed {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock, milliseconds since the Unix epoch. May jump.
  virtual int64_t NowMs() const = 0;
  // Never goes back; for timeouts and durations.
  virtual std::chrono::nanoseconds Steady() const = 0;
};

// The machine's clock. Lives for the whole process; any thread.
const Clock& SystemClock();

}  // namespace watershed
