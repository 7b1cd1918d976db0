#include "runtime/engine/split_watermarks.h"

#include <algorithm>

namespace watershed {

void SplitWatermarks::AddSplit() {
  merger_.AddInput();
  splits_.emplace_back();
}

void SplitWatermarks::OnRows(int split, TimestampMs max_event_time_ms) {
  at(split).caught_up_since.reset();
  merger_.SetIdle(split, false);
  // Saturates: an event time near the least possible value has no watermark below it.
  const TimestampMs watermark_ms = max_event_time_ms < kMinWatermarkMs + options_.delay_ms
                                       ? kMinWatermarkMs
                                       : max_event_time_ms - options_.delay_ms;
  merger_.SetWatermark(split, watermark_ms);
}

void SplitWatermarks::OnCaughtUp(int split, bool caught_up, SteadyTime now) {
  Split& state = at(split);
  if (!caught_up) {
    state.caught_up_since.reset();
  } else if (!state.caught_up_since) {
    state.caught_up_since = now;
  }
}

void SplitWatermarks::OnFinished(int split) {
  if (at(split).finished) return;
  at(split).finished = true;
  merger_.End(split);
}

void SplitWatermarks::HoldIdleClocks(SteadyTime now) {
  for (Split& split : splits_) {
    if (split.caught_up_since) split.caught_up_since = now;
  }
}

void SplitWatermarks::CheckIdleness(SteadyTime now) {
  if (!options_.idle_timeout) return;
  for (int i = 0; i < size(); ++i) {
    const Split& split = at(i);
    if (split.finished || split.paused || !split.caught_up_since) continue;
    if (now - *split.caught_up_since >= *options_.idle_timeout) merger_.SetIdle(i, true);
  }
}

std::vector<SplitWatermarks::DriftChange> SplitWatermarks::CheckDrift() {
  std::vector<DriftChange> changes;
  if (!options_.max_drift_ms) return changes;
  TimestampMs slowest_ms = kMaxWatermarkMs;
  for (int i = 0; i < size(); ++i) {
    const TimestampMs watermark_ms = merger_.input_watermark_ms(i);
    if (at(i).finished || merger_.input_idle(i) || watermark_ms == kMinWatermarkMs) continue;
    slowest_ms = std::min(slowest_ms, watermark_ms);
  }
  const TimestampMs limit_ms = slowest_ms > kMaxWatermarkMs - *options_.max_drift_ms
                                   ? kMaxWatermarkMs
                                   : slowest_ms + *options_.max_drift_ms;
  for (int i = 0; i < size(); ++i) {
    const bool pause = !at(i).finished && merger_.input_watermark_ms(i) > limit_ms;
    if (pause == at(i).paused) continue;
    at(i).paused = pause;
    changes.push_back({i, pause});
  }
  return changes;
}

}  // namespace watershed
