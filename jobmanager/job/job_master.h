// Drives one job from submission to its end: asks for slots, discovers splits, deploys, follows the
// tasks, restarts after failures, cancels. What to do is decided by job_decision.h; this carries it
// out, in files by subject: job_deployment.cc, job_restart.cc, job_regions.cc, job_savepoints.cc,
// job_evacuation.cc, job_parallelism.cc, job_details.cc (what it shows). Lives on the JobManager's
// executor; every call comes from there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "jobmanager/job/cluster_access.h"
#include "jobmanager/job/job_checkpoints.h"
#include "jobmanager/job/job_decision.h"
#include "jobmanager/job/job_operations.h"
#include "jobmanager/job/job_state.h"
#include "jobmanager/job/restart_strategy.h"
#include "jobmanager/scheduler/adaptive.h"
#include "runtime/job/regions.h"
#include "runtime/logging/log.h"
#include "runtime/types/ids.h"
#include "watershed/v1/control.pb.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

// What a job is made of.
struct JobDescription {
  v1::StoredJob stored;         // of a new job its submission alone
  bool recovered = false;       // an earlier JobManager knew it
  v1::PhysicalPlan plan;        // what it asks for
  v1::PhysicalPlan shown_plan;  // without secrets
  v1::JobGraph shown_graph;     // the same
  RestartSettings restart;
  CheckpointSettings checkpoints;
  AdaptiveSettings adaptive;
  bool restarts_regions = false;  // by themselves, when their tasks fail
  // No attempt and no checkpoint id up to these is used again: those of the job's lineage.
  Attempt attempts_used{0};
  CheckpointId checkpoints_used{0};
  std::string unusable;  // why it cannot be run any more; empty: it can
};

class JobMaster final : public std::enable_shared_from_this<JobMaster>, private CheckpointedJob {
 public:
  JobMaster(JobDescription description, const JobServices& services);

  // Does everything that can be done now. Call it after anything about the job or the cluster
  // changed.
  void Advance();
  // Stores that the job is to be cancelled, unless it is known; once that is durable the job ends
  // CANCELED, unless its end was on its way into the log before.
  void RequestCancel();

  // Clients. An operation that is known already is not begun again.
  // Empty directory: a checkpoint, no savepoint.
  Status RequestCheckpoint(const std::string& operation_id, const std::string& savepoint_directory);
  // Stores it; once that is durable the job stops as soon as it runs, unless its savepoint fails.
  Status RequestStop(const std::string& operation_id, const std::string& directory, bool drain);
  // Nothing: it is not remembered (any more).
  std::optional<v1::Operation> FindOperation(const std::string& operation_id) const {
    return operations_.Find(operation_id);
  }

  // A TaskManager tells states of tasks; stale attempts and steps backwards are ignored.
  void OnTaskReports(const std::string& task_manager_id,
                     const std::vector<v1::SubtaskStatus>& reports);
  // The same for its figures alone.
  void OnCounters(const std::string& task_manager_id, const v1::SubtaskStatus& report);
  void OnTaskManagerLost(const std::string& task_manager_id, const std::string& why);
  // It waits to be rid of its tasks, and says so again and again.
  void OnTaskManagerLeaving(const std::string& task_manager_id);
  // A TaskManager says at its registration that it runs tasks of the job.
  void OnRunningAttempt(const std::string& task_manager_id, const v1::RunningAttempt& running);
  // Whoever has not reported by now runs no task of the job.
  void EndReconciling();
  // An error when the attempt is not current.
  Status OnCheckpointReport(const v1::ReportCheckpointRequest& report);

  const JobId& id() const { return id_; }
  Attempt attempt() const { return attempt_; }  // the last number taken
  v1::JobState state() const { return state_.state(); }
  int64_t entered_ms(v1::JobState state) const { return state_.entered_ms(state); }
  bool ended() const { return end_time_ms_ >= 0; }
  bool has_interval() const { return has_interval_; }  // of checkpoints
  int64_t start_time_ms() const { return start_time_ms_; }
  int64_t end_time_ms() const { return end_time_ms_; }
  const std::string& name() const { return submission_.graph().name(); }
  const std::string& lineage() const { return submission_.lineage(); }
  CheckpointId checkpoints_used() const;
  int32_t restarts() const;
  // nullptr: the cluster has no directory for them.
  const v1::CheckpointStatistics* checkpoints() const {
    return checkpoints_ == nullptr ? nullptr : &checkpoints_->statistics();
  }
  // Nothing: it is not remembered (any more).
  std::optional<v1::CheckpointDetails> FindCheckpoint(CheckpointId checkpoint) const {
    return checkpoints_ == nullptr ? std::nullopt : checkpoints_->Details(checkpoint);
  }
  // It would be restored from the files in this directory, which are another job's or a
  // savepoint's.
  bool BeginsWith(const std::string& directory) const;
  int32_t SlotsHeldOn(const std::string& task_manager_id) const;
  int32_t TasksOn(const std::string& task_manager_id) const;  // that have not ended
  // Whether a TaskManager that runs this attempt should go on with it.
  bool Wants(Attempt attempt) const;

