// TaskManagerService of control.proto: what the JobManager asks of this TaskManager. Handlers hold
// no thread. A request of a leader epoch below the highest seen, or about an attempt that does not
// run here, is refused with FAILED_PRECONDITION.
#pragma once

#include <memory>
#include <string>

#include "runtime/engine/connector_factory.h"
#include "runtime/metrics/metrics.h"
#include "runtime/process/executor.h"
#include "runtime/process/work_runner.h"
#include "runtime/types/clock.h"
#include "runtime/types/ids.h"
#include "taskmanager/task/task_executor.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {

class UnaryAnswer;

struct TaskManagerServiceParts {
  Executor* executor = nullptr;  // that of `tasks`
  TaskExecutor* tasks = nullptr;
  WorkRunner* discovery = nullptr;    // where outside systems are asked
  WorkRunner* snapshot_io = nullptr;  // where directories of checkpoints are opened
  const ConnectorFactory* connectors = nullptr;
  const Clock* clock = nullptr;
  MetricRegistry* metrics = nullptr;
  std::string temporary_directory;
};

class TaskManagerServiceHandler final : public v1::TaskManagerService::CallbackService {
 public:
  // All parts outlive the server.
  explicit TaskManagerServiceHandler(TaskManagerServiceParts parts) : parts_(std::move(parts)) {}

  // On the executor. From then on lower epochs are refused. What runs goes on: the leader says
  // which attempts it does not want.
  void ObserveLeader(LeaderEpoch epoch);

  grpc::ServerUnaryReactor* DiscoverSplits(grpc::CallbackServerContext* context,
                                           const v1::DiscoverSplitsRequest* request,
                                           v1::DiscoverSplitsResponse* response) override;
  grpc::ServerUnaryReactor* DeployTasks(grpc::CallbackServerContext* context,
                                        const v1::DeployTasksRequest* request,
                                        v1::DeployTasksResponse* response) override;
  grpc::ServerUnaryReactor* CancelTasks(grpc::CallbackServerContext* context,
                                        const v1::CancelTasksRequest* request,
                                        v1::CancelTasksResponse* response) override;
  grpc::ServerUnaryReactor* TriggerCheckpoint(grpc::CallbackServerContext* context,
                                              const v1::TriggerCheckpointRequest* request,
                                              v1::TriggerCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* NotifyCheckpoint(grpc::CallbackServerContext* context,
                                             const v1::NotifyCheckpointRequest* request,
                                             v1::NotifyCheckpointResponse* response) override;

 private:
  grpc::Status CheckLeader(int64_t epoch);
  void OpenAndDeploy(const v1::DeployTasksRequest& request,
                     const std::shared_ptr<UnaryAnswer>& answer);
  grpc::Status Discover(const v1::DiscoverSplitsRequest& request,
                        v1::DiscoverSplitsResponse& response) const;

  const TaskManagerServiceParts parts_;
  LeaderEpoch leader_epoch_{0};  // the executor's
};

}  // namespace watershed
