// Key groups: the unit in which keyed state moves between subtasks (as in Flink's key groups).
// key_group = XXH3_64(canonical key, kKeyHashSeed) % max_parallelism. Both the canonical encoding
// and the seed are part of every checkpoint's format: changing them orphans state.
#pragma once

#include <cstdint>

#include "runtime/types/ids.h"

namespace watershed {

inline constexpr uint64_t kKeyHashSeed = 0x77617465'72736864;  // "watershd"
inline constexpr int32_t kDefaultMaxParallelism = 128;

// Inclusive range of key groups that one subtask owns.
struct KeyGroupRange {
  int32_t first = 0;
  int32_t last = -1;
  bool Contains(KeyGroup group) const { return group.value >= first && group.value <= last; }
  int32_t size() const { return last - first + 1; }
};

inline KeyGroup KeyGroupOfHash(uint64_t key_hash, int32_t max_parallelism) {
  return {static_cast<int32_t>(key_hash % static_cast<uint64_t>(max_parallelism))};
}

// Contiguous ranges, Flink's formulas: group g belongs to subtask g * parallelism /
// max_parallelism.
inline SubtaskIndex SubtaskOfKeyGroup(KeyGroup group, int32_t max_parallelism,
                                      int32_t parallelism) {
  return {static_cast<int32_t>(int64_t{group.value} * parallelism / max_parallelism)};
}

inline KeyGroupRange RangeOfSubtask(SubtaskIndex subtask, int32_t max_parallelism,
                                    int32_t parallelism) {
  const int64_t first = (int64_t{subtask.value} * max_parallelism + parallelism - 1) / parallelism;
  const int64_t last = ((int64_t{subtask.value} + 1) * max_parallelism - 1) / parallelism;
  return {static_cast<int32_t>(first), static_cast<int32_t>(last)};
}

}  // namespace watershed
