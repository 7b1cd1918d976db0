// What the oracles see while the simulation runs: the messages between the processes and what the
// JobManager stored. Each rule that is broken is one violation, under the oracle's name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/job/regions.h"
#include "runtime/types/result.h"
#include "tests/sim/heartbeat_oracle.h"
#include "tests/sim/outside.h"
#include "tests/sim/schedule.h"
#include "watershed/v1/control.pb.h"
#include "watershed/v1/store.pb.h"

namespace watershed::sim {

struct Violation {
  std::string oracle;
  std::string what;
};

class Observer {
 public:
  Observer(Schedule* schedule, nanoseconds heartbeat_timeout)
      : schedule_(schedule),
        heartbeats_(heartbeat_timeout, [this](const std::string& oracle, std::string what) {
          Violate(oracle, std::move(what));
        }) {}

  HeartbeatOracle& heartbeats() { return heartbeats_; }

  // An attempt's first tasks are deployed; may be empty.
  std::function<void()> on_deployment;

  // The JobManager deploys; the answer of the TaskManager to any message.
  void OnDeployment(const v1::DeployTasksRequest& request);
  void OnTrigger(const v1::TriggerCheckpointRequest& request);
  void OnTaskManagerAnswer(const std::string& task_manager, int64_t epoch, bool accepted);
  // A task has answered a checkpoint; what the JobManager says to it when it comes there.
  void OnTaskAnswer(const v1::ReportCheckpointRequest& report);
  void OnJobManagerAnswer(const v1::ReportCheckpointRequest& report, bool accepted);
  // A sink's rows have become visible.
  void OnCommit(const Outside::Commit& commit);
  // An entry of the log is durable.
  void OnStored(const v1::LogEntry& entry);
  // What a new leader finds: also entries whose writers died before they heard of them.
  void OnRecovered(const v1::StoredState& state);
  // Those that have become complete since the last call, to be looked at.
  std::vector<v1::CheckpointEntry> TakeCompleted() { return std::exchange(unread_, {}); }
  // A complete manifest, as it lies in the storage.
  void OnManifest(const v1::CheckpointManifest& manifest);
  // An object of the checkpoint storage is damaged; its name below the job's directory.
  void OnDamaged(const std::string& name) { damaged_.insert(name); }
  // Whether the job may fail for this reason: it names what is damaged, and no retained checkpoint
  // does without that, or one that does is behind what targets have.
  bool MayFail(const std::string& reason) const;
  // What the JobManager shows of the job's checkpoints.
  void OnStatistics(const v1::CheckpointStatistics& statistics);
  // The simulation is over: what only the whole shows.
  void OnEnd();
  void OnTaskEnded(const std::string& task, int64_t late_records);

  bool may_drop_late = false;  // else no task may

  void Violate(const std::string& oracle, std::string what);

  const std::vector<Violation>& violations() const { return violations_; }
  int64_t completed() const { return static_cast<int64_t>(completed_.size()); }
  // Of the newest, as `wsctl submit -s` takes it; empty: none has completed.
  const std::string& last_path() const { return last_path_; }
  const std::set<int64_t>& restored() const { return restored_; }  // checkpoint ids
  // The complete ones that are kept, oldest first.
  const std::vector<v1::CheckpointEntry>& retained() const { return retained_; }
  // A damaged checkpoint has given way to an older one.
  bool fell_back() const { return !fallbacks_.empty(); }
  int64_t refused() const { return refused_; }
  int32_t attempts() const { return attempts_; }
  // Attempts that ran in another number of slots than the one before them.
  int64_t resized() const { return resized_; }
  // Of regions, while the job's others ran.
  int64_t region_restarts() const { return region_restarts_; }

 private:
  using Answer =
      std::tuple<int32_t, int64_t, std::string, int32_t>;  // attempt, id, vertex, subtask

  // One attempt of one job, when it was deployed.
  struct Deployment {
    int64_t newest_checkpoint = 0;  // that was complete by then; 0: none
    bool restored = false;
    int32_t slots = 0;
  };

  // An attempt that began with an older checkpoint than the newest.
  struct Fallback {
    int32_t attempt = 0;
    int64_t restored = 0;
    int64_t newest = 0;
  };
  // The newest one up to `most` that was deployed of this subtask's region; 0: none.
  using Attempts = std::map<std::pair<std::string, int32_t>, std::set<int32_t>>;
  int32_t NewestOf(const Attempts& attempts, const std::string& job, const std::string& vertex,
                   int32_t subtask, int32_t most = INT32_MAX) const;
  bool IsResized(const std::string& job, int32_t attempt) const;
  bool IsDamaged(int64_t checkpoint) const;
  void OnComplete(const v1::CheckpointEntry& checkpoint);

  Schedule* const schedule_;
  HeartbeatOracle heartbeats_;
  std::vector<Violation> violations_;
  int64_t leader_epoch_ = 0;  // of whoever leads
  // By job and region: the attempts that were deployed by whoever led, and by anybody. What a
  // leader deployed that did not know yet that it was none may be adopted by its successor.
  Attempts deployed_;
  Attempts started_;
  std::map<std::string, Regions> regions_;  // by job
  std::map<std::string, int64_t> epochs_;   // by TaskManager: the highest it has obeyed
  std::map<Answer, std::string> answers_;
  std::map<std::pair<std::string, int32_t>, Deployment> deployments_;
  // By job, attempt and checkpoint: the leader that triggered it.
  std::map<std::tuple<std::string, int32_t, int64_t>, int64_t> triggered_;
  std::set<int64_t> completed_;
  std::set<int64_t> judged_;  // whose duration has been looked at
  std::vector<v1::CheckpointEntry> retained_;
  std::map<int64_t, std::set<std::string>> files_;  // by checkpoint, with its manifest
  std::set<std::string> damaged_;
  std::vector<Fallback> fallbacks_;
  std::vector<v1::CheckpointEntry> unread_;
  std::set<int64_t> restored_;
  std::string last_path_;
  int64_t refused_ = 0;
  int32_t attempts_ = 0;
  int64_t resized_ = 0;
  int64_t region_restarts_ = 0;
};

}  // namespace watershed::sim
