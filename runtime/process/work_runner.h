// Where blocking work runs: a pool of threads in a process, a queue stepped by hand in a
// simulation.
#pragma once

#include <functional>

namespace watershed {

class WorkRunner {
 public:
  virtual ~WorkRunner() = default;
  // Any thread; returns at once. Dropped once the runner has stopped.
  virtual void Run(std::function<void()> work) = 0;
};

}  // namespace watershed
