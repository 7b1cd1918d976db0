#include "wsctl/commands/processes.h"

#include "wsctl/job_reference.h"

namespace watershed {

Outcome<std::vector<std::string>> SelectProcesses(JobClient& client, const std::string& process) {
  if (process == "jobmanager") return std::vector<std::string>{""};
  WS_ASSIGN_OR_RETURN(const auto task_managers, client.TaskManagers());
  if (!process.empty()) {
    WS_ASSIGN_OR_RETURN(const auto found, ResolveTaskManager(process, task_managers));
    return std::vector<std::string>{found.task_manager_id()};
  }
  std::vector<std::string> all{""};
  for (const auto& each : task_managers) all.push_back(each.task_manager_id());
  return all;
}

}  // namespace watershed
