// Mistakes that the simulation (tests/sim) must find, each planted where it could have been made.
// Only builds for tests know them: in a release IsPlanted is a constant, and nothing of them is
// left.
#pragma once

#include <cstdint>

namespace watershed {

enum class PlantedBug : uint8_t {
  kNone,
  kAlignmentSkipped,         // an input goes on behind its barrier before the others have theirs
  kOffsetsOneBatchLate,      // a source notes its positions a batch after the barrier
  kTimersNotRestored,        // keyed state comes back without its timers
  kStaleAttemptAccepted,     // the JobManager takes what tasks of an earlier attempt answer
  kDirtySetLost,             // keyed state forgets what has changed since the last snapshot
  kHeartbeatsByWallClock,    // who is silent is told by a clock that is set now and then
  kCheckpointsByWallClock,   // when the next checkpoint is due, and when one has taken too long
  kSurvivorsChannelsClosed,  // a region that ends closes the channels of those that go on
  kSurvivorsFilesDeleted,    // a region that restarts takes what the others wrote for orphans
  kNoFencing,                // a sink commits without asking whether a newer attempt has its writer
  kCommitBeforeDurable,      // tasks hear of a checkpoint when all have answered
  kMarkerOutsideTransaction,  // a sink's marker is committed before its rows
  kSegmentCommittedTwice,     // an epoch at or below the marker is committed all the same
  kKeyGroupLost,              // a restore leaves out the last key group of a subtask
  kFileSyncSkipped,           // a file is given its name before it is on the disk
  kDirectorySyncSkipped,      // the name itself is not
};

#ifdef WATERSHED_INJECTION_POINTS
inline PlantedBug planted_bug = PlantedBug::kNone;  // set while nothing runs
inline bool IsPlanted(PlantedBug bug) { return planted_bug == bug; }
#else
constexpr bool IsPlanted(PlantedBug) { return false; }
#endif

}  // namespace watershed
