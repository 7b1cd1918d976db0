// The TaskManager: runs the subtasks that the JobManager places on it.
#include "taskmanager/task_manager_process.h"

// jemalloc, where it is linked, asks for this: what one thread has freed goes back to the system
// within a second, also when that thread sleeps, so that the peak of one task is not kept beside
// that of another.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";

int main(int argc, char** argv) {
  using namespace watershed;
  return ServerMain(
      {.name = "taskmanager",
       .title = "TaskManager",
       .options = kTaskManager,
       .start = [](const Config& config) { return TaskManagerProcess::Start(config); }},
      argc, argv);
}
