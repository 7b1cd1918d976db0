// Where a task's elements come from: a source, or the input gate behind its channels.
#pragma once

#include <optional>
#include <string>

#include "runtime/types/result.h"
#include "runtime/types/stream_element.h"

namespace watershed {

// One thread.
class TaskInput {
 public:
  struct Element {
    int input = 0;  // rows only: which input of the chain's head
    StreamElement element;
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
  virtual void Close() = 0;
};

}  // namespace watershed
