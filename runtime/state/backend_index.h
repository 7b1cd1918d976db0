// What the backend holds, in eight bytes of memory a key: whether it may have a row of a key, and
// whether a timer that was written down is still the key's. So a key that the backend does not know
// costs no look-up, and a timer that was moved costs none when its old time comes.
//
// A set of fingerprints (of the key's hash, of the timer) with open addressing: no false negatives;
// a false positive costs one look-up, which tells. Without memory for it (Disable) every answer is
// "maybe".
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/types/event_time.h"

namespace watershed {

class BackendIndex {
 public:
  bool MayContain(uint64_t hash) const {
    const uint32_t tag = TagOf(hash);
    if (cells_.empty()) return !enabled_;
    for (size_t at = Home(tag); cells_[at].check != 0; at = Next(at)) {
      if (cells_[at].tag == tag) return true;
    }
    return !enabled_;
  }
  // Whether the row of this key may name this timer.
  bool MayContain(uint64_t hash, TimestampMs timer_ms) const;
  void Prefetch(uint64_t hash) const {
    if (!cells_.empty()) __builtin_prefetch(&cells_[Home(TagOf(hash))]);
  }

  void Insert(uint64_t hash, TimestampMs timer_ms);
  // Precondition: inserted (or disabled since).
  void Erase(uint64_t hash, TimestampMs timer_ms);

  // Forgets everything; every answer is "maybe" until Enable, which presumes an empty backend.
  void Disable();
  void Enable() { enabled_ = true; }
  bool enabled() const { return enabled_; }
  int64_t byte_size() const { return static_cast<int64_t>(cells_.size() * sizeof(Cell)); }
  // byte_size() after one more Insert.
  int64_t NextByteSize() const;
  // The most cells that one call may have to pass. Looks at all of them.
  size_t LongestRun() const;

 private:
  struct Cell {
    uint32_t tag = 0;
    uint32_t check = 0;  // of the timer; 0: the cell is empty
  };
  static constexpr size_t kMinCells = 64;

  // The bits that choose the cache's bucket; those that choose the key group are others.
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  static uint32_t CheckOf(TimestampMs timer_ms) {
    const uint32_t folded = static_cast<uint32_t>(timer_ms) ^ static_cast<uint32_t>(timer_ms >> 32);
    return folded == 0 ? 1 : folded;
  }
  // Scattered anew: the cache evicts in the order of its buckets, which is that of the tags, and
  // keys that came in the order of their homes would crowd one part of a table still to grow.
  size_t Home(uint32_t tag) const { return (tag * 0x9E3779B1U) >> shift_; }
  size_t Next(size_t at) const { return (at + 1) & (cells_.size() - 1); }
  void Place(Cell cell);
  void Rehash(size_t cells);

  std::vector<Cell> cells_;
  int shift_ = 32;
  size_t size_ = 0;
  bool enabled_ = true;
};

}  // namespace watershed