  v1::JobSummary Summary() const;
  v1::JobDetails Details() const;

 private:
  struct Deployment {
    bool pending = true;  // DeployTasks is not answered yet
  };
  using DeploymentKey = std::pair<std::string, Attempt>;  // TaskManager, its region's attempt
  struct Discovery {
    std::optional<std::vector<v1::Split>> splits;  // durable
    bool being_stored = false;
    int failures = 0;  // in a row
  };

  // A checkpoint after which its tasks move: that is no failure.
  struct Move {
    std::string operation_id;
    std::string reason;
    bool grows = false;  // it is for more slots
  };

  // Regions whose tasks have failed: they start anew while the others run. Until the end of that
  // the job is RESTARTING.
  struct RegionRestart {
    std::set<int32_t> regions;
    RestartDecision decision;
    std::string reason;
    bool released = false;  // the former tasks have ended
    bool deployed = false;  // the new ones are
    uint64_t number = 0;    // of all such restarts
  };

  void CreateSubtasks();
  void Recover(const v1::StoredJob& stored);
  JobFacts Facts() const;
  bool Perform(JobAction action);  // false: nothing more can be done now
  bool Enter(v1::JobState state);
  bool EnterRunning();
  bool StoreEnd(v1::JobState state);
  void OnEndStored(v1::JobState state);

  // In how many slots.
  void RunIn(int32_t slots);  // the next attempt, or the one that is adopted
  int32_t SlotsToTake(const std::vector<FreeSlots>& cluster);  // 0: it waits
  // How many are free; remembers since when any have been.
  int32_t NoteFree(const std::vector<FreeSlots>& cluster, std::chrono::nanoseconds now);
  bool IsSmaller() const;  // than it asks for
  void ConsiderGrowth();
  bool MayGrow() const;
  void LookAgainAt(std::chrono::nanoseconds time);  // steady

  // Deployment.
  bool RequestSlots();
  void ReleaseSlots();
  bool StoreAttempt();
  bool StartDiscovery();
  void DiscoverSource(const std::string& vertex_id);
  void OnDiscovered(const std::string& vertex_id, Result<v1::DiscoverSplitsResponse> response);
  void StoreSplits(const std::string& vertex_id, const v1::DiscoverSplitsResponse& discovered);
  bool HasSplits() const;
  void OnAttemptStored(const v1::AttemptEntry& entry, const v1::PhysicalPlan* plan,
                       uint64_t region_restart);
  bool Deploy();
  v1::DeployTasksRequest CommonDeployment() const;
  // Of a region, with where it finds its peers.
  v1::DeployTasksRequest DeploymentOf(int32_t region, const v1::DeployTasksRequest& common) const;
  void AddTask(v1::SubtaskStatus& subtask, const std::vector<std::vector<v1::Split>>& splits,
               v1::DeployTasksRequest& request);
  std::vector<std::vector<v1::Split>> SplitsOf(const v1::Vertex& vertex) const;
  void OnDeployed(const DeploymentKey& key, const Status& status);
  bool CancelTasks();
  void CancelDeployed();  // those that are CANCELING
  void SendCancel(const DeploymentKey& key);
  void OnCancelled(const DeploymentKey& key, Result<v1::CancelTasksResponse> response);

  void OnTaskReport(const std::string& task_manager_id, const v1::SubtaskStatus& report);
  // It runs or is to run: it should not end before its input has.
  bool Wants(const v1::SubtaskStatus& subtask) const;
  void NoteFinished(const v1::SubtaskStatus& subtask);
  // Those noted since the last call, unless the job ends anyway.
  void StoreFinished();

  // Regions (job_regions.cc).
  Regions PlannedRegions() const;  // of the next start
  void RecoverRegions(const v1::StoredJob& stored);
  int32_t RegionOf(const v1::SubtaskStatus& subtask) const;
  // Of the region; 0: none is stored.
  Attempt AttemptOf(int32_t region) const;
  Attempt OldestAttempt() const;
  // Whether the step that the job takes is about this subtask: in a restart of regions theirs.
  bool IsConcerned(const v1::SubtaskStatus& subtask) const;
  // Ends what a failed task or a lost TaskManager has left of them: they restart, or all do.
  void FailRegions(const std::set<int32_t>& regions, std::string message, bool is_final = false);
  bool MayRestartAlone(const std::set<int32_t>& regions) const;
  bool RestartRegions();
  bool ReleaseRegions();
  bool RequestRegionSlots();
  void GiveUpRegions();  // all tasks end or restart instead
  std::set<CheckpointCoordinator::SubtaskKey> SubtasksOf(const std::set<int32_t>& regions) const;
  std::string NamesOf(const std::set<int32_t>& regions) const;

