#include "runtime/metrics/names.h"
#include "runtime/state/cached_keyed_state.h"
#include "runtime/state/keyed_state.h"
#include "runtime/state/state_memory.h"

namespace watershed {

Result<StateBackendKind> StateBackendKindFromName(std::string_view name) {
  if (name == "rocksdb") return StateBackendKind::kRocksDb;
  if (name == "hashmap") return StateBackendKind::kHashMap;
  return UserError("state.backend.type: '{}' is not known; 'rocksdb' and 'hashmap' are", name);
}

KeyedStateFactory::KeyedStateFactory(const KeyedStateOptions& options)
    : memory_(std::make_shared<StateMemory>(options)) {}

KeyedStateFactory::~KeyedStateFactory() = default;

const KeyedStateOptions& KeyedStateFactory::options() const { return memory_->options(); }

int64_t KeyedStateFactory::backend_memory_bytes() const {
  return memory_->BlockCacheBytes() + memory_->WriteBufferBytes();
}

void KeyedStateFactory::Export(MetricGroup& group) const {
  if (options().backend != StateBackendKind::kRocksDb) return;
  group.callback(metric_names::kRocksDbBlockCacheBytes,
                 [memory = memory_] { return static_cast<double>(memory->BlockCacheBytes()); });
  group.callback(metric_names::kRocksDbWriteBufferBytes,
                 [memory = memory_] { return static_cast<double>(memory->WriteBufferBytes()); });
}

Result<std::unique_ptr<KeyedState>> KeyedStateFactory::Open(const KeyedStateSpec& spec) {
  auto state = std::make_unique<CachedKeyedState>(spec, memory_);
  WS_RETURN_IF_ERROR(state->Open());
  return std::unique_ptr<KeyedState>(std::move(state));
}

}  // namespace watershed
