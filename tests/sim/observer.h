// What the oracles see while the simulation runs: the messages between the processes and what the
// JobManager stored. Each rule that is broken is one violation, under the oracle's name.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/types/result.h"
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
  // `may_fall_back`: checkpoints are damaged, so that an older one may be restored.
  Observer(Schedule* schedule, bool may_fall_back)
      : schedule_(schedule), may_fall_back_(may_fall_back) {}

  // The JobManager deploys; the answer of the TaskManager to any message.
  void OnDeployment(const v1::DeployTasksRequest& request);
  void OnTaskManagerAnswer(const std::string& task_manager, int64_t epoch, bool accepted);
  // A task has answered a checkpoint; what the JobManager says to it when it comes there.
  void OnTaskAnswer(const v1::ReportCheckpointRequest& report);
  void OnJobManagerAnswer(const v1::ReportCheckpointRequest& report, bool accepted);
  // An entry of the log is durable.
  void OnStored(const v1::LogEntry& entry);
  // Those that have become complete since the last call, to be looked at.
  std::vector<v1::CheckpointEntry> TakeCompleted() { return std::exchange(unread_, {}); }
  // A complete manifest, as it lies in the storage.
  void OnManifest(const v1::CheckpointManifest& manifest);
  // The simulation is over: what only the whole shows.
  void OnEnd();
  void OnTaskEnded(const std::string& task, int64_t late_records);

  void Violate(const std::string& oracle, std::string what);

  const std::vector<Violation>& violations() const { return violations_; }
  int64_t completed() const { return static_cast<int64_t>(completed_.size()); }
  // Of the newest, as `wsctl submit -s` takes it; empty: none has completed.
  const std::string& last_path() const { return last_path_; }
  const std::set<int64_t>& restored() const { return restored_; }  // checkpoint ids
  int64_t refused() const { return refused_; }
  int32_t attempts() const { return attempts_; }

 private:
  using Answer =
      std::tuple<int32_t, int64_t, std::string, int32_t>;  // attempt, id, vertex, subtask

  // One attempt of one job, when it was deployed.
  struct Deployment {
    int64_t newest_checkpoint = 0;  // that was complete by then; 0: none
    bool restored = false;
  };

  Schedule* const schedule_;
  const bool may_fall_back_;
  std::vector<Violation> violations_;
  std::map<std::string, int32_t> deployed_;  // by job: the newest attempt that was deployed
  std::map<std::string, int64_t> epochs_;    // by TaskManager: the highest it has obeyed
  std::map<Answer, std::string> answers_;
  std::map<std::pair<std::string, int32_t>, Deployment> deployments_;
  std::set<int64_t> completed_;
  std::vector<v1::CheckpointEntry> unread_;
  std::set<int64_t> restored_;
  std::string last_path_;
  int64_t refused_ = 0;
  int32_t attempts_ = 0;
};

}  // namespace watershed::sim
