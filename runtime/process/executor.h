// Where control logic runs: one thing after another, so that it needs no locks. The real one is an
// EventLoop; tests and simulations step one by hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace watershed {

class Executor {
 public:
  using TimerId = uint64_t;  // 0 is never used

  virtual ~Executor() = default;
  // Runs `task` after everything posted before it. Any thread. Dropped once the executor stops.
  virtual void Post(std::function<void()> task) = 0;
  // Runs `task` once `delay` has passed. Any thread.
  virtual TimerId PostAfter(std::chrono::milliseconds delay, std::function<void()> task) = 0;
  // A timer that has run or does not exist is no error. From the executor itself it is certain that
  // the task does not run afterwards.
  virtual void CancelTimer(TimerId timer) = 0;
};

}  // namespace watershed
