// The TaskManager: runs the subtasks that the JobManager places on it.
#include "taskmanager/task_manager_process.h"

int main(int argc, char** argv) {
  using namespace watershed;
  return ServerMain({.name = "taskmanager",
                     .title = "TaskManager",
                     .options = kTaskManager,
                     .start = [](const Config& config,
                                 ShutdownSignal&) { return TaskManagerProcess::Start(config); }},
                    argc, argv);
}
