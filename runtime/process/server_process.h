// What main does with either server, jobmanager or taskmanager.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/config/config.h"
#include "runtime/process/shutdown_signal.h"
#include "runtime/types/result.h"

namespace watershed {

// A server that listens. One thread.
class ServerProcess {
 public:
  virtual ~ServerProcess() = default;
  virtual void Stop() = 0;
  // What its log lines call it: "jobmanager", "taskmanager 127.0.0.1:41234".
  virtual std::string log_name() const = 0;
  virtual std::map<std::string, int> ports() const = 0;  // bound ones, by purpose
  // For people: "rpc 127.0.0.1:6123, REST http://127.0.0.1:8081"
  virtual std::string Listening() const = 0;
  // It could not go on, said why, and asked for its end with SIGTERM.
  virtual bool has_failed() const { return false; }
};

struct ServerProgram {
  std::string name;   // of the binary
  std::string title;  // for people: "JobManager"
  uint8_t options;    // ProcessMask of those it reads
  // Null: a signal came before the server listened (`shutdown` has been asked).
  std::function<Result<std::unique_ptr<ServerProcess>>(const Config& config,
                                                       ShutdownSignal& shutdown)>
      start;
};

// All of main: reads the command line (process_arguments.h), logs, starts the server, tells where
// it listens on stdout and in the ports file, and stops it on SIGTERM or SIGINT. The exit code: 0
// after such a signal, --help or --version; 1 when it cannot start or go on; 2 for a wrong command
// line.
int ServerMain(const ServerProgram& program, int argc, const char* const* argv);

}  // namespace watershed
