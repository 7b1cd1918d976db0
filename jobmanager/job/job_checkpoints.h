// The checkpoints of one job over all its attempts: carries out what the CheckpointCoordinator of
// the current attempt decides, and keeps what is retained. On the JobManager's executor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "jobmanager/checkpoint/checkpoint_coordinator.h"
#include "jobmanager/checkpoint/checkpoint_history.h"
#include "jobmanager/checkpoint/file_collector.h"
#include "jobmanager/checkpoint/manifest_store.h"
#include "jobmanager/job/cluster_access.h"
#include "runtime/types/ids.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// What checkpoints ask of their job.
class CheckpointedJob {
 public:
  // A TaskManager with tasks of an attempt that have not ended.
  struct TasksAt {
    std::string task_manager_id;
    Attempt attempt;
    std::shared_ptr<TaskManagerGateway> gateway;
  };
  virtual ~CheckpointedJob() = default;
  virtual std::vector<TasksAt> TasksInUse() const = 0;
  // Job, lineage, graph and plan, without secrets; puts the parts into the plan's order.
  virtual void Describe(v1::CheckpointManifest& manifest) const = 0;
  virtual void OnCheckpointsShown() = 0;  // a figure that people see has changed
  virtual void OnTooManyFailures(const std::string& reason) = 0;
  // What a request has come to.
  virtual void OnCheckpointAnswer(const CheckpointRequest& request,
                                  const Result<v1::CheckpointRef>& outcome) = 0;
};

class JobCheckpoints : public std::enable_shared_from_this<JobCheckpoints> {
 public:
  using SubtaskKey = CheckpointCoordinator::SubtaskKey;

  // `stored`: the job as the log has it. `used`: no id up to it is used again.
  JobCheckpoints(CheckpointedJob* job, const v1::StoredJob& stored, const JobServices& services,
                 const CheckpointSettings& settings, CheckpointId used);

  // The entry of the attempt is durable. Regions have one each (runtime/job/regions.h): `newest` is
  // the highest of them, and that of manifests; `oldest` the lowest.
  void StartAttempt(Attempt newest, Attempt oldest,
                    const std::map<SubtaskKey, std::string>& subtasks);
  void StopAttempt(const std::string& reason);

  // Regions have failed and are to start anew, while the others go on; until OnRunning there are no
  // checkpoints.
  void OnRegionsFailed(const std::string& reason);
  // The entry of their attempts is durable. `subtasks`: theirs.
  void OnRegionsBegin(Attempt newest, Attempt oldest, const std::set<SubtaskKey>& subtasks);

  void OnRunning();
  // `last`: parts that have ended. `is_stopped`: the job is stopped with its newest checkpoint.
  void OnAdopted(const std::vector<v1::SubtaskSnapshot>& last, bool is_stopped);
  // Of the running attempt; one that it leaves open is not answered.
  void Request(CheckpointRequest request);
  void OnEnded(const SubtaskKey& subtask);
  void OnFinished(const SubtaskKey& subtask);
  void OnReport(const v1::ReportCheckpointRequest& report);
  void OnRestored(const RestorePoint& point);

  const std::vector<v1::CheckpointRef>& retained() const { return retained_; }
  const std::shared_ptr<ManifestStore>& manifests() const { return manifests_; }
  const v1::CheckpointStatistics& statistics() const { return history_.statistics(); }
  v1::CheckpointCounts counts() const { return history_.counts(); }
  std::optional<v1::CheckpointDetails> Details(CheckpointId checkpoint) const {
    return history_.Details(checkpoint);
  }

 private:
  // Does what the coordinator wants now, and sets the timer for what it wants later.
  void Pump();
  void Perform(const CheckpointCoordinator::Trigger& trigger);
  void Perform(CheckpointCoordinator::Store& store);
  void Perform(const CheckpointCoordinator::Notify& notify);
  void Perform(const CheckpointCoordinator::FailJob& failure);
  void Perform(const CheckpointCoordinator::Answer& answer);
  void OnManifest(const CheckpointCoordinator::Store& store, Result<v1::CheckpointRef> stored,
                  uint64_t generation);
  void OnEntry(const v1::CheckpointRef& stored, const std::vector<CheckpointId>& subsumed,
               uint64_t generation);
  void Retain(const v1::CheckpointRef& stored, const std::vector<CheckpointId>& subsumed);
  void SetTimer();

  CheckpointedJob* const job_;
  const JobId id_;
  const JobServices services_;
  const CheckpointSettings settings_;
  const std::shared_ptr<ManifestStore> manifests_;
  FileCollector collector_;
  CheckpointHistory history_;
  std::vector<v1::CheckpointRef> retained_;
  CheckpointId next_;
  Attempt attempt_{0};  // the newest
  std::optional<CheckpointCoordinator> coordinator_;
  uint64_t generation_ = 0;  // rises with every start and stop: answers to older ones are dropped
  Executor::TimerId timer_ = 0;
};

}  // namespace watershed
