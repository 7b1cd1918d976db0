// A JobManager and TaskManagers in one process, with the real servers on loopback.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "jobmanager/job_manager_process.h"
#include "runtime/config/config.h"
#include "taskmanager/task_manager_process.h"
#include "tests/unit/taskmanager/scripted_connectors.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

class MiniCluster {
 public:
  MiniCluster();
  ~MiniCluster();

  // Index of the new TaskManager.
  size_t AddTaskManager(int slots);
  TaskManagerProcess& task_manager(size_t index) { return *task_managers_[index]; }
  JobManagerProcess& job_manager() { return *job_manager_; }
  ScriptedConnectors& connectors() { return connectors_; }

  // Ends the JobManager and starts another at the same address, which knows nothing.
  void RestartJobManager();

  // Over gRPC, as wsctl does it.
  std::string Submit(const std::string& job_yaml, int parallelism);
  void Cancel(const std::string& job_id);

  v1::JobDetails Job(const std::string& job_id);
  // Waits until a job looks like that; events of the JobManager wake it.
  v1::JobDetails WaitForJob(const std::string& job_id,
                            const std::function<bool(const v1::JobDetails&)>& condition);
  v1::JobDetails WaitForState(const std::string& job_id, v1::JobState state);
  void WaitForTaskManagers(size_t count);
  // Every process's metrics, the JobManager's first.
  std::vector<MetricSample> Metrics();
  // Of one metric over all TaskManagers.
  double MetricSum(const std::string& name);

 private:
  void StartJobManager();
  void WaitUntil(const std::function<bool()>& condition);

  ScriptedConnectors connectors_;
  Config config_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t changes_ = 0;
  std::unique_ptr<JobManagerProcess> job_manager_;
  std::vector<std::unique_ptr<TaskManagerProcess>> task_managers_;
};

}  // namespace watershed
