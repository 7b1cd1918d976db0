// The JobManager: takes jobs, plans and places them on TaskManagers, follows and cancels them.
#include "jobmanager/job_manager_process.h"

int main(int argc, char** argv) {
  using namespace watershed;
  return ServerMain({.name = "jobmanager",
                     .title = "JobManager",
                     .options = kJobManager,
                     .start = JobManagerProcess::Start},
                    argc, argv);
}
