// The planted bugs by their names, and who must find each.
#pragma once

#include <array>
#include <string_view>

#include "runtime/types/planted_bug.h"

namespace watershed::sim {

struct NamedBug {
  PlantedBug bug;
  std::string_view name;
  std::string_view oracle;
};

inline constexpr std::array<NamedBug, 16> kPlantedBugs = {{
    {PlantedBug::kAlignmentSkipped, "alignment-skipped", "window-too-high"},
    {PlantedBug::kOffsetsOneBatchLate, "offsets-one-batch-late", "rows-lost"},
    {PlantedBug::kTimersNotRestored, "timers-not-restored", "window-missing"},
    {PlantedBug::kStaleAttemptAccepted, "stale-attempt-accepted", "stale-attempt"},
    {PlantedBug::kDirtySetLost, "dirty-set-lost", "window-too-low"},
    {PlantedBug::kHeartbeatsByWallClock, "heartbeats-by-wall-clock", "lost-too-early"},
    {PlantedBug::kCheckpointsByWallClock, "checkpoints-by-wall-clock", "checkpoint-duration"},
    {PlantedBug::kSurvivorsChannelsClosed, "survivors-channels-closed", "stuck"},
    {PlantedBug::kSurvivorsFilesDeleted, "survivors-files-deleted", "job-failed"},
    {PlantedBug::kNoFencing, "no-fencing", "fenced-writer"},
    {PlantedBug::kCommitBeforeDurable, "commit-before-durable", "committed-early"},
    {PlantedBug::kMarkerOutsideTransaction, "marker-outside-transaction", "rows-lost"},
    {PlantedBug::kSegmentCommittedTwice, "segment-committed-twice", "rows-repeated"},
    {PlantedBug::kKeyGroupLost, "key-group-lost", "window-missing"},
    {PlantedBug::kFileSyncSkipped, "file-sync-skipped", "durable-lost"},
    {PlantedBug::kDirectorySyncSkipped, "directory-sync-skipped", "durable-lost"},
}};

// False: this build has none.
inline bool Plant([[maybe_unused]] PlantedBug bug) {
#ifdef WATERSHED_INJECTION_POINTS
  planted_bug = bug;
  return true;
#else
  return bug == PlantedBug::kNone;
#endif
}

}  // namespace watershed::sim
