// SIGTERM and SIGINT as an event.
#pragma once

#include <chrono>

namespace watershed {

// Construct at the start of main, before any thread: it blocks the signals for the whole process.
class ShutdownSignal {
 public:
  ShutdownSignal();
  // Waits for SIGTERM or SIGINT and returns its number. A second one after that kills the process,
  // so that a shutdown that hangs can be cut short.
  int Wait();
  // Whether neither has come when `time` is over. One that has is still to be waited for.
  bool StaysAway(std::chrono::milliseconds time);

 private:
  int came_ = 0;  // before Wait
};

}  // namespace watershed
