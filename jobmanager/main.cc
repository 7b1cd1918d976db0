// The JobManager: takes jobs, plans and places them on TaskManagers, follows and cancels them.
#include <signal.h>
#include <unistd.h>

#include "jobmanager/job_manager_process.h"

int main(int argc, char** argv) {
  using namespace watershed;
  // The reason of a failure is in the log; a successor reads what was stored.
  const auto start = [](const Config& config) {
    return JobManagerProcess::Start(config, [] { kill(getpid(), SIGTERM); });
  };
  return ServerMain(
      {.name = "jobmanager", .title = "JobManager", .options = kJobManager, .start = start}, argc,
      argv);
}
