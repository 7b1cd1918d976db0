// The two ways of calling between JobManager and TaskManagers, over the simulation's network.
#pragma once

#include <memory>

#include "jobmanager/cluster/task_manager_gateway.h"
#include "taskmanager/cluster/job_manager_gateway.h"
#include "tests/sim/cluster.h"

namespace watershed::sim {

// Of a TaskManager's process to whichever JobManager there is.
std::shared_ptr<JobManagerGateway> MakeJobManagerGateway(Cluster* cluster,
                                                         const ProcessPtr& process);
// Of a JobManager's process to the TaskManager of that id.
std::shared_ptr<TaskManagerGateway> MakeTaskManagerGateway(Cluster* cluster,
                                                           const ProcessPtr& process,
                                                           const std::string& task_manager);

// The name that JobManagers listen under.
inline constexpr const char* kJobManagerName = "jobmanager";

}  // namespace watershed::sim
