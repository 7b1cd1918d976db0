// Keyed state: one value (bytes) and one event-time timer per key, behind a bounded write-back
// cache.
//
// One KeyedStateFactory per process shares memory among the KeyedStates of all operators. How state
// is laid out and why: DECISIONS.md, "Keyed state".
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/metrics/metrics.h"
#include "runtime/types/key_group.h"
#include "runtime/types/result.h"

namespace watershed {

class KeyedState;
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

 private:
  std::shared_ptr<StateMemory> memory_;
};

}  // namespace watershed
