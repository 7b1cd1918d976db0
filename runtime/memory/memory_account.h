// The memory of a process, shared out by what it is for. One setting bounds the whole;
// DECISIONS.md, "One memory account", says who reserves what, and what happens when a share is
// short.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace watershed {

enum class MemoryShare : uint8_t {
  kState,      // keyed state: caches of hot keys, timers, RocksDB's blocks and write buffers
  kSources,    // rows that client libraries have fetched ahead
  kNetwork,    // rows between tasks, of this process and to and from others
  kSnapshots,  // copies of frozen state that the checkpoint storage has not taken yet
  kSinks,      // output that is not committed yet
};
inline constexpr std::array kMemoryShares = {MemoryShare::kState, MemoryShare::kSources,
                                             MemoryShare::kNetwork, MemoryShare::kSnapshots,
                                             MemoryShare::kSinks};
std::string_view NameOf(MemoryShare share);  // "state", "sources", …

struct MemoryLimits {
  int64_t process_bytes = 0;  // the whole
  int64_t fixed_bytes = 0;    // programs, stacks, the allocator's loss
  int64_t task_bytes = 0;     // what tasks work with: open batches, tables of one batch
  std::array<int64_t, kMemoryShares.size()> shares_bytes{};
  int32_t slots = 1;

  int64_t of(MemoryShare share) const { return shares_bytes[static_cast<size_t>(share)]; }
};

// Thread-safe. Shares are not lent to each other: a job that reads much must not starve another's
// checkpoints. Users keep to their part by themselves (evict, wait, write to disk); the account
// tells them when.
class MemoryAccount {
 public:
  explicit MemoryAccount(const MemoryLimits& limits) : limits_(limits) {}
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  const MemoryLimits& limits() const { return limits_; }
  // What a slot may take of a share. A slot holds one subtask of each vertex of one job.
  int64_t SlotBytes(MemoryShare share) const { return limits_.of(share) / limits_.slots; }

  void Add(MemoryShare share, int64_t bytes) { usage_->Add(share, bytes); }  // negative: given back
  int64_t used_bytes(MemoryShare share) const {
    return usage_->used[static_cast<size_t>(share)].load(std::memory_order_relaxed);
  }
  // The most that was ever used.
  int64_t peak_bytes(MemoryShare share) const {
    return usage_->peak[static_cast<size_t>(share)].load(std::memory_order_relaxed);
  }
  bool full(MemoryShare share) const { return used_bytes(share) >= limits_.of(share); }
  bool half_full(MemoryShare share) const { return used_bytes(share) >= limits_.of(share) / 2; }

 private:
  friend class MemoryReservation;
  struct Usage {
    void Add(MemoryShare share, int64_t bytes);
    std::array<std::atomic<int64_t>, kMemoryShares.size()> used{};
    std::array<std::atomic<int64_t>, kMemoryShares.size()> peak{};
  };

  const MemoryLimits limits_;
  const std::shared_ptr<Usage> usage_ = std::make_shared<Usage>();
};

// Bytes of a share that belong to this object: given back at its end.
class MemoryReservation {
 public:
  MemoryReservation() = default;
  // `account` may be null: nothing is counted. This may outlive it: a call into a client library
  // that a cancel left behind keeps what it uses for as long as it takes.
  MemoryReservation(const MemoryAccount* account, MemoryShare share)
      : usage_(account == nullptr ? nullptr : account->usage_), share_(share) {}
  ~MemoryReservation() { Set(0); }
  MemoryReservation(const MemoryReservation&) = delete;
  MemoryReservation& operator=(const MemoryReservation&) = delete;

  void Set(int64_t bytes) {
    if (usage_ != nullptr && bytes != bytes_) usage_->Add(share_, bytes - bytes_);
    bytes_ = bytes;
  }
  int64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<MemoryAccount::Usage> usage_;
  MemoryShare share_ = MemoryShare::kState;
  int64_t bytes_ = 0;
};

}  // namespace watershed
