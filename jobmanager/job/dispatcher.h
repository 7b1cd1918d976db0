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
#include <utility>
#include <vector>

#include "jobmanager/cluster/task_manager_registry.h"
#include "jobmanager/job/job_description.h"
#include "jobmanager/job/job_master.h"
#include "jobmanager/job/job_metrics.h"
#include "jobmanager/job/job_operations.h"
#include "jobmanager/job/job_view.h"
#include "jobmanager/store/job_store.h"
#include "runtime/process/executor.h"
#include "runtime/types/clock.h"
#include "runtime/types/result.h"

namespace watershed {

struct DispatcherSettings {
  std::chrono::milliseconds heartbeat_interval{1000};
  std::chrono::milliseconds heartbeat_timeout{5000};
  int64_t ended_jobs_kept = 200;
  // While it leads, the log never stays as it is for longer than two thirds of it; 0: it may.
  std::chrono::milliseconds lease{0};
  bool keeps_log = true;  // false: the store forgets, epochs are of the wall clock and may go back
  JobDefaults jobs;
};

// All pointers outlive the dispatcher.
struct DispatcherServices {
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  JobStore* store = nullptr;  // whose leader this is
  MetricRegistry* metrics = nullptr;
  MetricLabels metric_labels;  // of all that it exports: host
  TaskManagerGatewayFactory gateways;
  WorkRunner* io = nullptr;              // for checkpoint storage
  StorageOpener open_storage;            // the same
  StorageOpener open_existing;           // of what a client named: makes no directory
  std::function<std::string()> make_id;  // of jobs and lineages, 32 hex; null: random
  // What has to be stored could not be: nothing is done any more, the process must end. Once.
  std::function<void(const Error&)> on_fatal;
};

class Dispatcher final : private ClusterAccess {
 public:
  Dispatcher(const DispatcherSettings& settings, DispatcherServices services);
  ~Dispatcher() override;

  // Once, before any other call, with what the store said to its new leader: the jobs of an earlier
  // JobManager go on.
  void Lead(const v1::StoredState& stored);

  // The process ends in order: connections that break from now on say nothing of the TaskManagers,
  // whose tasks go on without this JobManager.
  void OnShutdown() { is_shutting_down_ = true; }

  // Says in the log that another JobManager may lead at once. Nothing is stored after it, as if the
  // process had been killed. `done` runs on the executor when it is durable; never, if it cannot
  // be.
  void ReleaseLease(std::function<void()> done);

  // Called on the executor after jobs or TaskManagers have changed; several changes may be one
  // call.
  void SetOnChange(std::function<void()> on_change) { on_change_ = std::move(on_change); }

  // Clients. `done` runs on the executor once the submission is durable, or is an error.
  void Submit(const v1::SubmitJobRequest& request, std::function<void(Result<JobId>)> done);
  // What whoever submitted it should know.
  std::vector<std::string> WarningsOf(const JobId& id) const;
  // Asks for it; it is certain once WhenStored says so.
  Status Cancel(const std::string& job_id);
  // Operations (dispatcher_operations.cc). `done` runs on the executor with the operation's id;
  // that of a stop is durable then once WhenStored says so.
  using OperationDone = std::function<void(Result<std::string>)>;
  void TriggerSavepoint(const v1::TriggerSavepointRequest& request, OperationDone done);
  void StopWithSavepoint(const v1::StopWithSavepointRequest& request, OperationDone done);
  Result<std::string> RequestCheckpoint(const v1::RequestCheckpointRequest& request);
  // With an empty job id: of a disposal that was begun with BeginDisposal.
  Result<v1::Operation> FindOperation(const v1::GetOperationRequest& request) const;
  void DisposeSavepoint(const std::string& path, std::function<void(Status)> done);
  // The same as an operation; its id.
  std::string BeginDisposal(const std::string& path);
  // Calls `done` when all that the calls so far gave cause to store is durable; on the executor,
  // perhaps at once. Never, if it cannot be stored.
  void WhenStored(std::function<void()> done);
  std::vector<v1::JobSummary> Summaries(bool include_ended) const;  // newest first
  Result<v1::JobDetails> Details(const std::string& job_id) const;
  Result<v1::CheckpointDetails> FindCheckpoint(const std::string& job_id, CheckpointId id) const;
  std::vector<TaskManagerView> TaskManagers() const;

