// Keyed state: one value (bytes) and one event-time timer per key, behind a bounded write-back
// cache.
//
// One KeyedStateFactory per process shares memory among the KeyedStates of all operators. How state
// is laid out and why: DECISIONS.md, "Keyed state".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/metrics/metrics.h"
#include "runtime/state/state_entry.h"
#include "runtime/storage/background_writer.h"
#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_file.h"
#include "runtime/types/key_encoding.h"
#include "runtime/types/key_group.h"
#include "runtime/types/result.h"

namespace watershed {

class KeyedState;
class MemoryAccount;
class StateMemory;

enum class StateBackendKind : uint8_t {
  kRocksDb,  // "rocksdb": what does not fit the cache goes to a local RocksDB
  kHashMap,  // "hashmap": the same code over an ordered map in memory, for tests; not bounded
};

// Accepts Flink's names, "rocksdb" and "hashmap".
Result<StateBackendKind> StateBackendKindFromName(std::string_view name);

// Memory of all keyed state of a process. The three figures together are the budget.
struct KeyedStateOptions {
  StateBackendKind backend = StateBackendKind::kRocksDb;
  int64_t cache_bytes = int64_t{128} << 20;        // entries, hash tables, timers
  int64_t write_buffer_bytes = int64_t{24} << 20;  // RocksDB memtables
  int64_t block_cache_bytes = int64_t{24} << 20;   // RocksDB blocks, indexes, filters
  int32_t slots = 1;                 // how many states are there at most, more or less
  MemoryAccount* account = nullptr;  // is told what the caches use; may be null; outlives them
  // Bytes in the cache that the backend has not seen; 0: only the cache's size bounds them.
  int64_t max_dirty_bytes = 0;
};

// What one operator's keyed state needs to know.
struct KeyedStateSpec {
  std::string directory;  // of this operator and subtask, empty; the state owns what it puts there
  KeyGroupRange key_groups;
  int32_t max_parallelism = kDefaultMaxParallelism;
  // Values up to this size sit inside the cache's entry, larger ones in an allocation of their own.
  int32_t inline_value_bytes = 24;
  MetricGroup* metrics = nullptr;  // may be null
  // Where snapshots go. Null: Freeze must not be called, and nothing is kept for it.
  const SnapshotTarget* snapshots = nullptr;  // outlives the state
};

// The keyed state of one subtask at one barrier: its files are read in this order, a later row of a
// key replacing an earlier one. Their format: snapshot_file.h.
struct KeyedStateFiles {
  std::vector<StoredFile> files;
  int64_t written_bytes = 0;  // of those that are new in this snapshot
};

// Figures since Open. A hit is a key found in the cache; a miss is any other, also a new key.
struct KeyedStateFigures {
  int64_t hits = 0, misses = 0, backend_reads = 0, evictions = 0, backend_writes = 0;
  int64_t cache_bytes = 0, dirty_bytes = 0;
  int64_t cached_keys = 0;
  int64_t backend_keys = 0;  // rows in the backend; a key may be in both
};

// The state of one operator's subtask; its task's thread only.
//
// All access is in bundles: Resolve (any number of times) or TakeDue, then EndBundle. Entries stay
// where they are until EndBundle, which frees those whose value is empty, evicts what exceeds the
// budget and writes to the backend, all in one write. A bundle should be a batch of rows at most:
// its keys are held in memory whatever the budget says.
//
// A timer says "look at this key at that time". Each key with state needs one at or before its
// earliest deadline; one that fires early does no harm (the operator sets the next one), so a
// deadline that moves away need not be told.
class KeyedState {
 public:
  virtual ~KeyedState() = default;

