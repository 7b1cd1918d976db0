// Keyed state as it is: a bounded write-back cache and a timer queue in front of a backend that is
// opened when something must be written to it for the first time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/state/keyed_state.h"
#include "runtime/state/state_backend.h"
#include "runtime/state/state_cache.h"
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
  Status Snapshot(const PutSection& put) override;
  Status Restore(const GetSection& get) override;
  bool empty() const override { return cache_.size() == 0 && backend_keys_ == 0; }
  KeyedStateFigures figures() const override;

 protected:
  void BecomeDirty(StateEntry& entry) override;
  void AddTimer(StateEntry& entry, TimestampMs time_ms) override;

 private:
  // What is known of one key group's part of the backend without asking it.
  struct BackendGroup {
    int64_t keys = 0;
    TimestampMs earliest_timer_ms = kNoTimer;  // a lower bound
  };
  struct Miss {
    StateEntry* entry;
    size_t key_begin, key_size;  // of the row key in miss_keys_
  };

  KeyGroup GroupOf(const StateEntry& entry) const {
    return KeyGroupOfHash(entry.hash(), spec_.max_parallelism);
  }
  BackendGroup& Group(KeyGroup group) {
    return groups_[static_cast<size_t>(group.value - spec_.key_groups.first)];
  }
  bool Live(const TimerRef& timer) const;

  // Resolving (cached_keyed_state.cc).
  Status Create(uint64_t hash, std::string_view key, StateEntry*& entry);
  Status ReadMisses();
  Status Fill(StateEntry& entry, std::string_view row);
  void TakeDueFromCache(TimestampMs watermark_ms, int64_t max_entries,
                        std::vector<StateEntry*>& entries);
  Status TakeDueFromBackend(TimestampMs watermark_ms, int64_t max_entries,
                            std::vector<StateEntry*>& entries);
  Status CollectDueRows(KeyGroup group, TimestampMs watermark_ms, int64_t max_keys);

  // Writing back (cached_keyed_state_eviction.cc).
  void DropEmpty();
  void Erase(StateEntry& entry);
  void PutValueRow(StateEntry& entry, TimestampMs timer_ms);
  void MoveTimerToBackend(StateEntry& entry);
  void DeleteTimerRow(StateEntry& entry);
  void Evict(int64_t target_bytes);
  void Clean(int64_t target_dirty_bytes);
  StateEntry* NextColdEntry(bool dirty_only);
  Status WritePending();
  void CompactTimers();
  int64_t UsedBytes() const { return cache_.byte_size() + timers_.byte_size(); }

  // Snapshots (cached_keyed_state_snapshot.cc).
  Status AppendGroup(KeyGroup group, std::span<const uint32_t> cached_slots, std::string& out);
  Status RestoreGroup(KeyGroup group, std::string_view section);
  Status RestoreRows(KeyGroup group, const KeyBatch& keys, std::span<const std::string_view> values,
                     std::span<const TimestampMs> timers);

  KeyedStateSpec spec_;
  std::shared_ptr<StateMemory> memory_;
  std::unique_ptr<StateBackend> backend_;  // null until the first write
  StateCache cache_;
  TimerQueue timers_;
  int64_t live_timers_ = 0;  // of timers_.size(), those that are not stale
  std::vector<BackendGroup> groups_;
  int64_t backend_keys_ = 0;
  TimestampMs earliest_backend_timer_ms_ = kNoTimer;  // a lower bound over all groups

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
