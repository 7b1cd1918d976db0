// What a job does next, as a pure function of what is known about it. The dispatcher carries it out
// and asks again; nothing here knows threads, clocks or the network.
#pragma once

#include <cstdint>

#include "watershed/v1/control.pb.h"

namespace watershed {

// Something that takes a while: a call, a read, an entry of the log.
enum class StepProgress : uint8_t { kNotBegun, kUnderWay, kDone };

struct JobFacts {
  v1::JobState state = v1::CREATED;
  bool failed = false;          // a cause has been recorded: of all tasks
  bool regions_failed = false;  // of some regions, that may restart while the others run
  // Some regions restart: what is said of tasks, slots and deployments is of theirs.
  bool in_regions = false;
  bool regions_released = false;  // their former tasks have ended and are forgotten
  bool may_restart = false;       // what the restart strategy says to it
  bool restart_due = false;       // its delay has passed
  bool cancel_requested = false;  // by a user, and durable: it ends CANCELED
  bool cancel_is_being_stored = false;
  bool has_slots = false;
  // Of its entry; done: durable, and not deployed before.
  StepProgress attempt = StepProgress::kNotBegun;
  // Done: what to begin or to go on with is known.
  StepProgress restore = StepProgress::kNotBegun;
  bool has_splits = false;  // of every source
  bool discovery_under_way = false;
  bool deployed = false;            // DeployTasks has been sent to every TaskManager
  int32_t deployments_pending = 0;  // of those, not answered yet
  int32_t tasks = 0;
  int32_t tasks_running = 0;
  int32_t tasks_finished = 0;
  int32_t tasks_ended = 0;           // finished, canceled or failed
  bool reconciling_is_over = false;  // TaskManagers have had their time to report what they run
  bool end_is_being_stored = false;
};

enum class JobAction : uint8_t {
  kWait,  // for the next event
  kRequestSlots,
  kStoreAttempt,
  kReadRestorePoint,
  kReadLastCheckpoint,  // of tasks that go on
  kDiscoverSplits,
  kDeploy,
  kEnterRunning,
  kEnterFailing,     // and cancel what runs
  kEnterCancelling,  // and cancel what runs
  kEnterRestarting,  // and wait for the delay
  kRestartRegions,   // those that have failed: cancel what runs of them
  kReleaseRegions,   // their tasks have ended: wait for the delay
  kEnterCreated,     // for the next attempt
  kGiveUpReconciling,
  kEnterFailed,
  kEnterCanceled,
  kEnterFinished,
};

JobAction DecideNext(const JobFacts& facts);

}  // namespace watershed
