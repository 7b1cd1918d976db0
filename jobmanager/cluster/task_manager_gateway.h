// The JobManager's way to call one TaskManager; tests put a fake in its place.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/types/result.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// Calls return at once; `done` runs later, once, on any thread, also when the TaskManager is gone.
class TaskManagerGateway {
 public:
  virtual ~TaskManagerGateway() = default;
  virtual void DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                              std::function<void(Result<v1::DiscoverSplitsResponse>)> done) = 0;
  virtual void DeployTasks(const v1::DeployTasksRequest& request,
                           std::function<void(Status)> done) = 0;
  virtual void CancelTasks(const v1::CancelTasksRequest& request,
                           std::function<void(Result<v1::CancelTasksResponse>)> done) = 0;
  virtual void TriggerCheckpoint(const v1::TriggerCheckpointRequest& request,
                                 std::function<void(Status)> done) = 0;
  virtual void NotifyCheckpoint(const v1::NotifyCheckpointRequest& request,
                                std::function<void(Status)> done) = 0;
};

using TaskManagerGatewayFactory = std::function<std::shared_ptr<TaskManagerGateway>(
    const std::string& task_manager_id, const std::string& address)>;

}  // namespace watershed
