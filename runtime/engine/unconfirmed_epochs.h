// The epochs of one sink that are not confirmed committed, as every snapshot lists them: oldest
// first. A checkpoint that fails loses none of them: the next one lists them again.
//
// They are written to the checkpoint storage for the snapshots' sake; what is there need not stay
// in memory, and a long epoch goes there part by part before its barrier. So memory bounds neither
// how long an epoch is nor how many wait: the newest leave memory first, as the oldest is committed
// next.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/pending_snapshot.h"
#include "runtime/engine/sink_epoch.h"
#include "runtime/storage/background_writer.h"
#include "runtime/storage/stored_file.h"

namespace watershed {

namespace v1 {
class SinkSnapshot;
}

// The task's thread.
class UnconfirmedEpochs {
 public:
  // Larger payloads become objects of their own.
  static constexpr int64_t kInlineBytes = 64 << 10;

  // Null target: no checkpoints are taken, nothing is stored. It outlives this object.
  // `memory_bytes` is what the sink may keep. `on_written` runs after each object that was written,
  // or failed to be.
  UnconfirmedEpochs(const SnapshotTarget* target, int64_t memory_bytes,
                    std::function<void(const Status&)> on_written)
      : target_(target), memory_bytes_(memory_bytes), on_written_(std::move(on_written)) {}

  // A part of the epoch that is open: on its way to the storage at once.
  void AddPart(SinkEpoch part);
  // The epoch ends; `rest` is what came after its parts.
  void Close(CheckpointId id, std::optional<SinkEpoch> rest);

  // Of those that have ended.
  bool empty() const { return epochs_.empty(); }
  // Stays valid, whatever happens here.
  std::shared_ptr<const SinkEpoch> oldest() const;
  void Confirm();  // the oldest

  // Lists all of them in `out`, an element of the snapshot's message, once each is durable. Those
  // whose writing failed before are written again.
  void Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot, v1::SinkSnapshot* out);

  int64_t open_bytes() const;  // of the parts of the epoch that is open
  int64_t in_memory_bytes() const { return in_memory_bytes_; }
  // With `more_bytes` the sink has as much in memory as it may: it takes no more until some of it
  // has been written.
  bool full(int64_t more_bytes) const {
    return target_ != nullptr && in_memory_bytes_ + more_bytes >= memory_bytes_;
  }
  // Writes whatever is not in the storage yet, so that it may leave memory.
  void StoreAll();

 private:
  struct Piece {      // of a segment
    StoredFile file;  // without a name: inline, or not stored
    bool writing = false;
    bool counted = false;  // as written by some snapshot
  };
  struct Entry {
    SinkEpoch epoch;
    std::vector<Piece> pieces;
    int open_writes = 0;
    Status failure;
    std::vector<std::function<void(const Status&)>> waiting;
  };
  void Append(Entry& entry, SinkEpoch part);
  void Store(const std::shared_ptr<Entry>& entry, int64_t inline_bytes);
  void OnWritten(Entry& entry, size_t segment, Result<StoredFile> file);
  void MoveOut(Entry& entry);
  void KeepToMemory();
  static bool IsStored(const Entry& entry);

  const SnapshotTarget* target_;
  const int64_t memory_bytes_;
  const std::function<void(const Status&)> on_written_;
  std::deque<std::shared_ptr<Entry>> epochs_;
  std::shared_ptr<Entry> open_;  // null: no part of it yet
  int64_t in_memory_bytes_ = 0;
  int64_t next_file_ = 0;
};

}  // namespace watershed
