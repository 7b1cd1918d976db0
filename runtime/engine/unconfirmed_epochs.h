// The epochs of one sink that are not confirmed committed, as every snapshot lists them: oldest
// first. A checkpoint that fails loses none of them: the next one lists them again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
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

  // Null: no checkpoints are taken, nothing is stored. It outlives this object.
  explicit UnconfirmedEpochs(const SnapshotTarget* target) : target_(target) {}

  void Add(SinkEpoch epoch);
  bool empty() const { return epochs_.empty(); }
  // Stays valid, whatever happens here.
  std::shared_ptr<const SinkEpoch> oldest() const;
  void Confirm();  // the oldest

  // Lists all of them in `out`, an element of the snapshot's message, once each is durable. Those
  // whose writing failed before are written again.
  void Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot, v1::SinkSnapshot* out);

 private:
  struct Entry {
    SinkEpoch epoch;
    std::vector<StoredFile> files;  // by segment; without a name: inline, or not stored
    bool stored = false;
    int open_writes = 0;
    Status failure;
    std::vector<std::function<void(const Status&)>> waiting;
  };
  void Store(const std::shared_ptr<Entry>& entry);
  static void OnWritten(Entry& entry, size_t segment, Result<StoredFile> file);

  const SnapshotTarget* target_;
  std::deque<std::shared_ptr<Entry>> epochs_;
  int64_t next_file_ = 0;
};

}  // namespace watershed
