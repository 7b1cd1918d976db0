// The JobManager: takes jobs, plans and places them on TaskManagers, follows and cancels them.
#include <fmt/format.h>

#include <cstdio>

#include "jobmanager/job_manager_process.h"
#include "runtime/config/process_arguments.h"
#include "runtime/logging/log.h"
#include "runtime/process/ports_file.h"
#include "runtime/process/shutdown_signal.h"
#include "runtime/version/version.h"

namespace watershed {
namespace {

int Run(const ProcessArguments& arguments) {
  ShutdownSignal shutdown;
  const Config& config = arguments.config;
  InitializeLogging(
      {.process = "jobmanager",
       .level = ParseLogLevel(config.Get(options::kLogLevel)),
       .format = config.Get(options::kLogFormat) == "json" ? LogFormat::kJson : LogFormat::kText});
  auto process = JobManagerProcess::Start(config);
  if (!process) {
    LogError("JobManager cannot start: {}", process.error().message);
    return 1;
  }
  fmt::print("JobManager listening: {}\n", (*process)->Listening());
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
    fmt::print("{}", watershed::ProcessUsage("jobmanager", watershed::kJobManager));
    return 0;
  }
  if (arguments->version) {
    fmt::print("jobmanager {} ({})\n", watershed::BuildVersion(), watershed::BuildCommit());
    return 0;
  }
  return watershed::Run(*arguments);
}