  // Restart, restore, reconciling.
  std::vector<StoredCheckpoint> RestoreCandidates() const;
  bool ReadRestorePoint();
  void OnRestorePoint(const v1::PhysicalPlan* plan, Result<RestorePoint> point);
  // Whether the regions that restart may begin with it; else all tasks do.
  bool FitsRegions(const RestorePoint& point);
  bool EnterFailing();
  bool EnterCancelling();
  bool EnterRestarting();
  bool HasProgressed(Attempt attempt) const;  // a checkpoint since it began is complete
  RestartDecision AskRestartStrategy();
  static void ForgetTask(v1::SubtaskStatus& subtask);
  bool EnterCreated();
  void AdoptOrRestart(const std::string& task_manager_id, Attempt attempt,
                      const v1::SubtaskStatus& report);
  bool Adopt(const std::string& task_manager_id, Attempt attempt, const v1::SubtaskStatus& report);
  void CancelReported(const std::string& task_manager_id, const v1::RunningAttempt& running);
  bool RestartWithoutFailure(std::string reason);
  // What a task that has failed says of it.
  void FailBy(const std::string& task_manager_id, const v1::SubtaskStatus& task);
  bool IsRestored(const std::string& file) const;  // by this attempt
  bool ReadLastCheckpoint();
  void OnLastCheckpoint(Result<v1::CheckpointManifest> manifest);
  void ReadAgainLater(const std::string& what, const Error& error);

  // CheckpointedJob.
  std::vector<TasksAt> TasksInUse() const override;
  void Describe(v1::CheckpointManifest& manifest) const override;
  void OnCheckpointsShown() override;
  void OnTooManyFailures(const std::string& reason) override;
  void OnCheckpointAnswer(const CheckpointRequest& request,
                          const Result<v1::CheckpointRef>& outcome) override;
  // An unbounded job without an interval takes none: it would never publish anything.
  bool TakesCheckpoints() const;
  void StartCheckpoints();  // of the attempt
  void AdoptCheckpoints();  // the same, of tasks that go on

  // Savepoints and stops.
  Status CheckMayBeAsked() const;
  bool IsToStop() const;  // durable, and not given up
  bool IsOfTheStop(const v1::CheckpointRef& checkpoint) const;
  const v1::CheckpointRef* newest_checkpoint() const;  // of its own; null: none
  bool IsStopped() const;  // with the newest checkpoint; its sinks may still have to commit
  void RequestStopCheckpoint(std::chrono::nanoseconds not_before = {});
  void OnStopCheckpointFailed(const std::string& reason);
  void GiveUpStop(const std::string& reason);
  void RequestMove(std::string reason, bool grows);
  void OnMoveAnswer(const Result<v1::CheckpointRef>& outcome);
  void DiscardFormerSavepoints(const v1::CheckpointRef& newest);
  // `last`: its newest checkpoint; null: none.
  void EndOperations(v1::JobState end, const v1::CheckpointRef* last);
  void RecoverOperations(const v1::StoredJob& stored);

  v1::SubtaskStatus* FindSubtask(const std::string& vertex_id, int32_t subtask);
  // DeployTasks has been sent; before, it may have the attempt that it had before.
  static bool IsDeployed(const v1::SubtaskStatus& subtask);
  static bool IsAt(const DeploymentKey& key, const v1::SubtaskStatus& subtask);
  // Whether a report is of this subtask as it is deployed.
  static bool IsFrom(const std::string& task_manager_id, const v1::SubtaskStatus& report,
                     const v1::SubtaskStatus& subtask);
  void SetState(v1::SubtaskStatus& subtask, v1::TaskState state);
  void SetCounters(v1::SubtaskStatus& subtask, const v1::TaskCounters& counters);
  std::string TaskName(const v1::SubtaskStatus& subtask) const;  // "Source: events (2/4)"
  // `is_final`: trying again cannot help.
  void Fail(std::string message, bool is_final = false);
  std::string StatusReason() const;
  std::string HowItGrows() const;
  std::string WaitingReason() const;
  std::string CheckpointTrouble() const;
  void Touch();
  // Runs `handler` on the executor, unless the job's slots have changed or it is gone by then.
  template <typename Argument>
  std::function<void(Argument)> Later(std::function<void(JobMaster&, Argument)> handler);
  // Makes an entry durable, then goes on, whatever happened to the slots.
  void Store(v1::LogEntry entry, std::function<void(JobMaster&)> stored);

