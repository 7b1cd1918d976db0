// Deletes of rows whose timer is being fired. When all timers up to its own have fired, a row is
// dead without being deleted (state_rows.h); until then it must not be read or written anew before
// its delete. So deletes wait here, and most are never written.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/state/state_backend.h"
#include "runtime/types/event_time.h"

namespace watershed {

class DeferredDeletes {
 public:
  // Takes the delete of a row with this timer, of a key with this hash.
  void Add(uint64_t hash, TimestampMs timer_ms, std::string_view row_key,
           StateWriteBatch& instead) {
    const auto [at, added] = rows_.try_emplace(hash);
    if (added) {
      at->second = {timer_ms, std::string(row_key)};
      key_bytes_ += static_cast<int64_t>(row_key.size());
    } else {
      instead.Delete(row_key);  // two keys of one hash: this one is written at once
    }
  }
  bool empty() const { return rows_.empty(); }
  int64_t byte_size() const {
    return static_cast<int64_t>(rows_.capacity() * (sizeof(uint64_t) + sizeof(Row) + 1)) +
           key_bytes_;
  }
  // Whether a row of a key with this hash may wait here.
  bool MayContain(uint64_t hash) const { return !rows_.empty() && rows_.contains(hash); }
  // All timers up to this one have fired.
  void Forget(TimestampMs fired_ms) {
    absl::erase_if(rows_, [&](const auto& row) {
      if (row.second.timer_ms > fired_ms) return false;
      key_bytes_ -= static_cast<int64_t>(row.second.row_key.size());
      return true;
    });
    if (rows_.empty()) rows_ = {};
  }
  void MoveTo(StateWriteBatch& batch) {
    for (const auto& [hash, row] : rows_) batch.Delete(row.row_key);
    rows_ = {};
    key_bytes_ = 0;
  }

 private:
  struct Row {
    TimestampMs timer_ms = 0;
    std::string row_key;
  };
  absl::flat_hash_map<uint64_t, Row> rows_;  // by the key's hash
  int64_t key_bytes_ = 0;
};

}  // namespace watershed
