// A link of an operator chain: an operator, or an end of the chain (edge writer, sink). Nodes call
// each other directly with rows; everything else is handed from node to node by the chain, in its
// order.
#pragma once

#include <string>

#include "runtime/operators/operator.h"
#include "runtime/types/stream_element.h"

namespace watershed {

// All calls on the task's thread.
class ChainNode {
 public:
  virtual ~ChainNode() = default;

  // May block for as long as one attempt to connect. Called again after a retryable error.
  virtual Status Open() = 0;
  // Takes every batch, also when full().
  virtual Status Process(int input, const RecordBatch& batch) = 0;
  // Hands on what is held back for performance only.
  virtual Status Flush() = 0;
  // Called again with the same time after kYield, once the chain has room.
  virtual Result<Progress> OnWatermark(TimestampMs time_ms) = 0;
  virtual Status OnWatermarkStatus(WatermarkStatus status) = 0;
  // The whole chain has been flushed.
  virtual Status OnBarrier(const Barrier& barrier) = 0;
  // Called again after kYield.
  virtual Result<Progress> EndOfInput() = 0;
  // After the last call, whether the task finished, was canceled or failed.
  virtual void Close() = 0;

  // The ends of a chain: no room just now; the mailbox is notified when that changes.
  virtual bool full() const { return false; }
  // Tries again to get rid of what found no room.
  virtual Status ResumeOutput() { return Ok(); }
  // Something outside is away and is being retried; empty: all is well.
  virtual std::string degraded_reason() const { return {}; }
};

}  // namespace watershed
