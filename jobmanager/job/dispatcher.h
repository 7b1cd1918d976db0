// All jobs and all TaskManagers of this JobManager: takes submissions, hears TaskManagers, decides
// which are lost, and tells the jobs. Lives on the JobManager's executor; every call comes from
// there.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jobmanager/cluster/task_manager_registry.h"
#include "jobmanager/job/job_master.h"
#include "jobmanager/job/job_metrics.h"
#include "jobmanager/job/job_view.h"
#include "jobmanager/store/job_store.h"
#include "runtime/process/executor.h"
#include "runtime/types/clock.h"
#include "runtime/types/result.h"

namespace watershed {

struct DispatcherSettings {
  std::chrono::milliseconds heartbeat_interval{1000};
  std::chrono::milliseconds heartbeat_timeout{5000};
  int32_t default_parallelism = 1;
  int32_t max_parallelism = 128;
  int64_t ended_jobs_kept = 200;
};

class Dispatcher final : private ClusterAccess {
 public:
  // All pointers outlive the dispatcher.
  Dispatcher(const DispatcherSettings& settings, LeaderEpoch leader_epoch, Executor* executor,
             const Clock* clock, JobStore* store, MetricRegistry* metrics,
             TaskManagerGatewayFactory gateways);
  ~Dispatcher() override;

  // Called on the executor after jobs or TaskManagers have changed; several changes may be one
  // call.
  void SetOnChange(std::function<void()> on_change) { on_change_ = std::move(on_change); }

  // Clients.
  Result<JobId> Submit(const v1::JobGraph& graph);
  Status Cancel(const std::string& job_id);
  std::vector<v1::JobSummary> Summaries(bool include_ended) const;  // newest first
  Result<v1::JobDetails> Details(const std::string& job_id) const;
  std::vector<TaskManagerView> TaskManagers() const;

  // TaskManagers. Messages of another leader epoch, or from one that is not registered, are
  // refused.
  Result<v1::RegisterTaskManagerResponse> Register(const v1::RegisterTaskManagerRequest& request);
  v1::HeartbeatResponse Heartbeat(const v1::HeartbeatRequest& request);
  Status UpdateTasks(const v1::UpdateTasksRequest& request);
  bool IsRegistered(const v1::AttachRequest& request);
  // The connection of this registration broke: its process is gone.
  void OnDetached(const std::string& task_manager_id, int64_t registration);

 private:
  std::vector<FreeSlots> free_slots() const override;
  std::shared_ptr<TaskManagerGateway> gateway(const std::string& id) const override;
  std::string address(const std::string& id) const override;
  void OnJobChanged() override;
  void OnJobEnded(const JobId& id) override;

  int32_t SlotsInUse(const std::string& task_manager_id) const;
  void Lose(const std::string& task_manager_id, const std::string& why);
  void LoseTheSilent();
  void AdvanceWaitingJobs();
  void UpdateMetrics();
  JobMaster* Find(const std::string& job_id) const;

  const DispatcherSettings settings_;
  const LeaderEpoch leader_epoch_;
  Executor* const executor_;
  const Clock* const clock_;
  JobStore* const store_;
  const TaskManagerGatewayFactory gateways_;
  TaskManagerRegistry registry_;
  std::vector<std::shared_ptr<JobMaster>> jobs_;  // in the order they were submitted
  std::deque<JobId> ended_;                       // in the order they ended
  MetricRegistry* const metrics_;
  ClusterMetrics cluster_metrics_;
  std::map<JobId, std::unique_ptr<JobMetrics>> job_metrics_;  // of those that have not ended
  std::function<void()> on_change_;
  bool change_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // timers look at it
};

}  // namespace watershed
