// Keyed state as it is: a bounded write-back cache and a timer queue in front of a backend that is
// opened when something must be written to it for the first time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/state/backend_index.h"
#include "runtime/state/deferred_deletes.h"
#include "runtime/state/keyed_state.h"
#include "runtime/state/rocksdb_figures.h"
#include "runtime/state/state_backend.h"
#include "runtime/state/state_cache.h"
#include "runtime/state/state_rows.h"
#include "runtime/state/state_snapshotter.h"
#include "runtime/state/timer_log.h"
#include "runtime/state/timer_queue.h"

namespace watershed {

class CachedKeyedState final : public KeyedState {
 public:
  CachedKeyedState(KeyedStateSpec spec, std::shared_ptr<StateMemory> memory);
  ~CachedKeyedState() override;
  Status Open();

  Status Resolve(const KeyBatch& keys, int64_t first, int64_t count,
                 std::vector<StateEntry*>& entries) override;
  void Resize(StateEntry& entry, uint32_t size) override;
  Status TakeDue(TimestampMs watermark_ms, int64_t max_entries,
                 std::vector<StateEntry*>& entries) override;
  Status EndBundle() override;
  void Freeze(std::function<Status(Result<KeyedStateFiles>)> done) override;
  bool WriteFrozen(int64_t max_bytes) override;
  bool held_up() const override { return snapshots_ && snapshots_->held_up(); }
  void GiveUpIfHeldUp() override {
    if (snapshots_) snapshots_->GiveUpIfHeldUp();
  }
  Status Restore(std::span<const KeyedStateFiles> former, ObjectStorage& storage) override;
  bool empty() const override { return cache_.size() == 0 && backend_keys_ == 0; }
  KeyedStateFigures figures() const override;

 protected:
  void BecomeDirty(StateEntry& entry) override;
  void AddTimer(StateEntry& entry, TimestampMs time_ms) override;

 private:
  struct Miss {
    StateEntry* entry;           // null if there is none yet
    size_t due;                  // index in due_keys_, if read because a timer is due
    size_t key_begin, key_size;  // of the row key in miss_keys_
  };

  KeyGroup GroupOf(const StateEntry& entry) const {
    return KeyGroupOfHash(entry.hash(), spec_.max_parallelism);
  }
  // Rows of one key group that live in the backend: none, and it need not be asked.
  int64_t& BackendKeys(KeyGroup group) {
    return group_keys_[static_cast<size_t>(group.value - spec_.key_groups.first)];
  }
  bool Live(const TimerRef& timer) const {
    return cache_.At(timer.slot).generation_ == timer.generation;
  }

  // Resolving (cached_keyed_state.cc).
  Status Create(uint64_t hash, std::string_view key, StateEntry*& entry);
  void AddMiss(StateEntry* entry, size_t due, KeyGroup group, std::string_view key);
  Status ReadMisses(const std::function<Status(const Miss&, const ValueRow&)>& found);
  void Fill(StateEntry& entry, const ValueRow& row);
  void Queue(StateEntry& entry, TimestampMs time_ms);

  // Timers (cached_keyed_state_timers.cc).
  void TakeDueFromCache(int64_t max_entries, std::vector<StateEntry*>& entries);
  Status TakeDueFromBackend(int64_t max_entries, std::vector<StateEntry*>& entries);
  void CollectDueKeys(int64_t max_keys);
  Status LoadDueKeys(std::vector<StateEntry*>& entries);
  void AllFiredUpTo(TimestampMs time_ms);

  // Writing back (cached_keyed_state_eviction.cc).
  void DropEmpty();
  void Erase(StateEntry& entry);
  void PutValueRow(StateEntry& entry);
  void MoveTimerToLog(StateEntry& entry);
  void Evict(int64_t target_bytes);
  void Clean(int64_t target_dirty_bytes);
  StateEntry* NextColdEntry(bool dirty_only);
  Status WritePending();
  void CompactTimers();
  int64_t UsedBytes() const {
    return cache_.byte_size() + timers_.byte_size() + index_.byte_size() + log_.byte_size() +
           deferred_.byte_size() + static_cast<int64_t>(chunk_.size()) +
           (snapshots_ ? snapshots_->byte_size() : 0);
  }

  // Snapshots (cached_keyed_state_snapshot.cc).
  Status FreezeNow(std::function<Status(Result<KeyedStateFiles>)>& done);
  void UpdateSettled();
  StateEntry* InsertEntry(uint64_t hash, std::string_view key);

  // Restoring (cached_keyed_state_restore.cc).
  struct RestoredRows;
  Status RestoreFile(std::string_view name, ObjectReader& from, bool& goes_on, int64_t& rows,
                     int64_t& part_bytes);
  void MakeRoom(const SnapshotFileReader& reader, int64_t chunk_rows, int64_t part_bytes);
  Status RestoreRows(RestoredRows& rows);
  void RestoreTimer(StateEntry& entry, TimestampMs time_ms);

  KeyedStateSpec spec_;
  std::shared_ptr<StateMemory> memory_;
  std::unique_ptr<StateBackend> backend_;            // null until the first write
  std::shared_ptr<RocksDbFigures> rocksdb_figures_;  // null: another backend
  StateCache cache_;
  TimerQueue timers_;
  int64_t live_timers_ = 0;  // of timers_.size(), those that are not stale

  // What lies in the backend. Timers of cached keys are in timers_, of evicted ones in log_.
  int64_t backend_keys_ = 0;
  std::vector<int64_t> group_keys_;
  BackendIndex index_;
  TimerLog log_;
  std::string chunk_;            // of log_, being fired
  std::string_view chunk_rest_;  // of chunk_, not looked at yet
  TimestampMs watermark_ms_ = kMinWatermarkMs;
  // All timers up to here have fired: rows that name one are dead. Below watermark_ms_ while
  // TakeDue has not come to its end.
  TimestampMs fired_ms_ = kMinWatermarkMs;
  DeferredDeletes deferred_;  // of rows that name a timer in (fired_ms_, watermark_ms_]

  std::unique_ptr<StateSnapshotter> snapshots_;  // null: none are taken

  std::vector<StateEntry*> maybe_empty_;
  StateWriteBatch pending_;
  size_t clock_hand_ = 0;
  int64_t dirty_bytes_ = 0;
  int64_t reported_bytes_ = 0;

  // Scratch, kept for its memory.
  std::vector<Miss> misses_;
  std::string miss_keys_;
  std::vector<std::string_view> row_keys_;
  KeyBatch due_keys_;
  std::vector<TimestampMs> due_times_;
  std::vector<StateEntry*> due_entries_;
  std::string row_key_, row_value_;

  KeyedStateFigures figures_;
  struct Gauges;
  std::unique_ptr<Gauges> gauges_;
  void UpdateGauges();
};

}  // namespace watershed
