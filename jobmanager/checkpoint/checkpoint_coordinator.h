// The checkpoints of one job from a start of all its tasks to their end: when the next begins, who
// has answered, when one is complete, what is told to the tasks, what is retained. Decides only: a
// pure state machine, whose caller (the JobMaster) performs what Next returns and tells what came
// of it.
//
// A checkpoint is complete when its manifest is an object of the storage and an entry of the log;
// only then are tasks told, again and again until each has confirmed. The next is triggered when
// all tasks that hold unconfirmed sink segments have confirmed; that wait is no failure. (Design:
// DECISIONS.md, "Checkpoints".)
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "jobmanager/checkpoint/checkpoint_history.h"
#include "jobmanager/checkpoint/checkpoint_settings.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// Two readings of one moment: one to reckon with, one to show.
struct CheckpointTime {
  std::chrono::nanoseconds steady{0};
  int64_t wall_ms = 0;
  // How `later` is shown when this one was shown so before: the wall clock may have been set since.
  int64_t After(const CheckpointTime& later) const {
    return wall_ms + (later.steady - steady) / std::chrono::milliseconds(1);
  }
};

// A checkpoint that somebody has asked for, besides those of the interval.
struct CheckpointRequest {
  std::string operation_id;
  std::string savepoint_directory;         // where its savepoint goes; empty: it is none
  v1::SourceStop stop = v1::GO_ON;         // else the job is stopped with it
  std::chrono::nanoseconds not_before{0};  // by the steady clock; until then there is no other

  bool is_savepoint() const { return !savepoint_directory.empty(); }
};

class CheckpointCoordinator {
 public:
  using SteadyTime = std::chrono::nanoseconds;
  using SubtaskKey = std::pair<std::string, int32_t>;  // vertex id, subtask

  // What the caller is to do. Each is returned once.
  struct Trigger {
    CheckpointId checkpoint;
    bool is_savepoint = false;
    v1::SourceStop stop = v1::GO_ON;
  };
  // Store the manifest of these parts, then the log entry; answer with OnStored or OnStoreFailed.
  struct Store {
    CheckpointId checkpoint;
    CheckpointTime triggered;
    std::vector<v1::SubtaskSnapshot> subtasks;  // in the order of SubtaskKey
    std::vector<CheckpointId> subsumed;         // retained no longer once this one is stored
    std::optional<CheckpointRequest> request;   // that it answers
  };
  // Tell every task of the attempt.
  struct Notify {
    CheckpointId completed{0};
    CheckpointId aborted{0};
    bool is_last = false;  // the job is stopped with the completed one
  };
  struct FailJob {
    std::string reason;
  };
  // What was asked for has come to this. Not returned for requests that the attempt's end leaves
  // open.
  struct Answer {
    CheckpointRequest request;
    Result<v1::CheckpointRef> outcome;
  };
  using Action = std::variant<Trigger, Store, Notify, FailJob, Answer>;

  // `subtasks`: all of the attempt, with their names for people. `retained`: completed checkpoints
  // of the job, oldest first. `next`: above every checkpoint id that the job has used in any
  // attempt. `history` outlives the coordinator and is told everything.
  CheckpointCoordinator(const CheckpointSettings& settings,
                        const std::map<SubtaskKey, std::string>& subtasks,
                        std::vector<v1::CheckpointRef> retained, CheckpointId next,
                        CheckpointHistory* history);

  // What to do now; empty when there is nothing. Call again after every event and at next_time().
  std::vector<Action> Next(CheckpointTime now);
  // Nothing: only an event can make a difference.
  std::optional<SteadyTime> next_time() const;

  // Another checkpoint as soon as one may be triggered, without waiting for the interval or the
  // pause; one for each request, in their order. Once the job is stopped with one, there is no
  // other.
  void Request(CheckpointRequest request) { requests_.push_back(std::move(request)); }

