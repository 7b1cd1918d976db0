// The open windows of one key: what its state entry holds. A small vector, sorted by time, of
// [start, end, accumulator]; windows do not overlap and, of sessions, do not touch.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/operators/window.h"
#include "runtime/state/keyed_state.h"

namespace watershed {

// One window in place: 8-byte words. Valid until the entry is resized.
struct OpenWindow {
  int64_t* words;
  int64_t& start_ms() const { return words[0]; }
  int64_t& end_ms() const { return words[1]; }
  int64_t* accumulator() const { return words + 2; }
};

class OpenWindows {
 public:
  // `accumulator_slots` of 8 bytes each per window.
  OpenWindows(KeyedState& state, int accumulator_slots)
      : state_(state), words_(2 + accumulator_slots) {}
  static int32_t BytesPerWindow(int accumulator_slots) { return 8 * (2 + accumulator_slots); }

  int Count(StateEntry& entry) const {
    return static_cast<int>(entry.value().size()) / (words_ * 8);
  }
  OpenWindow At(StateEntry& entry, int index) const {
    return {reinterpret_cast<int64_t*>(entry.value().data()) + int64_t{index} * words_};
  }
  // A window with a zero accumulator at `index`; those from there on move back by one.
  OpenWindow Insert(StateEntry& entry, int index, TimeWindow window) {
    const int count = Count(entry);
    state_.Resize(entry, static_cast<uint32_t>((count + 1) * words_ * 8));
    int64_t* at = At(entry, index).words;
    if (index < count) {
      std::memmove(at + words_, at, Bytes(count - index));
      std::memset(at, 0, Bytes(1));
    }
    at[0] = window.start_ms;
    at[1] = window.end_ms;
    return {at};
  }
  // Removes windows [first, last).
  void Erase(StateEntry& entry, int first, int last) {
    if (first == last) return;
    const int count = Count(entry);
    state_.MarkDirty(entry);
    std::memmove(At(entry, first).words, At(entry, last).words, Bytes(count - last));
    state_.Resize(entry, static_cast<uint32_t>((count - (last - first)) * words_ * 8));
  }

 private:
  size_t Bytes(int windows) const { return static_cast<size_t>(windows) * words_ * 8; }

  KeyedState& state_;
  int words_;
};

}  // namespace watershed
