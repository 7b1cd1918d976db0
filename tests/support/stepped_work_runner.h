// A WorkRunner that a test steps by hand: what blocks runs when the test says so, in any order, so
// that a slow storage is one whose work is not stepped.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "runtime/process/work_runner.h"

namespace watershed {

// One thread.
class SteppedWorkRunner final : public WorkRunner {
 public:
  void Run(std::function<void()> work) override {
    if (!stopped_) queue_.push_back(std::move(work));
  }

  size_t waiting() const { return queue_.size(); }
  // Runs the piece at `index`, in the order in which they came. False: there is none.
  bool Step(size_t index = 0) {
    if (index >= queue_.size()) return false;
    const auto at = queue_.begin() + static_cast<std::ptrdiff_t>(index);
    const std::function<void()> work = std::move(*at);
    queue_.erase(at);
    work();
    return true;
  }
  // Runs all, with what that adds. Returns how many.
  size_t RunAll() {
    size_t count = 0;
    while (Step()) ++count;
    return count;
  }
  // The process dies: what waits, and what comes later, never runs.
  void Stop() {
    stopped_ = true;
    const std::deque<std::function<void()>> dropped = std::move(queue_);
    queue_.clear();
  }

 private:
  std::deque<std::function<void()>> queue_;
  bool stopped_ = false;
};

}  // namespace watershed
