#include "runtime/process/server_process.h"

#include <fmt/format.h>

#include <cstdio>

#include "runtime/config/process_arguments.h"
#include "runtime/logging/log_control.h"
#include "runtime/process/ports_file.h"
#include "runtime/process/shutdown_signal.h"
#include "runtime/version/version.h"

// jemalloc, where it is linked, asks for this: what one thread has freed goes back to the system
// within a second, also when that thread sleeps, so that the peak of one task, or of a flood of
// requests, is not kept beside that of another.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";

namespace watershed {
namespace {

Status OpenLogFile(const Config& config) {
  const std::string& path = config.Get(options::kLogFile);
  if (path.empty()) return Ok();
  return LogToFile({.path = path,
                    .max_bytes = config.Get(options::kLogFileMaxSize),
                    .max_count = config.Get(options::kLogFileMaxCount)});
}

int Run(const ServerProgram& program, const ProcessArguments& arguments) {
  ShutdownSignal shutdown;
  const Config& config = arguments.config;
  InitializeLogging(
      {.process = program.name,
       .level = ParseLogLevel(config.Get(options::kLogLevel)),
       .format = config.Get(options::kLogFormat) == "json" ? LogFormat::kJson : LogFormat::kText});
  ProcessLog().SetCapacity(static_cast<size_t>(config.Get(options::kLogMemorySize)));
  if (const Status opened = OpenLogFile(config); !opened) {
    LogError("{} cannot start: {}", program.title, opened.error().message);
    return 1;
  }
  const auto process = program.start(config, shutdown);
  if (!process) {
    LogError("{} cannot start: {}", program.title, process.error().message);
    return 1;
  }
  if (*process == nullptr) {
    LogInfo("a signal came before it listened: shutting down");
    return 0;
  }
  NameLogProcess((*process)->log_name());
  fmt::print("{} listening: {}\n", program.title, (*process)->Listening());
  std::fflush(stdout);
  if (const Status written = WritePortsFile(arguments.ports_file, (*process)->ports()); !written) {
    LogError("{}", written.error().message);
    return 1;
  }
  const int signal = shutdown.Wait();
  // One that can go on no longer has sent the signal to itself.
  if ((*process)->has_failed()) {
    LogInfo("shutting down");
  } else {
    LogInfo("signal {}: shutting down", signal);
  }
  (*process)->Stop();
  return (*process)->has_failed() ? 1 : 0;
}

}  // namespace

int ServerMain(const ServerProgram& program, int argc, const char* const* argv) {
  const auto arguments = ParseProcessArguments(argc, argv);
  if (!arguments) {
    fmt::print(stderr, "{}\n", arguments.error().message);
    return 2;
  }
  if (arguments->help) {
    fmt::print("{}", ProcessUsage(program.name, program.options));
    return 0;
  }
  if (arguments->version) {
    fmt::print("{} {} ({})\n", program.name, BuildVersion(), BuildCommit());
    return 0;
  }
  return Run(program, *arguments);
}

}  // namespace watershed
