#include "tests/support/faulty_storage.h"

#include <random>
#include <utility>

#include "runtime/storage/object_name.h"

namespace watershed {

using Kind = StorageCall::Kind;

struct FaultyStorage::Shared {
  explicit Shared(const Clock* its_clock) : clock(its_clock) {}

  struct Object {
    std::string bytes;
    int64_t modified_ms = 0;
  };

  // Runs one call with its fault. `act` does it, under the lock, and is told of damage.
  template <typename Value, typename Act>
  Result<Value> Call(Kind kind, std::string_view name, const Act& act) {
    StorageCall call{kind, std::string(name)};
    std::shared_ptr<StorageFaults> ask;  // not a copy: it may count
    {
      const std::lock_guard lock(mutex);
      call.index = calls++;
      ask = faults;
    }
    const StorageFault fault = ask && *ask ? (*ask)(call) : StorageFault::kNone;
    if (fault == StorageFault::kFail) return TransientError("'{}': injected failure", name);
    if (fault == StorageFault::kFull && kind <= Kind::kCommit) {
      return TransientError("'{}': No space left on device (injected)", name);
    }
    const std::lock_guard lock(mutex);
    Result<Value> result = act(fault == StorageFault::kDamage);
    if (fault == StorageFault::kOutcomeUnknown) {
      return TransientError("'{}': injected loss of the answer", name);
    }
    return result;
  }

  const Clock* const clock;
  mutable std::mutex mutex;
  std::shared_ptr<StorageFaults> faults;
  int64_t calls = 0;
  std::map<std::string, Object> objects;
};

class FaultyStorage::Writer final : public ObjectWriter {
 public:
  Writer(std::shared_ptr<Shared> shared, std::string name)
      : shared_(std::move(shared)), name_(std::move(name)) {}

  Status Append(std::string_view bytes) override {
    return shared_->Call<void>(Kind::kAppend, name_, [&](bool) -> Status {
      bytes_ += bytes;
      return Ok();
    });
  }

  Result<bool> Commit() override {
    return shared_->Call<bool>(Kind::kCommit, name_, [&](bool damage) -> Result<bool> {
      if (damage && !bytes_.empty()) bytes_[bytes_.size() / 2] ^= 1;
      return shared_->objects.try_emplace(name_, std::move(bytes_), shared_->clock->NowMs()).second;
    });
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::string name_;
  std::string bytes_;
};

FaultyStorage::FaultyStorage(const Clock* clock, std::string uri)
    : shared_(std::make_shared<Shared>(clock)), uri_(std::move(uri)) {}

FaultyStorage::~FaultyStorage() = default;

void FaultyStorage::SetFaults(StorageFaults faults) {
  const std::lock_guard lock(shared_->mutex);
  shared_->faults = std::make_shared<StorageFaults>(std::move(faults));
}

Result<std::unique_ptr<ObjectWriter>> FaultyStorage::Create(std::string_view name) {
  using Made = std::unique_ptr<ObjectWriter>;
  WS_RETURN_IF_ERROR(CheckObjectName(name));
  return shared_->Call<Made>(Kind::kCreate, name, [&](bool) -> Result<Made> {
    return std::make_unique<Writer>(shared_, std::string(name));
  });
}

Result<std::optional<std::string>> FaultyStorage::Get(std::string_view name) {
  using Bytes = std::optional<std::string>;
  WS_RETURN_IF_ERROR(CheckObjectName(name));
  return shared_->Call<Bytes>(Kind::kGet, name, [&](bool) -> Result<Bytes> {
    const auto found = shared_->objects.find(std::string(name));
    if (found == shared_->objects.end()) return Bytes();
    return Bytes(found->second.bytes);
  });
}

Result<std::vector<ObjectInfo>> FaultyStorage::List(std::string_view prefix) {
  using Infos = std::vector<ObjectInfo>;
  WS_RETURN_IF_ERROR(CheckObjectPrefix(prefix));
  return shared_->Call<Infos>(Kind::kList, prefix, [&](bool) -> Result<Infos> {
    Infos infos;
    for (auto object = shared_->objects.lower_bound(std::string(prefix));
         object != shared_->objects.end() && object->first.starts_with(prefix); ++object) {
      infos.push_back({object->first, static_cast<int64_t>(object->second.bytes.size()),
                       object->second.modified_ms});
    }
    return infos;
  });
}

Status FaultyStorage::Delete(std::string_view name) {
  WS_RETURN_IF_ERROR(CheckObjectName(name));
  return shared_->Call<void>(Kind::kDelete, name, [&](bool) -> Status {
    shared_->objects.erase(std::string(name));
    return Ok();
  });
}

bool FaultyStorage::Flip(const std::string& name, size_t byte, uint8_t mask) {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->objects.find(name);
  if (found == shared_->objects.end() || byte >= found->second.bytes.size()) return false;
  found->second.bytes[byte] = static_cast<char>(found->second.bytes[byte] ^ mask);
  return true;
}

bool FaultyStorage::Replace(const std::string& name, std::string bytes) {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->objects.find(name);
  if (found == shared_->objects.end()) return false;
  found->second.bytes = std::move(bytes);
  return true;
}

bool FaultyStorage::Remove(const std::string& name) {
  const std::lock_guard lock(shared_->mutex);
  return shared_->objects.erase(name) > 0;
}

std::optional<std::string> FaultyStorage::Find(const std::string& name) const {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->objects.find(name);
  if (found == shared_->objects.end()) return std::nullopt;
  return found->second.bytes;
}

std::map<std::string, std::string> FaultyStorage::objects() const {
  const std::lock_guard lock(shared_->mutex);
  std::map<std::string, std::string> copy;
  for (const auto& [name, object] : shared_->objects) copy[name] = object.bytes;
  return copy;
}

int64_t FaultyStorage::calls() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->calls;
}

StorageFaults SeededStorageFaults(uint64_t seed, const StorageFaultRates& rates) {
  return [random = std::mt19937_64(seed), rates](const StorageCall&) mutable {
    // Not a distribution of the standard library: their results differ between libraries.
    int draw = static_cast<int>(random() % 1000);
    if ((draw -= rates.fail) < 0) return StorageFault::kFail;
    if ((draw -= rates.full) < 0) return StorageFault::kFull;
    if ((draw -= rates.outcome_unknown) < 0) return StorageFault::kOutcomeUnknown;
    if ((draw -= rates.damage) < 0) return StorageFault::kDamage;
    return StorageFault::kNone;
  };
}

}  // namespace watershed
