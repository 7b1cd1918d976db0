// What lies under the cache: an ordered store of rows. One per operator and subtask, used by its
// task's thread only; scratch that no restart reads. The layout of rows is state_rows.h's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/event_time.h"
#include "runtime/types/result.h"

namespace watershed {

// Puts and deletes, applied in order and at once. Reused, so that nothing is allocated once warm.
class StateWriteBatch {
 public:
  enum class Kind : uint8_t { kPut, kDelete };

  void Put(std::string_view key, std::string_view value) { Append(Kind::kPut, key, value); }
  void Delete(std::string_view key) { Append(Kind::kDelete, key, {}); }
  bool empty() const { return operations_.empty(); }
  int64_t byte_size() const { return static_cast<int64_t>(bytes_.size()); }
  void Clear() {
    bytes_.clear();
    operations_.clear();
  }
  // apply(kind, key, value) for each operation.
  template <typename Apply>
  void ForEach(Apply apply) const {
    for (const Operation& op : operations_) {
      const std::string_view row(bytes_.data() + op.begin, op.key_size + op.value_size);
      apply(op.kind, row.substr(0, op.key_size), row.substr(op.key_size));
    }
  }

 private:
  struct Operation {
    Kind kind;
    size_t begin;
    size_t key_size, value_size;
  };
  void Append(Kind kind, std::string_view key, std::string_view value) {
    operations_.push_back({kind, bytes_.size(), key.size(), value.size()});
    bytes_.append(key).append(value);
  }
  std::string bytes_;
  std::vector<Operation> operations_;
};

// Rows as they were when it was made. Any thread, one at a time; may outlive the backend.
class StateBackendScan {
 public:
  virtual ~StateBackendScan() = default;
  // The next row in order of keys; false at the end. What they point at lives until the next call.
  virtual Result<bool> Next(std::string_view& key, std::string_view& row) = 0;
};

class StateBackend {
 public:
  virtual ~StateBackend() = default;
  // found(i, value) for every keys[i] that is there, in any order; the value lives for that call.
  // Precondition: keys are sorted and distinct.
  virtual Status MultiGet(std::span<const std::string_view> keys,
                          const std::function<void(size_t, std::string_view)>& found) = 0;
  virtual Status Write(const StateWriteBatch& batch) = 0;
  // Value rows that name a timer up to this time are dead: they may still be found, or go at any
  // time. Times must not fall.
  virtual void DeadUpTo(TimestampMs timer_ms) = 0;
  // Of all rows that Write has been told.
  virtual std::unique_ptr<StateBackendScan> Scan() = 0;
};

struct RocksDbFigures;
class StateMemory;

std::unique_ptr<StateBackend> MakeOrderedMapBackend();
// Opens an empty RocksDB in `directory` and removes it when destroyed. It counts in `figures`.
Result<std::unique_ptr<StateBackend>> OpenRocksDbBackend(const std::string& directory,
                                                         StateMemory& memory,
                                                         std::shared_ptr<RocksDbFigures> figures);

}  // namespace watershed
