// Whether what a target says of a writer agrees with the checkpoint that the writer goes on from.
// A target that is behind has lost rows (its table of progress was deleted or restored from a
// backup), one that is ahead would be given rows again; neither can be made good by writing.
#pragma once

#include <string>
#include <vector>

#include "runtime/connectors/sink.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

// What the checkpoint says of one writer.
struct KnownProgress {
  // The target kept a marker of the writer then. It may not have: the sink had another delivery, or
  // was of a version without markers.
  bool had_marker = true;
  CheckpointId confirmed{-1};        // -1: nothing was
  std::vector<CheckpointId> listed;  // epochs not confirmed when it was taken, rising
};

struct MarkerRules {
  // Jobs that may have committed what is listed: the one that took the checkpoint and the own one.
  std::vector<std::string> committers;
  // The user has said so: a target that is ahead is written to again.
  bool accepts_duplicates = false;
};

// The marker is right at what was confirmed, where there was none yet at nothing, or at an epoch
// that is listed, if one of the committers wrote it; so is an epoch of which a part is there. Else
// a user error that says what to do: trying again does not help.
Status CheckMarker(const WriterMarker& found, const KnownProgress& known, const MarkerRules& rules);

}  // namespace watershed
