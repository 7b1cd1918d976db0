// SIGTERM and SIGINT as an event.
#pragma once

namespace watershed {

// Construct at the start of main, before any thread: it blocks the signals for the whole process.
class ShutdownSignal {
 public:
  ShutdownSignal();
  // Waits for SIGTERM or SIGINT and returns its number. A second one after that kills the process,
  // so that a shutdown that hangs can be cut short.
  int Wait();
};

}  // namespace watershed
