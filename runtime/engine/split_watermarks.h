// Event time of one source subtask: a watermark per split, merged; idleness; drift between splits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/engine/watermark_merger.h"

namespace watershed {

// watermark of a split = max(event time) - delay. A split becomes idle only when its end was
// reached and nothing followed for the idle timeout, while the clock ran: whatever keeps rows from
// arriving (broker errors, backpressure, a pause) stops it through HoldIdleClocks. One thread.
class SplitWatermarks {
 public:
  struct Options {
    int64_t delay_ms = 0;
    std::optional<std::chrono::milliseconds> idle_timeout;
    std::optional<int64_t> max_drift_ms;
  };
  using SteadyTime = std::chrono::nanoseconds;

  explicit SplitWatermarks(Options options) : options_(options) {}

  void AddSplit();
  // Both before any row: the watermark that was told, and that of one split.
  void Restore(TimestampMs watermark_ms) { merger_.Restore(watermark_ms); }
  void RestoreSplit(int split, TimestampMs watermark_ms) {
    merger_.SetWatermark(split, watermark_ms);
  }
  int size() const { return static_cast<int>(splits_.size()); }

  // Rows of a split arrived, the newest at `max_event_time_ms`.
  void OnRows(int split, TimestampMs max_event_time_ms);
  // The split has nothing to read just now, as confirmed with the outside system; or it has.
  void OnCaughtUp(int split, bool caught_up, SteadyTime now);
  void OnFinished(int split);
  // Idle clocks begin anew.
  void HoldIdleClocks(SteadyTime now);
  // Makes splits idle whose timeout has passed.
  void CheckIdleness(SteadyTime now);

  TimestampMs watermark_ms() const { return merger_.watermark_ms(); }
  // No split is active: all are idle or finished, or there is none.
  bool idle() const { return splits_.empty() || merger_.idle(); }
  bool split_idle(int split) const { return merger_.input_idle(split); }
  TimestampMs split_watermark_ms(int split) const { return merger_.input_watermark_ms(split); }

  // Splits to pause and to resume now, because they ran more than the drift ahead of the slowest
  // active one, or no longer do. A split that has not had a row yet holds nobody.
  struct DriftChange {
    int split;
    bool pause;
  };
  std::vector<DriftChange> CheckDrift();

 private:
  struct Split {
    std::optional<SteadyTime> caught_up_since;
    bool finished = false;
    bool paused = false;
  };
  Split& at(int split) { return splits_[static_cast<size_t>(split)]; }

  Options options_;
  std::vector<Split> splits_;
  WatermarkMerger merger_;
};

}  // namespace watershed
