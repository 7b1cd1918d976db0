// Where the blocking calls of one owner run, one at a time, in the order they were given.
#pragma once

#include <chrono>
#include <functional>

namespace watershed {

// A thread in a process (commit_thread.h); a queue stepped by hand in a simulation. The owner's
// thread.
class SerialRunner {
 public:
  virtual ~SerialRunner() = default;
  // `work` owns what it touches: it may outlive this object (see Stop).
  virtual void Run(std::function<void()> work) = 0;
  // Drops work not begun and waits up to `grace` for what is under way; true if it came to its end.
  // Otherwise it is left to itself: a call into a client library cannot be interrupted, and a
  // cancel must not hang on it.
  virtual bool Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace watershed
