// What leaves the cache, and what the backend is told: one write per bundle.
#include <algorithm>

#include "runtime/state/cached_keyed_state.h"
#include "runtime/state/state_memory.h"
#include "runtime/state/state_rows.h"

namespace watershed {

void CachedKeyedState::DropEmpty() {
  for (StateEntry* entry : maybe_empty_) {
    entry->flags_ &= static_cast<uint8_t>(~StateEntry::kMaybeEmpty);
    if (entry->value_size_ == 0) Erase(*entry);
  }
  maybe_empty_.clear();
}

// A key without state leaves no row behind, and was never written if it lived and died in the
// cache.
void CachedKeyedState::Erase(StateEntry& entry) {
  if (entry.flags_ & StateEntry::kInBackend) {
    row_key_.clear();
    AppendValueRowKey(GroupOf(entry), entry.key(), row_key_);
    pending_.Delete(row_key_);
    --Group(GroupOf(entry)).keys;
    --backend_keys_;
    DeleteTimerRow(entry);
  }
  if (entry.flags_ & StateEntry::kDirty) dirty_bytes_ -= StateCache::BytesOf(entry);
  if (entry.timer_ms_ != kNoTimer) --live_timers_;
  cache_.Erase(entry);
}

void CachedKeyedState::DeleteTimerRow(StateEntry& entry) {
  if (entry.backend_timer_ms_ == kNoTimer) return;
  row_key_.clear();
  AppendTimerRowKey(GroupOf(entry), entry.backend_timer_ms_, entry.key(), row_key_);
  pending_.Delete(row_key_);
  entry.backend_timer_ms_ = kNoTimer;
}

void CachedKeyedState::PutValueRow(StateEntry& entry, TimestampMs timer_ms) {
  row_key_.clear();
  row_value_.clear();
  AppendValueRowKey(GroupOf(entry), entry.key(), row_key_);
  const std::span<char> value = entry.value();
  AppendValueRow(timer_ms, {value.data(), value.size()}, row_value_);
  pending_.Put(row_key_, row_value_);
  ++figures_.backend_writes;
  if (!(entry.flags_ & StateEntry::kInBackend)) {
    entry.flags_ |= StateEntry::kInBackend;
    ++Group(GroupOf(entry)).keys;
    ++backend_keys_;
  }
  if (entry.flags_ & StateEntry::kDirty) {
    dirty_bytes_ -= StateCache::BytesOf(entry);
    entry.flags_ &= static_cast<uint8_t>(~StateEntry::kDirty);
  }
}

// An evicted key's timer becomes a row; one that is there already and early enough is left alone.
void CachedKeyedState::MoveTimerToBackend(StateEntry& entry) {
  if (entry.timer_ms_ == kNoTimer) return;
  --live_timers_;
  const TimestampMs time_ms = entry.timer_ms_;
  entry.timer_ms_ = kNoTimer;
  if (entry.backend_timer_ms_ <= time_ms) return;
  DeleteTimerRow(entry);
  row_key_.clear();
  AppendTimerRowKey(GroupOf(entry), time_ms, entry.key(), row_key_);
  pending_.Put(row_key_, {});
  entry.backend_timer_ms_ = time_ms;
  MarkDirty(entry);  // the value row names the timer
  BackendGroup& group = Group(GroupOf(entry));
  group.earliest_timer_ms = std::min(group.earliest_timer_ms, time_ms);
  earliest_backend_timer_ms_ = std::min(earliest_backend_timer_ms_, time_ms);
}

// CLOCK: an entry used since the hand last passed gets another round.
StateEntry* CachedKeyedState::NextColdEntry(bool dirty_only) {
  const EntryTable& table = cache_.table();
  for (size_t step = 0; step < 2 * table.bucket_count() + 2; ++step) {
    if (clock_hand_ >= table.bucket_count()) clock_hand_ = 0;
    const uint32_t slot = table.SlotAt(clock_hand_);
    if (slot == 0) {
      ++clock_hand_;
      continue;
    }
    StateEntry& entry = cache_.At(slot);
    if (entry.flags_ & StateEntry::kReferenced) {
      entry.flags_ &= static_cast<uint8_t>(~StateEntry::kReferenced);
    } else if (!dirty_only || (entry.flags_ & StateEntry::kDirty)) {
      return &entry;
    }
    ++clock_hand_;
  }
  return nullptr;
}

void CachedKeyedState::Evict(int64_t target_bytes) {
  while (UsedBytes() > target_bytes && cache_.size() > 0) {
    StateEntry* entry = NextColdEntry(/*dirty_only=*/false);
    if (entry == nullptr) break;
    MoveTimerToBackend(*entry);
    if (entry->flags_ & StateEntry::kDirty) PutValueRow(*entry, entry->backend_timer_ms_);
    ++figures_.evictions;
    cache_.Erase(*entry);
  }
  CompactTimers();
}

// Writes dirty entries back without evicting them; their timers stay in memory.
void CachedKeyedState::Clean(int64_t target_dirty_bytes) {
  while (dirty_bytes_ > target_dirty_bytes) {
    StateEntry* entry = NextColdEntry(/*dirty_only=*/true);
    if (entry == nullptr) break;
    PutValueRow(*entry, entry->backend_timer_ms_);
  }
}

Status CachedKeyedState::WritePending() {
  if (pending_.empty()) return Ok();
  if (!backend_) {
    if (memory_->options().backend == StateBackendKind::kRocksDb) {
      WS_ASSIGN_OR_RETURN(backend_, OpenRocksDbBackend(spec_.directory, *memory_));
    } else {
      backend_ = MakeOrderedMapBackend();
    }
  }
  Status written = backend_->Write(pending_);
  pending_.Clear();
  return written;
}

void CachedKeyedState::CompactTimers() {
  if (timers_.size() <= live_timers_ + live_timers_ / 2 + 64) return;
  timers_.Compact([&](const TimerRef& timer) { return Live(timer); });
}

}  // namespace watershed
