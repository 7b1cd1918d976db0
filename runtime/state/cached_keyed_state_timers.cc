// Timers that fire: of cached keys by the queue, of evicted ones by the log.
#include <algorithm>
#include <array>

#include "runtime/state/cached_keyed_state.h"

namespace watershed {

Status CachedKeyedState::TakeDue(TimestampMs watermark_ms, int64_t max_entries,
                                 std::vector<StateEntry*>& entries) {
  entries.clear();
  watermark_ms_ = std::max(watermark_ms_, std::min(watermark_ms, kNoTimer - 1));
  TakeDueFromCache(max_entries, entries);
  return TakeDueFromBackend(max_entries, entries);
}

// In groups, so that the cache misses on entries, and then on their buckets for Erase, overlap.
void CachedKeyedState::TakeDueFromCache(int64_t max_entries, std::vector<StateEntry*>& entries) {
  constexpr int64_t kGroup = 32;
  std::array<TimerRef, kGroup> timers;
  bool more = true;
  while (more) {
    const auto room = std::min(kGroup, max_entries - static_cast<int64_t>(entries.size()));
    int64_t popped = 0;
    while (popped < room && timers_.PopDue(watermark_ms_, timers[static_cast<size_t>(popped)])) {
      __builtin_prefetch(&cache_.At(timers[static_cast<size_t>(popped)].slot), 1);
      ++popped;
    }
    more = popped == room && room > 0;
    for (int64_t i = 0; i < popped; ++i) {
      TimerRef timer = timers[static_cast<size_t>(i)];
      if (!Live(timer)) continue;
      StateEntry& entry = cache_.At(timer.slot);
      if (entry.timer_ms_ > watermark_ms_) {  // it moved away
        timer.time_ms = entry.timer_ms_;
        timers_.Add(timer);
        continue;
      }
      cache_.table().Prefetch(entry.hash());
      MarkDirty(entry);  // a row that names the timer will be dead
      entry.timer_ms_ = kNoTimer;
      --live_timers_;
      entries.push_back(&entry);
    }
  }
}

// With room left the cache has nothing due any more, so what the log has not is all there is.
Status CachedKeyedState::TakeDueFromBackend(int64_t max_entries,
                                            std::vector<StateEntry*>& entries) {
  while (static_cast<int64_t>(entries.size()) < max_entries) {
    if (chunk_rest_.empty()) {
      const TimestampMs earliest_ms = log_.EarliestMs();
      if (earliest_ms > watermark_ms_) {
        chunk_ = {};
        AllFiredUpTo(watermark_ms_);
        return Ok();
      }
      AllFiredUpTo(earliest_ms - 1);
      WS_RETURN_IF_ERROR(log_.TakeChunk(watermark_ms_, backend_.get(), pending_, chunk_));
      chunk_rest_ = chunk_;
    }
    CollectDueKeys(max_entries - static_cast<int64_t>(entries.size()));
    WS_RETURN_IF_ERROR(LoadDueKeys(entries));
  }
  return Ok();
}

void CachedKeyedState::AllFiredUpTo(TimestampMs time_ms) {
  if (time_ms <= fired_ms_) return;
  fired_ms_ = time_ms;
  if (backend_) backend_->DeadUpTo(time_ms);
  if (!deferred_.empty()) deferred_.Forget(time_ms);
}

// Up to `max_keys` of the chunk's due records.
void CachedKeyedState::CollectDueKeys(int64_t max_keys) {
  ClearKeys(due_keys_);
  due_times_.clear();
  TimerLog::Record record;
  while (due_keys_.size() < max_keys && TimerLog::Next(chunk_rest_, record)) {
    if (record.time_ms > watermark_ms_) {
      log_.Add(record.time_ms, record.key);
      continue;
    }
    AppendKey(record.key, due_keys_);
    due_times_.push_back(record.time_ms);
  }
}

// A record is live if the key is not in the cache, whose own timer counts, and its row names it.
Status CachedKeyedState::LoadDueKeys(std::vector<StateEntry*>& entries) {
  due_entries_.resize(due_times_.size());
  cache_.Lookup(due_keys_, 0, due_keys_.size(), due_entries_.data());
  for (size_t i = 0; i < due_times_.size(); ++i) {
    const uint64_t hash = due_keys_.hashes[i];
    if (due_entries_[i] != nullptr || !index_.MayContain(hash, due_times_[i])) continue;
    AddMiss(nullptr, i, KeyGroupOfHash(hash, spec_.max_parallelism),
            due_keys_.key(static_cast<int64_t>(i)));
  }
  if (misses_.empty()) return Ok();
  return ReadMisses([&](const Miss& miss, const ValueRow& row) -> Status {
    if (row.timer_ms > watermark_ms_) return Ok();
    StateEntry* entry =
        InsertEntry(due_keys_.hashes[miss.due], due_keys_.key(static_cast<int64_t>(miss.due)));
    if (entry == nullptr) {
      return InternalError("keyed state: the cache's address range is exhausted");
    }
    Fill(*entry, row);
    MarkDirty(*entry);  // its row will be dead
    entries.push_back(entry);
    return Ok();
  });
}

}  // namespace watershed
