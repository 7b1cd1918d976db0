// The JobManager: takes jobs, plans and places them on TaskManagers, follows and cancels them.
#include <signal.h>
#include <unistd.h>

#include "jobmanager/job_manager_process.h"
#include "jobmanager/leadership/standby.h"
#include "runtime/logging/log.h"

namespace watershed {
namespace {

constexpr std::chrono::seconds kTryAgain{1};

// With a log that others may lead by it stands by first.
Result<std::unique_ptr<ServerProcess>> StartInTurn(const Config& config, ShutdownSignal& shutdown) {
  // The reason of a failure is in the log; a successor reads what was stored.
  JobManagerRole role{.on_fatal = [] { kill(getpid(), SIGTERM); }};
  const std::string& log = config.Get(options::kHighAvailabilityStorageDir);
  if (log.empty()) return JobManagerProcess::Start(config, role);
  auto storage = OpenStorage(log, StorageAccess::kOwnerOnly);
  if (!storage) {
    return tl::make_unexpected(std::move(storage).error().Within(
        std::string(options::kHighAvailabilityStorageDir.definition.key)));
  }
  Standby standby(*std::move(storage), &SystemClock());
  const auto pause = [&](std::chrono::milliseconds time) { return shutdown.StaysAway(time); };
  while (true) {
    WS_ASSIGN_OR_RETURN(role.successor_of, standby.AwaitTurn(pause));
    if (!role.successor_of) return nullptr;
    auto process = JobManagerProcess::Start(config, role);
    if (process || !process.error().retryable) return process;
    LogWarn("cannot lead yet, trying on: {}", process.error().message);
    if (!pause(kTryAgain)) return nullptr;
  }
}

}  // namespace
}  // namespace watershed

int main(int argc, char** argv) {
  using namespace watershed;
  return ServerMain(
      {.name = "jobmanager", .title = "JobManager", .options = kJobManager, .start = StartInTurn},
      argc, argv);
}
