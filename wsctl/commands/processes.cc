#include "wsctl/commands/processes.h"

#include <fmt/format.h>

#include <span>

#include "runtime/job/nearest_name.h"
#include "wsctl/job_reference.h"

namespace watershed {

Outcome<std::vector<std::string>> SelectProcesses(JobClient& client, const std::string& process) {
  if (process == "jobmanager") return std::vector<std::string>{""};
  WS_ASSIGN_OR_RETURN(const auto task_managers, client.TaskManagers());
  if (!process.empty()) {
    const auto found = ResolveTaskManager(process, task_managers);
    if (found) return std::vector<std::string>{found->task_manager_id()};
    constexpr std::string_view kJobManager = "jobmanager";
    if (NearestName(process, std::span(&kJobManager, 1)).empty())
      return tl::make_unexpected(found.error());
    return Fail(ExitCode::kFailed,
                fmt::format("there is no process '{}', did you mean '{}'?", process, kJobManager));
  }
  std::vector<std::string> all{""};
  for (const auto& each : task_managers) all.push_back(each.task_manager_id());
  return all;
}

}  // namespace watershed
