// Writes what a backend holds as a part of a snapshot, chunk by chunk, where blocking work runs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "runtime/state/snapshot_part.h"
#include "runtime/state/state_backend.h"
#include "runtime/storage/background_writer.h"

namespace watershed {

struct BackendSnapshotParameters {
  SnapshotTarget target;
  SnapshotFileHeader header;
  std::shared_ptr<SnapshotFileNames> names;
  TimestampMs fired_ms = 0;  // value rows with a timer up to this are dead, and left out
  std::shared_ptr<const std::atomic<bool>> given_up;  // nobody waits for it any more
};

// `settled` runs on the task's thread when the part has settled; never once it is given up.
std::shared_ptr<SnapshotPart> WriteBackend(std::unique_ptr<StateBackendScan> scan,
                                           BackendSnapshotParameters parameters,
                                           std::function<Status()> settled);

}  // namespace watershed
