// The keyed state of one operator in the checkpoints of its task.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/state/keyed_state.h"
#include "runtime/storage/background_writer.h"
#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_file.h"
#include "runtime/types/result.h"

namespace watershed {

// What was written of a keyed state: files to be read in this order.
struct KeyedFiles {
  std::vector<StoredFile> files;
  int64_t written_bytes = 0;  // of those that are new in this snapshot
};

// The task's thread. Until state writes deltas, a snapshot is one file with all sections, written
// from a copy made at once.
class KeyedSnapshot {
 public:
  // Both outlive it.
  KeyedSnapshot(KeyedState* state, const SnapshotTarget* target) : state_(state), target_(target) {}

  // Not within a bundle. `done` runs once, when all of it is durable or has failed.
  Status Freeze(std::function<Status(Result<KeyedFiles>)> done);
  // Hands on about `max_bytes` of what is frozen; false: nothing is left, or enough for now.
  bool WriteFrozen(int64_t max_bytes);

  // Into an empty state; blocks. An error names the file.
  static Status Restore(KeyedState& state, const std::vector<KeyedFiles>& former,
                        ObjectStorage& storage);

 private:
  KeyedState* state_;
  const SnapshotTarget* target_;
  int64_t next_file_ = 0;
};

}  // namespace watershed
