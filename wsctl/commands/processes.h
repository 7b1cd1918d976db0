// Which processes of a cluster a command is about.
#pragma once

#include <string>
#include <vector>

#include "wsctl/job_client.h"

namespace watershed {

// "jobmanager", a TaskManager's id or its beginning, or nothing: all. The result has TaskManagers'
// ids, and an empty one for the JobManager, which comes first.
Outcome<std::vector<std::string>> SelectProcesses(JobClient& client, const std::string& process);

}  // namespace watershed
