// Combines the watermarks of several inputs (channels of a gate, splits of a source) into one.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "runtime/types/event_time.h"

namespace watershed {

// The combined watermark is the minimum over inputs that are neither idle nor ended, and never goes
// back: an input that wakes up behind it holds it until it has caught up. With no active input left
// the combination is idle, at its last watermark. One thread.
class WatermarkMerger {
 public:
  // What a call changed, to be handed on in this order.
  struct Change {
    std::optional<bool> idle;
    std::optional<TimestampMs> watermark;
    bool operator==(const Change&) const = default;
  };

  explicit WatermarkMerger(int inputs = 0) : inputs_(static_cast<size_t>(inputs)) {}

  // A new input, active and without a watermark. Returns its index.
  int AddInput();
  // The combination begins at `watermark_ms`, whatever its inputs say.
  void Restore(TimestampMs watermark_ms) { combined_ms_ = watermark_ms; }
  // Never lowers the input's watermark. It also wakes an idle input.
  Change SetWatermark(int input, TimestampMs time_ms);
  Change SetIdle(int input, bool idle);
  // The input takes no part any more.
  Change End(int input);

  TimestampMs watermark_ms() const { return combined_ms_; }
  bool idle() const { return idle_; }
  TimestampMs input_watermark_ms(int input) const { return at(input).watermark_ms; }
  bool input_idle(int input) const { return at(input).idle; }

 private:
  struct Input {
    TimestampMs watermark_ms = kMinWatermarkMs;
    bool idle = false;
    bool ended = false;
  };
  const Input& at(int input) const { return inputs_[static_cast<size_t>(input)]; }
  Change Combine();

  std::vector<Input> inputs_;
  TimestampMs combined_ms_ = kMinWatermarkMs;
  bool idle_ = false;
};

}  // namespace watershed
