// Named moments at which a test may end this process as kill -9 would. Only builds for tests know
// them: in a release passing one is nothing.
//
// WATERSHED_KILL_AT=commit.written:3 in the environment ends the process when it passes that point
// for the third time; without a number, for the first.
#pragma once

#include <cstdint>
#include <string_view>

namespace watershed {

enum class KillPoint : uint8_t {
  kBarrierTriggered,   // a source has put a barrier into its output
  kBarrierWaits,       // an input stands behind its barrier, others do not yet
  kBarrierAligned,     // all inputs do
  kSnapshotTaken,      // the synchronous part of a snapshot is over
  kFileWrites,         // a part of a file of state or output is to be written
  kFileCommits,        // its last byte is written, it is not durable yet
  kFileIsDurable,      // it is
  kSnapshotAnswered,   // all of a snapshot is durable, the JobManager does not know it
  kCheckpointHeard,    // a task hears that a checkpoint is complete
  kCommitBegins,       // a sink is to commit an epoch
  kCommitHasLock,      // its transaction has the row of progress
  kCommitHasWritten,   // rows and marker are in the transaction
  kCommitIsDone,       // the target has answered
  kCommitIsConfirmed,  // the task is to tell the JobManager
  kRecoveryOpens,      // a sink is to be opened
  kRecoveryHasFenced,  // its writers are taken over
  kRecoveryIsDone,     // what former attempts had left is committed
  kStateRestores,      // keyed state is to be read
  kTriggerIsSent,      // the JobManager has told all tasks of a checkpoint
  kManifestPuts,       // all have answered, the manifest is to be written
  kManifestIsDurable,  // it is, the log does not name it
  kEntryPuts,          // an entry of the log is to be written
  kEntryIsDurable,     // it is
  kCheckpointTells,    // the tasks are to be told that a checkpoint is complete
  kAttemptDeploys,     // an attempt is to be deployed
};

#ifdef WATERSHED_INJECTION_POINTS
// Any thread. Does not come back if this is the moment.
void Pass(KillPoint point);
#else
constexpr void Pass(KillPoint) {}
#endif

}  // namespace watershed
