#include "runtime/state/entry_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/memory/huge_pages.h"

namespace watershed {
namespace {

constexpr int64_t kChunkBytes = 64 << 10;  // what a size class takes at a time
constexpr auto kStepBytes = static_cast<int64_t>(kHugePageBytes);  // of a large arena
constexpr int64_t kFreeLinkOffset = 40;                            // behind the entry's header

}  // namespace

EntryArena::~EntryArena() {
  if (base_ != nullptr) munmap(base_, static_cast<size_t>(reserved_bytes_));
}

Status EntryArena::Reserve(int64_t bytes) {
  reserved_bytes_ = (bytes + kStepBytes - 1) / kStepBytes * kStepBytes;
  base_ = ReserveHugePages(static_cast<size_t>(reserved_bytes_));
  if (base_ == nullptr) {
    return ExternalError("keyed state: cannot reserve {} bytes of address space: {}",
                         reserved_bytes_, std::strerror(errno));
  }
  next_byte_ = kUnitBytes;  // slot 0 means none
  return Ok();
}

bool EntryArena::Commit(int64_t bytes) {
  if (bytes <= committed_bytes_) return true;
  if (bytes > reserved_bytes_) return false;
  // Small states stay on small pages; large ones take huge pages, which spare the TLB.
  const int64_t step = bytes <= kStepBytes ? kChunkBytes : kStepBytes;
  const int64_t end = std::min((bytes + step - 1) / step * step, reserved_bytes_);
  char* from = base_ + committed_bytes_;
  const auto size = static_cast<size_t>(end - committed_bytes_);
  if (mprotect(from, size, PROT_READ | PROT_WRITE) != 0) return false;
  if (step == kStepBytes) (void)madvise(from, size, MADV_HUGEPAGE);
  committed_bytes_ = end;
  return true;
}

bool EntryArena::Grow(SizeClass& of, int64_t slot_units) {
  const int64_t chunk_units = kChunkBytes / kUnitBytes / slot_units * slot_units;
  if (!Commit(next_byte_ + chunk_units * kUnitBytes)) return false;
  of.next = static_cast<uint32_t>(next_byte_ / kUnitBytes);
  of.end = of.next + static_cast<uint32_t>(chunk_units);
  next_byte_ += chunk_units * kUnitBytes;
  runs_.push_back({of.next, of.end, static_cast<uint32_t>(slot_units)});
  return true;
}

uint32_t EntryArena::Allocate(int size_class) {
  SizeClass& of = classes_[static_cast<size_t>(size_class)];
  if (of.first_free != 0) {
    const uint32_t slot = of.first_free;
    std::memcpy(&of.first_free, Address(slot) + kFreeLinkOffset, sizeof of.first_free);
    __builtin_prefetch(Address(of.first_free), 1);  // the next allocation reads it
    return slot;
  }
  const int64_t slot_units = size_class + 1;
  if (of.next == of.end && !Grow(of, slot_units)) return 0;
  const uint32_t slot = of.next;
  of.next += static_cast<uint32_t>(slot_units);
  return slot;
}

void EntryArena::Free(uint32_t slot, int size_class) {
  SizeClass& of = classes_[static_cast<size_t>(size_class)];
  std::memcpy(Address(slot) + kFreeLinkOffset, &of.first_free, sizeof of.first_free);
  of.first_free = slot;
}

}  // namespace watershed
