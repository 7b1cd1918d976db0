#include "runtime/engine/watermark_merger.h"

#include <algorithm>

namespace watershed {

int WatermarkMerger::AddInput() {
  inputs_.emplace_back();
  return static_cast<int>(inputs_.size()) - 1;
}

WatermarkMerger::Change WatermarkMerger::SetWatermark(int input, TimestampMs time_ms) {
  Input& state = inputs_[static_cast<size_t>(input)];
  if (time_ms <= state.watermark_ms && !state.idle) return {};
  state.watermark_ms = std::max(state.watermark_ms, time_ms);
  state.idle = false;
  return Combine();
}

WatermarkMerger::Change WatermarkMerger::SetIdle(int input, bool idle) {
  Input& state = inputs_[static_cast<size_t>(input)];
  if (state.idle == idle) return {};
  state.idle = idle;
  return Combine();
}

WatermarkMerger::Change WatermarkMerger::End(int input) {
  inputs_[static_cast<size_t>(input)].ended = true;
  return Combine();
}

WatermarkMerger::Change WatermarkMerger::Combine() {
  bool any_active = false;
  bool all_ended = true;
  TimestampMs lowest_ms = kMaxWatermarkMs;
  for (const Input& input : inputs_) {
    all_ended &= input.ended;
    if (input.idle || input.ended) continue;
    any_active = true;
    lowest_ms = std::min(lowest_ms, input.watermark_ms);
  }
  Change change;
  if (all_ended) return change;  // end of input says it all
  if (idle_ == any_active) {
    idle_ = !any_active;
    change.idle = idle_;
  }
  if (any_active && lowest_ms > combined_ms_) {
    combined_ms_ = lowest_ms;
    change.watermark = lowest_ms;
  }
  return change;
}

}  // namespace watershed