  // Events. Those of another checkpoint than the one under way are ignored.
  void OnRunning(CheckpointTime now);  // every task runs: the first interval begins
  // The tasks run since before this JobManager: which of them know of the last completed checkpoint
  // is unknown, so all are told of it and none is triggered before they have confirmed it. `last`:
  // the parts of it whose subtasks have ended. `is_stopped`: the job is stopped with it.
  void OnAdopted(CheckpointTime now, const std::vector<v1::SubtaskSnapshot>& last = {},
                 bool is_stopped = false);
  void OnTriggerFailed(CheckpointId checkpoint, const std::string& reason, CheckpointTime now);
  void OnAcknowledged(CheckpointId checkpoint, const SubtaskKey& subtask, v1::SubtaskSnapshot part,
                      CheckpointTime now);
  void OnDeclined(CheckpointId checkpoint, const SubtaskKey& subtask, const std::string& reason,
                  CheckpointTime now);
  void OnConfirmed(CheckpointId checkpoint, const SubtaskKey& subtask);
  // What is being written for a Store; named when that takes until the timeout.
  void OnStoring(CheckpointId checkpoint, std::string file);
  // The manifest is durable, its entry is not yet. False: it came too late, the checkpoint has
  // failed, and there must be no entry. With true the timeout is over: an entry cannot be revoked.
  bool OnManifestStored(CheckpointId checkpoint);
  void OnStored(const v1::CheckpointRef& stored, CheckpointTime now);
  void OnStoreFailed(CheckpointId checkpoint, const std::string& reason, CheckpointTime now);
  // The input of this subtask has ended and it waits for a checkpoint; when all do, one is
  // triggered at once, also without an interval.
  void OnEnded(const SubtaskKey& subtask);
  // Its task is gone, having confirmed. Later checkpoints name what it held in its last one.
  void OnFinished(const SubtaskKey& subtask, CheckpointTime now);
  // Tasks have failed that start anew, while the others go on. Until OnRunning nothing is
  // triggered; what is under way has failed for this reason, unless its entry is on its way into
  // the log, and open requests are dropped.
  void OnRegionsFailed(const std::string& reason, CheckpointTime now);
  // They begin with the last completed checkpoint, whose entry came before that of their attempt:
  // what was said of their former tasks does not count any more.
  void OnRegionsBegin(const std::set<SubtaskKey>& subtasks);
  // The attempt is over: what is under way has failed for this reason, unless its entry is on its
  // way into the log. Nothing is to be done any more.
  void OnStopped(const std::string& reason, CheckpointTime now);

  const std::vector<v1::CheckpointRef>& retained() const { return retained_; }
  CheckpointId next_id() const { return next_; }
  // What has been acknowledged of the checkpoint under way.
  std::vector<const v1::SubtaskSnapshot*> acknowledged() const;

 private:
  struct Subtask {
    std::string name;
    bool ended = false;
    bool finished = false;
    CheckpointId confirmed{0};    // the highest
    bool holds_segments = false;  // unconfirmed ones, in the last completed checkpoint
    // Of the last completed checkpoint, if it came after the end: the last word of this subtask.
    std::optional<v1::SubtaskSnapshot> last_part;
  };
  enum class Phase : uint8_t { kCollecting, kStoring, kLogging };
  struct Pending {
    CheckpointId checkpoint;
    CheckpointTime triggered;
    std::map<SubtaskKey, v1::SubtaskSnapshot> parts;
    Phase phase = Phase::kCollecting;  // then all parts are there
    std::string manifest_file;
    std::optional<CheckpointRequest> request;
  };

  bool IsPending(CheckpointId checkpoint, bool storing) const;
  bool MayExpire() const;
  std::string WhatIsMissing() const;
  bool AwaitsConfirmation() const;  // of anybody
  bool MayTrigger() const;          // apart from the time
  bool WantsFinal() const;
  SteadyTime TriggerTime() const;  // when MayTrigger
  void Begin(CheckpointTime now);
  void AddPart(const SubtaskKey& subtask, v1::SubtaskSnapshot part);
  void Abort(const std::string& reason, CheckpointTime now);
  std::string Unanswered() const;

  const CheckpointSettings settings_;
  CheckpointHistory* const history_;
  std::map<SubtaskKey, Subtask> subtasks_;
  std::vector<v1::CheckpointRef> retained_;
  CheckpointId next_;
  bool running_ = false;
  bool stopped_ = false;  // with `completed_`
  std::deque<CheckpointRequest> requests_;
  std::optional<Pending> pending_;
  CheckpointId completed_{0};  // the last one that tasks of this attempt are told of
  std::optional<SteadyTime> notify_at_;
  SteadyTime due_{0};         // of the interval
  SteadyTime not_before_{0};  // of the pause
  SteadyTime retry_at_{0};    // of a final one after a failure
  int failures_ = 0;          // in a row
  std::vector<Action> actions_;
};

}  // namespace watershed
