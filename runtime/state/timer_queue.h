// Event-time timers of cached entries: a calendar queue (R. Brown, CACM 31(10), 1988) of buckets
// about one second wide. Adding appends to a bucket; only the bucket that the watermark stands in
// is kept as a heap. References may be stale (the entry was evicted, or has an earlier timer) or
// early (its timer moved away): the owner tells.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "runtime/types/event_time.h"

namespace watershed {

struct TimerRef {
  TimestampMs time_ms = 0;
  uint32_t slot = 0;
  uint32_t generation = 0;
};

class TimerQueue {
 public:
  void Add(TimerRef timer);
  // Moves the next timer with time <= watermark_ms to `out`. Watermarks must not fall.
  bool PopDue(TimestampMs watermark_ms, TimerRef& out);
  // Drops every reference for which `live` is false.
  template <typename Live>
  void Compact(Live live) {
    size_ = 0;
    std::erase_if(due_, [&](const TimerRef& timer) { return !live(timer); });
    std::erase_if(heap_, [&](const TimerRef& timer) { return !live(timer); });
    Heapify();
    size_ += static_cast<int64_t>(due_.size() + heap_.size());
    for (auto& [bucket, timers] : ahead_) {
      std::erase_if(timers, [&](const TimerRef& timer) { return !live(timer); });
      timers.shrink_to_fit();
      size_ += static_cast<int64_t>(timers.size());
    }
    std::erase_if(ahead_, [](const auto& bucket) { return bucket.second.empty(); });
    recent_.fill({});
  }

  int64_t size() const { return size_; }
  // Vectors double, so up to twice the references; buckets cost a node each.
  int64_t byte_size() const {
    return size_ * 3 / 2 * static_cast<int64_t>(sizeof(TimerRef)) +
           static_cast<int64_t>(ahead_.size()) * 96;
  }

 private:
  static constexpr int kBucketShift = 10;  // 1,024 ms
  static int64_t BucketOf(TimestampMs time_ms) { return time_ms >> kBucketShift; }
  void Advance(TimestampMs watermark_ms);
  void Heapify();

  std::map<int64_t, std::vector<TimerRef>> ahead_;  // buckets after the current one
  // Buckets added to lately, by the low bits of their number: disorder alternates between a few.
  struct Recent {
    std::vector<TimerRef>* timers = nullptr;
    int64_t bucket = 0;
  };
  std::array<Recent, 64> recent_;
  std::vector<TimerRef> due_;   // all <= the watermark
  std::vector<TimerRef> heap_;  // of the current bucket and before: earliest on top
  int64_t current_bucket_ = INT64_MIN;
  int64_t size_ = 0;
};

}  // namespace watershed
