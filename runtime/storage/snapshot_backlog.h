// What one user of a checkpoint storage has handed over and is not written yet.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/memory/memory_account.h"

namespace watershed {

// Thread-safe.
class SnapshotBacklog {
 public:
  // The account outlives it.
  explicit SnapshotBacklog(MemoryAccount* account) : account_(account) {}
  SnapshotBacklog(const SnapshotBacklog&) = delete;
  SnapshotBacklog& operator=(const SnapshotBacklog&) = delete;

  void Add(int64_t bytes) {
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    account_->Add(MemoryShare::kSnapshots, bytes);
  }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // Whoever can put off handing over more should.
  bool long_enough() const { return account_->half_full(MemoryShare::kSnapshots); }
  // The process's share is used up, and not by others alone: this user waits. What a storage at a
  // standstill keeps in its hands does not count, so that nobody waits for that alone.
  bool too_long() const {
    return bytes() > kInHandBytes && account_->full(MemoryShare::kSnapshots);
  }
  const MemoryAccount& account() const { return *account_; }

 private:
  static constexpr int64_t kInHandBytes = int64_t{3} << 19;  // a chunk and a half

  MemoryAccount* const account_;
  std::atomic<int64_t> bytes_{0};
};

}  // namespace watershed
