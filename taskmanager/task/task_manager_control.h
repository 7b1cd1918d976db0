// What the JobManager may ask of this TaskManager, whatever carries its calls. A request of a
// leader epoch below the highest seen, or about an attempt that does not run here, is refused as
// stale.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/engine/connector_factory.h"
#include "runtime/metrics/metrics.h"
#include "runtime/process/executor.h"
#include "runtime/process/work_runner.h"
#include "runtime/types/clock.h"
#include "runtime/types/ids.h"
#include "taskmanager/task/task_executor.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

struct TaskManagerControlParts {
  Executor* executor = nullptr;  // that of `tasks`
  TaskExecutor* tasks = nullptr;
  WorkRunner* discovery = nullptr;    // where outside systems are asked
  WorkRunner* snapshot_io = nullptr;  // where directories of checkpoints are opened
  const ConnectorFactory* connectors = nullptr;
  const Clock* clock = nullptr;
  MetricRegistry* metrics = nullptr;
  std::string temporary_directory;
  CheckpointStorageOpener open_storage;
};

// On the executor. What is asked later runs while all parts live. Requests and responses are valid
// until `done` has run or is destroyed, which happens once, on any thread.
class TaskManagerControl {
 public:
  // Stale: the error is internal.
  explicit TaskManagerControl(TaskManagerControlParts parts) : parts_(std::move(parts)) {}

  // From then on lower epochs are refused. What runs goes on: the leader says which attempts it
  // does not want.
  void ObserveLeader(LeaderEpoch epoch);
  // Registered at its leader. `without_log`: also when the epoch is lower, since a JobManager that
  // remembers nothing takes it from a wall clock, which may have been set back meanwhile.
  void OnRegistered(LeaderEpoch epoch, bool without_log);

  void DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                      v1::DiscoverSplitsResponse& response, std::function<void(Status)> done);
  void DeployTasks(const v1::DeployTasksRequest& request, std::function<void(Status)> done);
  Status CancelTasks(const v1::CancelTasksRequest& request, v1::CancelTasksResponse& response);
  Status TriggerCheckpoint(const v1::TriggerCheckpointRequest& request);
  Status NotifyCheckpoint(const v1::NotifyCheckpointRequest& request);

 private:
  Status CheckLeader(int64_t epoch);
  Status Discover(const v1::DiscoverSplitsRequest& request,
                  v1::DiscoverSplitsResponse& response) const;

  const TaskManagerControlParts parts_;
  LeaderEpoch leader_epoch_{0};
};

}  // namespace watershed