  // TaskManagers. Messages of another leader epoch, or from one that is not registered, are
  // refused.
  Result<v1::RegisterTaskManagerResponse> Register(const v1::RegisterTaskManagerRequest& request);
  v1::HeartbeatResponse Heartbeat(const v1::HeartbeatRequest& request);
  Status UpdateTasks(const v1::UpdateTasksRequest& request);
  Status ReportCheckpoint(const v1::ReportCheckpointRequest& request);
  bool IsRegistered(const v1::AttachRequest& request);
  // The connection of this registration broke: its process is gone.
  void OnDetached(const std::string& task_manager_id, int64_t registration);

 private:
  std::vector<FreeSlots> free_slots() const override;
  std::shared_ptr<TaskManagerGateway> gateway(const std::string& id) const override;
  std::string address(const std::string& id) const override;
  void Store(v1::LogEntry entry, std::function<void()> stored) override;
  std::string store_trouble() const override;
  void OnJobChanged() override;
  void OnJobEnded(const JobId& id) override;

  // Submission and recovery (dispatcher_submission.cc).
  void SubmitFrom(v1::StoredJob job, const v1::SubmitJobRequest& request,
                  std::function<void(Result<JobId>)> done);
  // Looks whether savepoints can be written there, then calls `ask` with an operation's id.
  void AskWithDirectory(const std::string& job_id, std::string directory, std::string operation_id,
                        std::function<Status(JobMaster&, const std::string& operation_id,
                                             const std::string& directory)>
                            ask,
                        OperationDone done);
  void StoreSubmission(JobDescription job, std::function<void(Result<JobId>)> done);
  JobMaster* AddJob(JobDescription job);
  void AnswerTheStored();
  JobServices ServicesOfJobs();
  std::string MakeId() const;
  Status CheckSender(const std::string& task_manager_id, int64_t leader_epoch);
  void DropOldestEnded();

  void RenewLease();
  int32_t SlotsInUse(const std::string& task_manager_id) const;
  int32_t TasksOn(const std::string& task_manager_id) const;  // that have not ended
  void Lose(const std::string& task_manager_id, const std::string& why);
  void Remove(const std::string& task_manager_id, const std::string& why);
  void OnLeaving(TaskManagerEntry& entry);
  void LoseTheSilent();
  void ForgiveOwnSilence(std::chrono::nanoseconds between_looks);
  std::chrono::nanoseconds HeartbeatTime() const;
  void AdvanceWaitingJobs();
  void UpdateMetrics();
  JobMaster* Find(const std::string& job_id) const;
  Result<JobMaster*> FindNamed(const std::string& job_id) const;  // by a client

  const DispatcherSettings settings_;
  LeaderEpoch leader_epoch_;
  const DispatcherServices services_;
  Executor* const executor_;
  const Clock* const clock_;
  TaskManagerRegistry registry_;
  std::vector<std::shared_ptr<JobMaster>> jobs_;  // in the order they were submitted
  std::deque<JobId> ended_;                       // in the order they ended
  JobOperations disposals_;
  ClusterMetrics cluster_metrics_;
  std::map<JobId, std::unique_ptr<JobMetrics>> job_metrics_;  // of those that have not ended
  std::function<void()> on_change_;
  std::deque<std::chrono::nanoseconds> append_times_;  // of the entries that are not durable yet
  std::optional<std::chrono::nanoseconds> looked_at_;  // for the silent; steady clock
  int64_t entries_appended_ = 0;
  int64_t entries_stored_ = 0;
  int64_t entries_at_renewal_ = -1;                                    // appended then
  std::deque<std::pair<int64_t, std::function<void()>>> when_stored_;  // of so many entries
  bool change_posted_ = false;
  bool is_shutting_down_ = false;
  bool has_released_ = false;                                   // the lease
  bool has_failed_ = false;                                     // on_fatal has been called
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // timers look at it
};

}  // namespace watershed
