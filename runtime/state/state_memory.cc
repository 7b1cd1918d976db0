#include "runtime/state/state_memory.h"

#include <rocksdb/cache.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>

namespace watershed {

StateMemory::StateMemory(const KeyedStateOptions& options) : options_(options) {
  if (options.backend != StateBackendKind::kRocksDb) return;
  block_cache_ = rocksdb::NewLRUCache(static_cast<size_t>(options.block_cache_bytes));
  write_buffers_ = std::make_shared<rocksdb::WriteBufferManager>(
      static_cast<size_t>(options.write_buffer_bytes));
}

StateMemory::~StateMemory() = default;

int64_t StateMemory::BlockCacheBytes() const {
  return block_cache_ == nullptr ? 0 : static_cast<int64_t>(block_cache_->GetUsage());
}

int64_t StateMemory::WriteBufferBytes() const {
  return write_buffers_ == nullptr ? 0 : static_cast<int64_t>(write_buffers_->memory_usage());
}

int64_t StateMemory::AllowanceBytes(int64_t own_bytes) const {
  const int64_t states = std::max<int64_t>(1, states_.load(std::memory_order_relaxed));
  const int64_t share = options_.cache_bytes / states;
  const int64_t others = used_.load(std::memory_order_relaxed) - own_bytes;
  return std::max(share, options_.cache_bytes - others);
}

}  // namespace watershed
