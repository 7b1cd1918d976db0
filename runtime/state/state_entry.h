// One key's entry in the cache: a header, room for a small value, and the key, in memory that the
// EntryArena hands out. With the default inline size, header and value are one cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

#include "runtime/types/event_time.h"

namespace watershed {

inline constexpr TimestampMs kNoTimer = std::numeric_limits<int64_t>::max();

class StateEntry {
 public:
  StateEntry(const StateEntry&) = delete;
  StateEntry& operator=(const StateEntry&) = delete;

  std::string_view key() const {
    const char* at = reinterpret_cast<const char*>(this) + size_t{8} * key_offset_eights_;
    if (!(flags_ & kKeyOutside)) return {at, key_size_};
    const char* outside = nullptr;
    std::memcpy(&outside, at, sizeof outside);
    return {outside, key_size_};
  }
  uint64_t hash() const { return hash_; }

  // The value; empty means that the key has no state. Valid until KeyedState::Resize of this entry
  // or the end of the bundle; 8-byte aligned. Write to it only after KeyedState::MarkDirty.
  std::span<char> value() {
    char* data = Inline();
    if (flags_ & kValueOutside) data = Outside().data;
    return {data, value_size_};
  }

  // When this key's timer fires; kNoTimer if there is none.
  TimestampMs EarliestTimer() const { return timer_ms_; }

 private:
  friend class StateCache;
  friend class CachedKeyedState;
  friend class KeyedState;
  friend class StateSnapshotter;
  StateEntry() = default;

  enum Flag : uint16_t {
    kReferenced = 1,    // CLOCK: used since the hand last passed
    kDirty = 2,         // the backend does not have this value
    kInBackend = 4,     // the backend has a row of this key, perhaps an older one
    kValueOutside = 8,  // the value is in an allocation of its own
    kKeyOutside = 16,   // so is the key
    kMaybeEmpty = 32,   // listed to be looked at when the bundle ends
    kRecorded = 64,     // the timer log has a record of the time that the row names
    // state_snapshotter.h tells what the next two pairs mean.
    kChangedEven = 128,
    kChangedOdd = 256,
    kWrittenOdd = 512,
    kInSnapshot = 1024,  // a file of a snapshot may hold the key: its end must be written, too
  };
  struct OutsideValue {
    char* data;
    uint32_t capacity;
  };

  char* Inline() { return reinterpret_cast<char*>(this + 1); }
  OutsideValue Outside() {
    OutsideValue value;
    std::memcpy(&value, Inline(), sizeof value);
    return value;
  }

  uint64_t hash_ = 0;
  TimestampMs timer_ms_ = kNoTimer;      // its reference in the queue may have an earlier time
  TimestampMs row_timer_ms_ = kNoTimer;  // what the backend's row names
  uint32_t key_size_ = 0;
  uint32_t value_size_ = 0;
  // Rises when the slot is freed or the timer queued anew: tells stale timer references.
  uint32_t generation_ = 0;
  uint16_t flags_ = 0;
  uint8_t size_class_ = 0;
  uint8_t key_offset_eights_ = 0;  // from the entry's begin, in 8 bytes; 0: the slot is free
};
static_assert(sizeof(StateEntry) == 40);

}  // namespace watershed
