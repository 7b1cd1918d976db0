// The TaskManager: runs the subtasks that the JobManager places on it.
#include <fmt/format.h>

#include <cstdio>

#include "runtime/config/process_arguments.h"
#include "runtime/logging/log.h"
#include "runtime/process/ports_file.h"
#include "runtime/process/shutdown_signal.h"
#include "runtime/version/version.h"
#include "taskmanager/task_manager_process.h"

namespace watershed {
namespace {

int Run(const ProcessArguments& arguments) {
  ShutdownSignal shutdown;
  const Config& config = arguments.config;
  LogSettings log{
      .process = "taskmanager",
      .level = ParseLogLevel(config.Get(options::kLogLevel)),
      .format = config.Get(options::kLogFormat) == "json" ? LogFormat::kJson : LogFormat::kText};
  InitializeLogging(log);
  auto process = TaskManagerProcess::Start(config);
  if (!process) {
    LogError("TaskManager cannot start: {}", process.error().message);
    return 1;
  }
  log.process = "taskmanager " + (*process)->id();
  InitializeLogging(log);
  fmt::print("TaskManager listening: {}\n", (*process)->Listening());
  std::fflush(stdout);
  if (const Status written = WritePortsFile(arguments.ports_file, (*process)->ports()); !written) {
    LogError("{}", written.error().message);
    return 1;
  }
  LogInfo("signal {}: shutting down", shutdown.Wait());
  (*process)->Stop();
  return 0;
}

}  // namespace
}  // namespace watershed

int main(int argc, char** argv) {
  const auto arguments = watershed::ParseProcessArguments(argc, argv);
  if (!arguments) {
    fmt::print(stderr, "{}\n", arguments.error().message);
    return 2;
  }
  if (arguments->help) {
    fmt::print("{}", watershed::ProcessUsage("taskmanager", watershed::kTaskManager));
    return 0;
  }
  if (arguments->version) {
    fmt::print("taskmanager {} ({})\n", watershed::BuildVersion(), watershed::BuildCommit());
    return 0;
  }
  return watershed::Run(*arguments);
}
