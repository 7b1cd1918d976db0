// What leaves the cache, and what the backend is told: one write per bundle.
#include <algorithm>

#include "runtime/state/cached_keyed_state.h"
#include "runtime/state/state_memory.h"
#include "runtime/state/state_rows.h"

namespace watershed {
namespace {

// The parts of the budget that may go to what is known of evicted keys: the index, and buffered
// records of timers.
constexpr int64_t kIndexShare = 4;
constexpr int64_t kLogShare = 16;

}  // namespace

void CachedKeyedState::DropEmpty() {
  for (StateEntry* entry : maybe_empty_) {
    entry->flags_ &= static_cast<uint16_t>(~StateEntry::kMaybeEmpty);
    if (entry->value_size_ == 0) Erase(*entry);
  }
  maybe_empty_.clear();
}

// A key without state was never written if it lived and died in the cache, and need not be deleted
// when its row's timer has fired.
void CachedKeyedState::Erase(StateEntry& entry) {
  if (snapshots_) snapshots_->BeforeErase(entry);
  if (entry.flags_ & StateEntry::kInBackend) {
    const TimestampMs timer_ms = entry.row_timer_ms_;
    index_.Erase(entry.hash(), timer_ms);
    --BackendKeys(GroupOf(entry));
    --backend_keys_;
    if (timer_ms > fired_ms_) {
      row_key_.clear();
      AppendValueRowKey(GroupOf(entry), entry.key(), row_key_);
      if (timer_ms > watermark_ms_) {
        pending_.Delete(row_key_);
      } else {
        deferred_.Add(entry.hash(), timer_ms, row_key_, pending_);
      }
    }
  }
  if (entry.flags_ & StateEntry::kDirty) dirty_bytes_ -= StateCache::BytesOf(entry);
  if (entry.timer_ms_ != kNoTimer) --live_timers_;
  cache_.Erase(entry);
}

void CachedKeyedState::PutValueRow(StateEntry& entry) {
  if (deferred_.MayContain(entry.hash())) deferred_.MoveTo(pending_);
  row_key_.clear();
  row_value_.clear();
  AppendValueRowKey(GroupOf(entry), entry.key(), row_key_);
  const std::span<char> value = entry.value();
  AppendValueRow(entry.timer_ms_, {value.data(), value.size()}, row_value_);
  pending_.Put(row_key_, row_value_);
  ++figures_.backend_writes;
  if (!(entry.flags_ & StateEntry::kInBackend)) {
    entry.flags_ |= StateEntry::kInBackend;
    ++BackendKeys(GroupOf(entry));
    ++backend_keys_;
    if (index_.NextByteSize() > memory_->AllowanceBytes(reported_bytes_) / kIndexShare) {
      index_.Disable();
    }
    index_.Insert(entry.hash(), entry.timer_ms_);
  } else if (entry.row_timer_ms_ != entry.timer_ms_) {
    index_.Erase(entry.hash(), entry.row_timer_ms_);
    index_.Insert(entry.hash(), entry.timer_ms_);
    entry.flags_ &= static_cast<uint16_t>(~StateEntry::kRecorded);
  }
  entry.row_timer_ms_ = entry.timer_ms_;
  dirty_bytes_ -= StateCache::BytesOf(entry);
  entry.flags_ &= static_cast<uint16_t>(~StateEntry::kDirty);
}

// An evicted key's timer becomes a record, unless the log has it.
void CachedKeyedState::MoveTimerToLog(StateEntry& entry) {
  if (entry.timer_ms_ == kNoTimer) return;
  --live_timers_;
  if (!(entry.flags_ & StateEntry::kRecorded)) log_.Add(entry.timer_ms_, entry.key());
}

// CLOCK: an entry used since the hand last passed gets another round. One whose timer is due stays:
// it will be asked for at once, and its row would be taken for dead.
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
      entry.flags_ &= static_cast<uint16_t>(~StateEntry::kReferenced);
    } else if (entry.timer_ms_ > watermark_ms_ &&
               (!dirty_only || (entry.flags_ & StateEntry::kDirty))) {
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
    if (snapshots_) snapshots_->BeforeEviction(*entry);
    if (entry->flags_ & StateEntry::kDirty) PutValueRow(*entry);
    MoveTimerToLog(*entry);
    ++figures_.evictions;
    cache_.Erase(*entry);
  }
  const int64_t log_bytes = memory_->AllowanceBytes(reported_bytes_) / kLogShare;
  if (log_.buffered_bytes() > log_bytes) log_.Spill(log_bytes / 2, pending_);
  CompactTimers();
}

// Writes dirty entries back without evicting them; their timers stay in memory.
void CachedKeyedState::Clean(int64_t target_dirty_bytes) {
  while (dirty_bytes_ > target_dirty_bytes) {
    StateEntry* entry = NextColdEntry(/*dirty_only=*/true);
    if (entry == nullptr) break;
    PutValueRow(*entry);
  }
}

Status CachedKeyedState::WritePending() {
  if (pending_.empty()) return Ok();
  if (!backend_) {
    if (memory_->options().backend == StateBackendKind::kRocksDb) {
      WS_ASSIGN_OR_RETURN(backend_,
                          OpenRocksDbBackend(spec_.directory, *memory_, rocksdb_figures_));
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