  // entries[i] = the entry of keys.key(first + i), with an empty value if the key has no state. The
  // same key gives the same entry. Keys must belong to this state's key groups.
  virtual Status Resolve(const KeyBatch& keys, int64_t first, int64_t count,
                         std::vector<StateEntry*>& entries) = 0;
  // Must precede writes to entry.value(); Resize does it too.
  void MarkDirty(StateEntry& entry) {
    if ((entry.flags_ & settled_mask_) != settled_flags_) BecomeDirty(entry);
  }
  // Keeps the bytes that fit; new bytes are zero. Size 0 means that the key has no more state.
  virtual void Resize(StateEntry& entry, uint32_t size) = 0;
  // Makes sure that a timer fires at `time_ms` or before.
  void SetTimer(StateEntry& entry, TimestampMs time_ms) {
    if (time_ms < entry.timer_ms_) AddTimer(entry, time_ms);
  }
  // The key's timer is at `time_ms` now, also if that is later than before. Not required when a
  // deadline moves away, but a store is cheaper than a look at the key in vain.
  void MoveTimer(StateEntry& entry, TimestampMs time_ms) {
    if (time_ms < entry.timer_ms_) {
      AddTimer(entry, time_ms);
    } else if (time_ms > entry.timer_ms_) {
      MarkDirty(entry);
      entry.timer_ms_ = time_ms;
    }
  }
  // Up to `max_entries` distinct keys with a timer at or before the watermark; empty when there are
  // no more. Their timers are gone: set the next one of each that keeps state. Watermarks must not
  // fall.
  virtual Status TakeDue(TimestampMs watermark_ms, int64_t max_entries,
                         std::vector<StateEntry*>& entries) = 0;
  virtual Status EndBundle() = 0;

  // Freezes what changed since the Freeze before (everything, when that is shorter or a file was
  // lost), not within a bundle. O(1), but for what the Freeze before has left to write. What is
  // frozen is written by WriteFrozen, before it is changed, and when it is evicted; `done` runs on
  // the task's thread, once, when all of it is durable.
  virtual void Freeze(std::function<Status(Result<KeyedStateFiles>)> done) = 0;
  // Hands on about `max_bytes` of what is frozen to the writer; not within a bundle. False: nothing
  // is left, or the writer has enough for now.
  virtual bool WriteFrozen(int64_t max_bytes) = 0;
  // The process has no room for more copies of what is frozen: change nothing until mail has come
  // (every chunk that is written posts some).
  virtual bool held_up() const { return false; }
  // While held_up: gives the snapshots under way up, which fail, and the next one holds everything.
  virtual void GiveUpIfHeldUp() {}
  // Into an empty state, before anything else: reads the key groups of its own range out of what
  // former subtasks wrote. Blocks. A damaged or missing file is an error that names it. The next
  // Freeze goes on from these files if they are those of one subtask with the same range.
  virtual Status Restore(std::span<const KeyedStateFiles> former, ObjectStorage& storage) = 0;

  virtual bool empty() const = 0;
  virtual KeyedStateFigures figures() const = 0;

 protected:
  // An entry with these flags of these may be changed: whoever must know knows already.
  uint16_t settled_mask_ = StateEntry::kDirty;
  uint16_t settled_flags_ = StateEntry::kDirty;
  virtual void BecomeDirty(StateEntry& entry) = 0;
  virtual void AddTimer(StateEntry& entry, TimestampMs time_ms) = 0;
};

// One per process, created before any task and destroyed after all of them. Thread-safe.
class KeyedStateFactory {
 public:
  explicit KeyedStateFactory(const KeyedStateOptions& options);
  ~KeyedStateFactory();
  KeyedStateFactory(const KeyedStateFactory&) = delete;
  KeyedStateFactory& operator=(const KeyedStateFactory&) = delete;

  Result<std::unique_ptr<KeyedState>> Open(const KeyedStateSpec& spec);
  const KeyedStateOptions& options() const;
  // Held by RocksDB's write buffers and block cache.
  int64_t backend_memory_bytes() const;
  // The same one by one, as metrics of a process's group.
  void Export(MetricGroup& group) const;

 private:
  std::shared_ptr<StateMemory> memory_;
};

}  // namespace watershed
