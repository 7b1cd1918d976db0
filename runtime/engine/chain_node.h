// A link of an operator chain: an operator, or an end of the chain (edge writer, sink). Nodes call
// each other directly with rows; everything else is handed from node to node by the chain, in its
// order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/engine/pending_snapshot.h"
#include "runtime/operators/operator.h"
#include "runtime/types/stream_element.h"

namespace watershed {

// All calls on the task's thread.
class ChainNode {
 public:
  virtual ~ChainNode() = default;

  // With what it restores. kYield: it goes on elsewhere, call again once mail has come. Called
  // again after a retryable error too.
  virtual Result<Progress> Open() = 0;
  // Takes every batch, also when full().
  virtual Status Process(int input, const RecordBatch& batch) = 0;
  // Hands on what is held back for performance only.
  virtual Status Flush() = 0;
  // Called again with the same time after kYield, once the chain has room.
  virtual Result<Progress> OnWatermark(TimestampMs time_ms) = 0;
  virtual Status OnWatermarkStatus(WatermarkStatus status) = 0;
  // With checkpoints only, when the whole chain has been flushed: adds what the node holds to the
  // snapshot, all in one action. Only freezes; what takes time is written later.
  virtual Status Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot) {
    (void)snapshot;
    return Ok();
  }
  // Hands on about `max_bytes` of what is frozen; false: nothing is left, or there is enough for
  // now.
  virtual bool WriteFrozen(int64_t max_bytes) {
    (void)max_bytes;
    return false;
  }
  // The whole chain has been flushed, and its snapshot is taken.
  virtual Status OnBarrier(const Barrier& barrier) = 0;
  // This checkpoint and all before are complete.
  virtual Status OnCheckpointComplete(CheckpointId checkpoint) {
    (void)checkpoint;
    return Ok();
  }
  // Some checkpoint was given up: the time to let go of what nobody will take.
  virtual void OnCheckpointAborted() {}
  // Everything up to this checkpoint, which is complete, is committed in the target.
  virtual bool Committed(CheckpointId checkpoint) const {
    (void)checkpoint;
    return true;
  }
  // Called again after kYield.
  virtual Result<Progress> EndOfInput() = 0;
  // After the last call, whether the task finished, was canceled or failed.
  virtual void Close() = 0;

  // No room just now: an end of the chain, or state that waits for storage. The mailbox is notified
  // when that changes.
  virtual bool full() const { return false; }
  // Tries again to get rid of what found no room.
  virtual Status ResumeOutput() { return Ok(); }
  // Something outside is away and is being retried; empty: all is well.
  virtual std::string degraded_reason() const { return {}; }
};

}  // namespace watershed
