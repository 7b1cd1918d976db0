// The memory that all keyed states of a process share: a budget for their caches, and RocksDB's
// block cache and write-buffer manager. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/memory/memory_account.h"
#include "runtime/state/keyed_state.h"

namespace rocksdb {
class Cache;
class WriteBufferManager;
}  // namespace rocksdb

namespace watershed {

class StateMemory {
 public:
  explicit StateMemory(const KeyedStateOptions& options);
  ~StateMemory();

  const KeyedStateOptions& options() const { return options_; }

  // A state joins with nothing used, reports what it uses, and leaves.
  void Join() { states_.fetch_add(1, std::memory_order_relaxed); }
  void Report(int64_t delta_bytes) {
    used_.fetch_add(delta_bytes, std::memory_order_relaxed);
    if (options_.account != nullptr) options_.account->Add(MemoryShare::kState, delta_bytes);
  }
  // Of RocksDB; 0: another backend.
  int64_t BlockCacheBytes() const;
  int64_t WriteBufferBytes() const;
  void Leave(int64_t used_bytes) {
    Report(-used_bytes);
    states_.fetch_sub(1, std::memory_order_relaxed);
  }
  // What a state that uses `own_bytes` may use now: all that is free, and never less than an equal
  // share. One that is above its share gives way as soon as the budget is exceeded.
  int64_t AllowanceBytes(int64_t own_bytes) const;

  // Null for a backend other than RocksDB.
  const std::shared_ptr<rocksdb::Cache>& block_cache() const { return block_cache_; }
  const std::shared_ptr<rocksdb::WriteBufferManager>& write_buffers() const {
    return write_buffers_;
  }

 private:
  KeyedStateOptions options_;
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers_;
  std::atomic<int64_t> used_{0};
  std::atomic<int64_t> states_{0};
};

}  // namespace watershed
