// Drives one job from submission to its end: asks for slots, discovers splits, deploys, follows the
// tasks, cancels. What to do is decided by job_decision.h; this carries it out. Lives on the
// JobManager's executor; every call comes from there.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobmanager/cluster/task_manager_gateway.h"
#include "jobmanager/job/job_decision.h"
#include "jobmanager/job/job_state.h"
#include "jobmanager/scheduler/slot_assignment.h"
#include "jobmanager/store/job_store.h"
#include "runtime/process/executor.h"
#include "runtime/types/clock.h"
#include "runtime/types/ids.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// What a job sees of the cluster.
class ClusterAccess {
 public:
  virtual ~ClusterAccess() = default;
  virtual std::vector<FreeSlots> free_slots() const = 0;
  // nullptr when it is not registered (any more).
  virtual std::shared_ptr<TaskManagerGateway> gateway(const std::string& task_manager_id) const = 0;
  virtual std::string address(const std::string& task_manager_id) const = 0;
  // Something that the job shows has changed. May be called often, from within the job.
  virtual void OnJobChanged() = 0;
  // A job has ended and holds no slots any more. Called once, from Advance.
  virtual void OnJobEnded(const JobId& id) = 0;
};

struct JobServices {
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  JobStore* store = nullptr;
  ClusterAccess* cluster = nullptr;
  LeaderEpoch leader_epoch;
};

class JobMaster : public std::enable_shared_from_this<JobMaster> {
 public:
  // `shown_plan` is the plan without secrets.
  JobMaster(JobId id, v1::PhysicalPlan plan, v1::PhysicalPlan shown_plan,
            const JobServices& services);

  // Does everything that can be done now. Call it after anything about the job or the cluster
  // changed.
  void Advance();
  void RequestCancel();

  // A TaskManager tells a task's state; stale attempts and steps backwards are ignored.
  void OnTaskReport(const std::string& task_manager_id, const v1::SubtaskStatus& report);
  // The same for its figures alone.
  void OnCounters(const std::string& task_manager_id, const v1::SubtaskStatus& report);
  void OnTaskManagerLost(const std::string& task_manager_id, const std::string& why);

  const JobId& id() const { return id_; }
  Attempt attempt() const { return attempt_; }
  v1::JobState state() const { return state_.state(); }
  int64_t entered_ms(v1::JobState state) const { return state_.entered_ms(state); }
  bool ended() const { return end_time_ms_ >= 0; }
  int64_t start_time_ms() const { return start_time_ms_; }
  int64_t end_time_ms() const { return end_time_ms_; }
  const std::string& name() const { return plan_.job_name(); }
  int32_t SlotsHeldOn(const std::string& task_manager_id) const;
  int32_t TasksOn(const std::string& task_manager_id) const;  // that have not ended
  // Whether a TaskManager that runs this attempt should go on with it.
  bool Wants(Attempt attempt) const;

  v1::JobSummary Summary() const;
  v1::JobDetails Details() const;

 private:
  struct Deployment {
    bool pending = true;  // DeployTasks is not answered yet
    bool cancel_sent = false;
  };
  struct Discovery {
    std::optional<std::vector<v1::Split>> splits;
    int failures = 0;  // in a row
  };

  JobFacts Facts() const;
  bool Perform(JobAction action);  // false: nothing more can be done now
  bool Enter(v1::JobState state);
  void End();

  bool RequestSlots();
  void ReleaseSlots();
  void StartDiscovery();
  void DiscoverSource(const std::string& vertex_id);
  void OnDiscovered(const std::string& vertex_id, Result<v1::DiscoverSplitsResponse> response);
  bool Deploy();
  v1::DeployTasksRequest CommonDeployment() const;
  void OnDeployed(const std::string& task_manager_id, const Status& status);
  void CancelTasks();
  void SendCancel(const std::string& task_manager_id);
  void OnCancelled(const std::string& task_manager_id, Result<v1::CancelTasksResponse> response);

  v1::SubtaskStatus* FindSubtask(const std::string& vertex_id, int32_t subtask);
  void SetState(v1::SubtaskStatus& subtask, v1::TaskState state);
  std::string TaskName(const v1::SubtaskStatus& subtask) const;  // "Source: events (2/4)"
  void Fail(std::string message);
  std::string StatusReason() const;
  void Touch();
  // Runs `handler` on the executor, unless the job's slots have changed or it is gone by then.
  template <typename Argument>
  std::function<void(Argument)> Later(std::function<void(JobMaster&, Argument)> handler);

  const JobId id_;
  const v1::PhysicalPlan plan_;
  const v1::PhysicalPlan shown_plan_;
  const JobServices services_;
  JobStateMachine state_;
  Attempt attempt_{0};
  int64_t start_time_ms_;
  int64_t end_time_ms_ = -1;
  int64_t last_modification_ms_;
  std::string waiting_reason_;
  std::string failure_;
  bool cancel_requested_ = false;
  bool advancing_ = false;
  bool advance_again_ = false;

  std::vector<std::string> slots_;  // the TaskManager of each slot; empty: none held
  uint64_t placement_ = 0;  // rises when the slots change: answers to older ones are dropped
  std::map<std::string, Discovery> discoveries_;  // by source vertex
  bool discovery_started_ = false;
  std::map<std::string, Deployment> deployments_;  // by TaskManager; empty until deployed
  std::vector<v1::SubtaskStatus> subtasks_;        // in the plan's order
  std::map<std::string, size_t> first_subtask_;    // of a vertex, index into subtasks_
};

}  // namespace watershed
