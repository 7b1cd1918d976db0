// The cache's entries in memory: table, arena and values. Knows nothing of backends, timers or
// budgets.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/state/entry_arena.h"
#include "runtime/state/entry_table.h"
#include "runtime/state/state_entry.h"
#include "runtime/types/key_encoding.h"
#include "runtime/types/result.h"

namespace watershed {

class StateCache {
 public:
  StateCache() = default;
  ~StateCache();
  StateCache(const StateCache&) = delete;
  StateCache& operator=(const StateCache&) = delete;

  // `cache_bytes` is what the owner will keep it to, give or take a bundle.
  Status Open(int32_t inline_value_bytes, int64_t cache_bytes);

  // Makes room for so many in the table.
  void Reserve(int64_t entries) { table_.Reserve(entries); }

  // The entries of keys [first, first + count), null where there is none. Looks far ahead of
  // itself, so that cache misses overlap.
  void Lookup(const KeyBatch& keys, int64_t first, int64_t count, StateEntry** entries) const;
  StateEntry* Find(uint64_t hash, std::string_view key) const;
  // Precondition: the key is not there. Null if the address range is exhausted.
  StateEntry* Insert(uint64_t hash, std::string_view key);
  void Erase(StateEntry& entry);
  // Keeps the bytes that fit; new bytes are zero.
  void Resize(StateEntry& entry, uint32_t size);

  uint32_t SlotOf(const StateEntry& entry) const {
    return static_cast<uint32_t>((reinterpret_cast<const char*>(&entry) - arena_.Address(0)) /
                                 EntryArena::kUnitBytes);
  }
  StateEntry& At(uint32_t slot) const {
    return *reinterpret_cast<StateEntry*>(arena_.Address(slot));
  }
  const EntryTable& table() const { return table_; }
  // For sweeps in the order of addresses: the next entry, null at the end. Entries may come and go
  // meanwhile; one that stays is met once.
  StateEntry* Next(EntryArena::Cursor& cursor) const {
    while (const uint32_t slot = arena_.Next(cursor)) {
      if (At(slot).key_offset_eights_ != 0) return &At(slot);
    }
    return nullptr;
  }

  int64_t size() const { return table_.size(); }
  int64_t byte_size() const { return entry_bytes_ + table_.byte_size(); }
  int64_t least_entry_bytes() const {
    return (static_cast<int64_t>(sizeof(StateEntry) + inline_bytes_) + EntryArena::kUnitBytes) /
           EntryArena::kUnitBytes * EntryArena::kUnitBytes;
  }
  // What one entry accounts for.
  static int64_t BytesOf(StateEntry& entry);

 private:
  void FreeOutside(StateEntry& entry);

  EntryArena arena_;
  EntryTable table_;
  uint32_t inline_bytes_ = 0;
  int64_t entry_bytes_ = 0;
};

}  // namespace watershed
