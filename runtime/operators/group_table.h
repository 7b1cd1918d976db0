// The groups of a pre-aggregation: (key, window end) -> row count and accumulator. Open addressing
// over 32-bit group numbers; keys and accumulators lie side by side in two buffers, so that
// clearing keeps the memory and nothing is allocated once it is warm. It only grows; the owner
// flushes and clears.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/types/event_time.h"
#include "runtime/types/raw_vector.h"

namespace watershed {

class GroupTable {
 public:
  explicit GroupTable(int accumulator_slots)
      : words_(1 + accumulator_slots), buckets_(kMinBuckets) {}

  // The group's number; new groups have zero rows and a zero accumulator.
  uint32_t FindOrAdd(uint64_t key_hash, std::string_view key, TimestampMs window_end_ms) {
    // Keys of a subtask share bits of their hash, and windows differ in few bits: mix both.
    const uint64_t mixed =
        (key_hash ^ static_cast<uint64_t>(window_end_ms) * 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93;
    const auto tag = static_cast<uint32_t>(mixed >> 32);
    const size_t mask = buckets_.size() - 1;
    for (size_t at = tag & mask;; at = (at + 1) & mask) {
      const Bucket& bucket = buckets_[at];
      if (bucket.group == 0) return Add(tag, key, window_end_ms);
      if (bucket.tag == tag && Matches(bucket.group - 1, key, window_end_ms)) {
        return bucket.group - 1;
      }
    }
  }

  int64_t size() const { return static_cast<int64_t>(groups_.size()); }
  int64_t byte_size() const {
    return static_cast<int64_t>(key_bytes_.size() + words_buffer_.size() * sizeof(int64_t) +
                                groups_.size() * sizeof(Group) + buckets_.size() * sizeof(Bucket));
  }
  std::string_view key(uint32_t group) const {
    return {key_bytes_.data() + groups_[group].key_begin, groups_[group].key_size};
  }
  TimestampMs window_end_ms(uint32_t group) const { return groups_[group].window_end_ms; }
  // Valid until the next FindOrAdd.
  int64_t& rows(uint32_t group) { return words_buffer_[size_t{group} * words_]; }
  int64_t* accumulator(uint32_t group) { return &words_buffer_[size_t{group} * words_ + 1]; }
  void Clear();

 private:
  static constexpr size_t kMinBuckets = 256;
  struct Bucket {
    uint32_t tag = 0;
    uint32_t group = 0;  // number + 1
  };
  struct Group {
    TimestampMs window_end_ms;
    size_t key_begin;
    uint32_t key_size;
    uint32_t tag;
  };

  bool Matches(uint32_t group, std::string_view key, TimestampMs window_end_ms) const {
    return groups_[group].window_end_ms == window_end_ms && this->key(group) == key;
  }
  uint32_t Add(uint32_t tag, std::string_view key, TimestampMs window_end_ms);
  void Place(uint32_t tag, uint32_t group);

  size_t words_;
  std::vector<Bucket> buckets_;
  std::vector<Group> groups_;
  RawVector<char> key_bytes_;
  RawVector<int64_t> words_buffer_;
};

}  // namespace watershed
