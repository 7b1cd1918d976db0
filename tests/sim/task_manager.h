// A TaskManager's process: what task_manager_process.cc puts together, over the simulation's
// threads, network and clock.
#pragma once

#include <memory>
#include <string>

#include "runtime/metrics/metrics.h"
#include "runtime/state/keyed_state.h"
#include "taskmanager/cluster/job_manager_connection.h"
#include "taskmanager/network/network_channel_provider.h"
#include "taskmanager/task/task_executor.h"
#include "taskmanager/task/task_manager_control.h"
#include "tests/sim/cluster.h"

namespace watershed::sim {

class TaskManager {
 public:
  TaskManager(Cluster* cluster, const MachineClock* clock, std::string name);
  // Killed: nobody is told by it.
  ~TaskManager();

  TaskManagerControl& control() { return *control_; }
  const ProcessPtr& process() const { return process_; }
  ProcessExecutor& executor() { return executor_; }
  SinkThreads& sinks() { return sinks_; }
  bool runs_tasks() const { return !tasks_->RunningAttempts().empty(); }

 private:
  void MakeNetwork();
  void MakeTasks();
  void MakeConnection();

  Cluster* const cluster_;
  const ProcessPtr process_;
  ProcessExecutor executor_;
  ProcessExecutor reaper_;
  ProcessWorkRunner io_;
  SinkThreads sinks_;
  const std::string directory_;
  MetricRegistry metrics_;
  MetricGroup own_metrics_;
  KeyedStateFactory keyed_state_;
  std::unique_ptr<NetworkChannelProvider> channels_;
  std::unique_ptr<TaskExecutor> tasks_;
  std::unique_ptr<TaskManagerControl> control_;
  std::shared_ptr<JobManagerConnection> connection_;
};

}  // namespace watershed::sim
