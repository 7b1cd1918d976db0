// Slots for cache entries, in one reserved range of addresses, so that a slot is a 32-bit number.
// Slots are multiples of 64 bytes and keep their size for ever: a freed slot's header stays
// readable, which lets timer references check their generation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/types/result.h"

namespace watershed {

class EntryArena {
 public:
  static constexpr int64_t kUnitBytes = 64;
  static constexpr int kSizeClasses = 8;  // 64, 128, … 512 bytes
  static constexpr int64_t kMaxSlotBytes = kUnitBytes * kSizeClasses;

  EntryArena() = default;
  ~EntryArena();
  EntryArena(const EntryArena&) = delete;
  EntryArena& operator=(const EntryArena&) = delete;

  // Reserves addresses; memory is used only as slots are.
  Status Reserve(int64_t bytes);
  // A slot of size class `size_class` (0 = 64 bytes): zeroed when new, as it was when used before.
  // 0 if the range is exhausted.
  uint32_t Allocate(int size_class);
  void Free(uint32_t slot, int size_class);
  char* Address(uint32_t slot) const { return base_ + int64_t{slot} * kUnitBytes; }
  // Every slot, whether in use, free or new, in the order of addresses. 0 at the end.
  struct Cursor {
    size_t run = 0;
    uint32_t slots = 0;  // of that run, behind us
  };
  uint32_t Next(Cursor& cursor) const {
    while (cursor.run < runs_.size()) {
      const Run& run = runs_[cursor.run];
      const uint32_t slot = run.first + cursor.slots * run.slot_units;
      if (slot < run.end) {
        ++cursor.slots;
        return slot;
      }
      cursor = {cursor.run + 1, 0};
    }
    return 0;
  }

 private:
  struct SizeClass {
    uint32_t first_free = 0;     // list through the slots' first bytes after the header
    uint32_t next = 0, end = 0;  // fresh units
  };
  struct Run {  // slots of one size
    uint32_t first, end, slot_units;
  };
  bool Grow(SizeClass& of, int64_t slot_units);
  bool Commit(int64_t bytes);

  char* base_ = nullptr;
  int64_t reserved_bytes_ = 0;
  int64_t committed_bytes_ = 0;
  int64_t next_byte_ = 0;
  std::array<SizeClass, kSizeClasses> classes_;
  std::vector<Run> runs_;
};

}  // namespace watershed
