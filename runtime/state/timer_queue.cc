#include "runtime/state/timer_queue.h"

#include <algorithm>

namespace watershed {
namespace {

struct Later {
  bool operator()(const TimerRef& a, const TimerRef& b) const { return a.time_ms > b.time_ms; }
};

}  // namespace

void TimerQueue::Add(TimerRef timer) {
  ++size_;
  const int64_t bucket = BucketOf(timer.time_ms);
  if (bucket <= current_bucket_) {
    heap_.push_back(timer);
    std::push_heap(heap_.begin(), heap_.end(), Later());
    return;
  }
  Recent& recent = recent_[static_cast<size_t>(bucket) % recent_.size()];
  if (recent.timers == nullptr || recent.bucket != bucket) recent = {&ahead_[bucket], bucket};
  recent.timers->push_back(timer);
}

void TimerQueue::Heapify() { std::make_heap(heap_.begin(), heap_.end(), Later()); }

void TimerQueue::Advance(TimestampMs watermark_ms) {
  const int64_t bucket = BucketOf(watermark_ms);
  if (bucket <= current_bucket_) return;
  // What is left of older buckets is due as a whole; the new current bucket becomes the heap.
  due_.insert(due_.end(), heap_.begin(), heap_.end());
  heap_.clear();
  current_bucket_ = bucket;
  recent_.fill({});
  while (!ahead_.empty() && ahead_.begin()->first <= bucket) {
    auto node = ahead_.extract(ahead_.begin());
    std::vector<TimerRef>& into = node.key() < bucket ? due_ : heap_;
    if (into.empty()) {
      into.swap(node.mapped());
    } else {
      into.insert(into.end(), node.mapped().begin(), node.mapped().end());
    }
  }
  Heapify();
}

bool TimerQueue::PopDue(TimestampMs watermark_ms, TimerRef& out) {
  Advance(watermark_ms);
  if (!due_.empty()) {
    out = due_.back();
    due_.pop_back();
  } else if (!heap_.empty() && heap_.front().time_ms <= watermark_ms) {
    out = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), Later());
    heap_.pop_back();
  } else {
    return false;
  }
  --size_;
  return true;
}

}  // namespace watershed
