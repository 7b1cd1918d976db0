// An ObjectStorage in memory that fails as it is told: by a script or by a seed. What several
// processes of a simulation share. Objects can be damaged from outside, as a disk would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/storage/object_storage.h"
#include "runtime/types/clock.h"

namespace watershed {

struct StorageCall {
  enum class Kind : uint8_t { kCreate, kAppend, kCommit, kGet, kList, kDelete };
  Kind kind;
  std::string name;   // of the object; the prefix of a List
  int64_t index = 0;  // counts all calls of this storage, from 0
};

enum class StorageFault : uint8_t {
  kNone,
  kFail,            // not done, a retryable error
  kFull,            // Create, Append and Commit: no space left; else as kNone
  kOutcomeUnknown,  // done, and an error all the same
  kDamage,          // Commit: done, with one bit of the object flipped; else as kNone
};

// Asked before each call, without a lock: it may call the storage itself, to let another process be
// faster. One that counts is for one thread.
using StorageFaults = std::function<StorageFault(const StorageCall& call)>;

// How often each fault happens to a call, in thousandths.
struct StorageFaultRates {
  int fail = 0;
  int full = 0;
  int outcome_unknown = 0;
  int damage = 0;
};
// The same seed gives the same faults to the same sequence of calls.
StorageFaults SeededStorageFaults(uint64_t seed, const StorageFaultRates& rates);

// Any thread.
class FaultyStorage final : public ObjectStorage {
 public:
  explicit FaultyStorage(const Clock* clock, std::string uri = "memory://storage");
  ~FaultyStorage() override;

  // From the next call on; null: none.
  void SetFaults(StorageFaults faults);

  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view name) override;
  Result<std::optional<std::string>> Get(std::string_view name) override;
  Result<std::vector<ObjectInfo>> List(std::string_view prefix) override;
  Status Delete(std::string_view name) override;
  const std::string& uri() const override { return uri_; }

  // What a test does behind the storage's back; no faults, and false if there is no such object.
  bool Flip(const std::string& name, size_t byte, uint8_t mask = 1);
  bool Replace(const std::string& name, std::string bytes);
  bool Remove(const std::string& name);
  std::optional<std::string> Find(const std::string& name) const;
  std::map<std::string, std::string> objects() const;
  int64_t calls() const;  // so far

 private:
  class Writer;
  struct Shared;  // with the writers that are under way
  const std::shared_ptr<Shared> shared_;
  const std::string uri_;
};

}  // namespace watershed
