// Where a task's elements come from: a source, or the input gate behind its channels.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/types/result.h"
#include "runtime/types/stream_element.h"

namespace watershed {

namespace v1 {
class SubtaskSnapshot;
}

// What a source does behind a barrier that it is told to begin.
enum class SourceStop : uint8_t {
  kGoOn,
  kSuspend,  // hands out no more rows or watermarks, unless that checkpoint is given up
  kDrain,    // ends: +∞ and the end of input stand in the barrier's place
};

// One thread.
class TaskInput {
 public:
  struct Element {
    int input = 0;  // rows only: which input of the chain's head
    StreamElement element;
    // Rows only: which output of the source they are; empty: its main one. Of a source only.
    std::string_view side_output = {};
  };

  virtual ~TaskInput() = default;
  // May block for as long as one attempt to connect. Called again after a retryable error.
  virtual Status Open() = 0;
  // The next element, or nothing just now. Never blocks. Nothing follows EndOfInput.
  virtual Result<std::optional<Element>> Next() = 0;
  // Waits until Next may have something or the mailbox has been notified; for a source that cannot
  // be woken, not long.
  virtual Status Wait() = 0;
  // The output had no room for a while, so nothing was read.
  virtual void OnBackpressure() {}
  // About once a second: bring gauges up to date.
  virtual void UpdateGauges() {}
  virtual std::string degraded_reason() const { return {}; }

  // Of checkpoints, once it is open. A source puts the barrier behind what it has polled; whoever
  // gets barriers from others need not do anything.
  virtual void OnTrigger(const Barrier& barrier, SourceStop stop) { (void)barrier, (void)stop; }
  virtual void OnCheckpointComplete(CheckpointId checkpoint) { (void)checkpoint; }
  virtual void OnCheckpointAborted(CheckpointId checkpoint) { (void)checkpoint; }
  // Adds what belongs to the barrier that Next returned last, or to the end of the input.
  virtual void Snapshot(CheckpointId checkpoint, v1::SubtaskSnapshot& out) {
    (void)checkpoint, (void)out;
  }
  // How long the last barrier waited for itself on other channels.
  virtual std::chrono::nanoseconds last_alignment() const { return {}; }
  virtual void Close() = 0;
};

}  // namespace watershed