  const v1::SubmissionEntry submission_;
  const JobId id_;
  const std::shared_ptr<const v1::PhysicalPlan> wanted_plan_;
  const v1::PhysicalPlan wanted_shown_plan_;
  // As the attempt runs; another object when that changes.
  std::shared_ptr<const v1::PhysicalPlan> plan_;
  v1::PhysicalPlan shown_plan_;
  const v1::JobGraph shown_graph_;
  const JobServices services_;
  JobStateMachine state_;
  Attempt attempt_;  // the last one that was stored
  const bool restarts_regions_;
  Regions regions_;                       // of the attempts that live, or come next
  std::vector<Attempt> region_attempts_;  // by region; empty: none is stored
  int32_t attempts_beside_ = 0;           // numbers that starts have taken beyond one each
  std::set<int32_t> failed_regions_;      // to be restarted next
  std::string region_failure_;            // why
  std::optional<RegionRestart> region_restart_;
  uint64_t region_restarts_ = 0;         // begun
  const Attempt attempts_used_;          // before the first of this job
  const CheckpointId checkpoints_used_;  // before this JobManager
  int64_t start_time_ms_;
  int64_t end_time_ms_ = -1;
  int64_t last_modification_ms_;
  std::string waiting_reason_;
  std::string failure_;
  bool failure_is_final_ = false;
  std::string last_restart_reason_;
  bool cancel_requested_ = false;  // and durable
  bool cancel_is_being_stored_ = false;
  // Cancelled before all TaskManagers could report what they run: the rest may still run.
  bool awaits_reports_ = false;
  bool end_is_being_stored_ = false;
  JobOperations operations_;
  v1::StopEntry stop_;  // the last one that was stored
  bool stop_is_being_stored_ = false;
  std::optional<Move> move_;  // nothing: the tasks stay
  bool advancing_ = false;
  bool advance_again_ = false;

  const AdaptiveSettings adaptive_;
  // Steady clock; nothing: it does not wait for slots, there are no free ones.
  std::optional<std::chrono::nanoseconds> waits_since_, some_since_;
  std::chrono::nanoseconds runs_since_{0};  // or it tried in vain to grow
  bool has_waited_ = false;                 // the next attempt takes the slots that it finds
  Executor::TimerId slots_timer_ = 0;

  RestartStrategy restart_strategy_;
  bool lost_task_manager_ = false;          // the attempt has, with tasks that had not ended
  bool restart_without_failure_ = false;    // the next restart is no failure of the job
  RestartDecision restart_;                 // to the failure that is recorded
  std::optional<RestartDecision> refusal_;  // of the strategy, to one that is to be recorded
  bool restart_due_ = false;
  bool reconciling_is_over_ = false;
  StepProgress attempt_progress_ = StepProgress::kNotBegun;
  StepProgress restore_progress_ = StepProgress::kNotBegun;
  uint64_t restore_reads_ = 0;           // begun: only the last one's answer is of use
  int restore_failures_ = 0;             // in a row
  std::optional<RestorePoint> restore_;  // of the attempt; nothing: it begins empty
  DamagedFiles damaged_files_;           // which no attempt begins with
  // Of tasks that were adopted, when one of them has ended: the last word of those.
  std::vector<v1::SubtaskSnapshot> last_parts_;

  std::vector<std::string> slots_;  // the TaskManager of each slot; empty: none held
  uint64_t placement_ = 0;  // rises when the slots change: answers to older ones are dropped
  std::map<std::string, Discovery> discoveries_;  // by source vertex
  bool discovery_started_ = false;
  std::map<DeploymentKey, Deployment> deployments_;  // empty until deployed
  std::vector<v1::SubtaskStatus> subtasks_;          // in the plan's order
  std::map<std::string, size_t> first_subtask_;      // of a vertex, index into subtasks_
  std::vector<v1::TaskId> finished_unstored_;
  const bool has_interval_;                      // of checkpoints
  std::shared_ptr<JobCheckpoints> checkpoints_;  // null: the cluster has no directory for them
};

template <typename Argument>
std::function<void(Argument)> JobMaster::Later(std::function<void(JobMaster&, Argument)> handler) {
  return [executor = services_.executor, weak = weak_from_this(), placement = placement_,
          handler = std::move(handler)](Argument argument) {
    executor->Post([weak, placement, handler, argument = std::move(argument)]() mutable {
      const std::shared_ptr<JobMaster> job = weak.lock();
      if (job == nullptr || job->placement_ != placement) return;
      const ScopedLogFields fields({.job = job->id_.hex, .attempt = job->attempt_.value});
      handler(*job, std::move(argument));
      job->Advance();
    });
  };
}

}  // namespace watershed
