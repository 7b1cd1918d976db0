#include "runtime/state/state_cache.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

namespace watershed {
namespace {

constexpr int64_t kStrip = 64;  // rows in flight: two lines each fit the first-level cache
// Addresses cost nothing; slots of one size cannot serve another, so reserve well more than the
// cache.
constexpr int64_t kReserveFactor = 8;
constexpr int64_t kReserveSlackBytes = int64_t{256} << 20;

}  // namespace

Status StateCache::Open(int32_t inline_value_bytes, int64_t cache_bytes) {
  // Room for the pointer to a larger value, and for values to stay aligned.
  inline_bytes_ = (static_cast<uint32_t>(std::max(inline_value_bytes, 16)) + 7) & ~7U;
  if (sizeof(StateEntry) + inline_bytes_ + sizeof(char*) > EntryArena::kMaxSlotBytes) {
    inline_bytes_ = 64;
  }
  return arena_.Reserve(cache_bytes * kReserveFactor + kReserveSlackBytes);
}

StateCache::~StateCache() {
  for (size_t bucket = 0; bucket < table_.bucket_count(); ++bucket) {
    if (const uint32_t slot = table_.SlotAt(bucket); slot != 0) FreeOutside(At(slot));
  }
}

void StateCache::Lookup(const KeyBatch& keys, int64_t first, int64_t count,
                        StateEntry** entries) const {
  for (int64_t strip = 0; strip < count; strip += kStrip) {
    const int64_t end = std::min(strip + kStrip, count);
    for (int64_t i = strip; i < end; ++i) {
      table_.Prefetch(keys.hashes[static_cast<size_t>(first + i)]);
    }
    for (int64_t i = strip; i < end; ++i) {
      const uint32_t slot = table_.Candidate(keys.hashes[static_cast<size_t>(first + i)]);
      entries[i] = slot == 0 ? nullptr : &At(slot);
      if (slot == 0) continue;
      __builtin_prefetch(arena_.Address(slot), 1);
      __builtin_prefetch(arena_.Address(slot) + EntryArena::kUnitBytes, 1);
    }
    for (int64_t i = strip; i < end; ++i) {
      StateEntry* candidate = entries[i];
      if (candidate == nullptr || candidate->key() == keys.key(first + i)) continue;
      entries[i] = Find(keys.hashes[static_cast<size_t>(first + i)], keys.key(first + i));
    }
  }
}

StateEntry* StateCache::Find(uint64_t hash, std::string_view key) const {
  const uint32_t slot =
      table_.Find(hash, [&](uint32_t candidate) { return At(candidate).key() == key; });
  return slot == 0 ? nullptr : &At(slot);
}

StateEntry* StateCache::Insert(uint64_t hash, std::string_view key) {
  const size_t key_offset = sizeof(StateEntry) + inline_bytes_;
  const bool outside = key_offset + key.size() > EntryArena::kMaxSlotBytes;
  const size_t slot_bytes = key_offset + (outside ? sizeof(char*) : key.size());
  const int size_class = static_cast<int>((slot_bytes - 1) / EntryArena::kUnitBytes);
  const uint32_t slot = arena_.Allocate(size_class);
  if (slot == 0) return nullptr;
  const uint32_t generation = At(slot).generation_;
  auto* entry = new (arena_.Address(slot)) StateEntry();
  entry->hash_ = hash;
  entry->generation_ = generation;
  entry->key_size_ = static_cast<uint32_t>(key.size());
  entry->key_offset_eights_ = static_cast<uint8_t>(key_offset / 8);
  entry->size_class_ = static_cast<uint8_t>(size_class);
  char* at = arena_.Address(slot) + key_offset;
  if (outside) {
    char* copy = static_cast<char*>(std::malloc(key.size()));
    if (copy == nullptr) std::abort();
    std::memcpy(copy, key.data(), key.size());
    std::memcpy(at, &copy, sizeof copy);
    entry->flags_ |= StateEntry::kKeyOutside;
  } else if (!key.empty()) {
    std::memcpy(at, key.data(), key.size());
  }
  table_.Insert(hash, slot);
  entry_bytes_ += BytesOf(*entry);
  return entry;
}

void StateCache::FreeOutside(StateEntry& entry) {
  if (entry.flags_ & StateEntry::kValueOutside) std::free(entry.Outside().data);
  if (entry.flags_ & StateEntry::kKeyOutside) std::free(const_cast<char*>(entry.key().data()));
}

void StateCache::Erase(StateEntry& entry) {
  const uint32_t slot = SlotOf(entry);
  entry_bytes_ -= BytesOf(entry);
  table_.Erase(entry.hash_, slot);
  FreeOutside(entry);
  ++entry.generation_;
  entry.flags_ = 0;
  entry.key_offset_eights_ = 0;
  arena_.Free(slot, entry.size_class_);
}

void StateCache::Resize(StateEntry& entry, uint32_t size) {
  const bool was_outside = entry.flags_ & StateEntry::kValueOutside;
  const uint32_t capacity = was_outside ? entry.Outside().capacity : inline_bytes_;
  if (size > capacity) {
    entry_bytes_ -= BytesOf(entry);
    const uint32_t room = std::max(size, capacity * 2);
    char* data = static_cast<char*>(std::malloc(room));
    if (data == nullptr) std::abort();
    std::memcpy(data, entry.value().data(), entry.value_size_);
    if (was_outside) std::free(entry.Outside().data);
    const StateEntry::OutsideValue value{data, room};
    std::memcpy(entry.Inline(), &value, sizeof value);
    entry.flags_ |= StateEntry::kValueOutside;
    entry_bytes_ += BytesOf(entry);
  } else if (was_outside && size <= inline_bytes_) {
    entry_bytes_ -= BytesOf(entry);
    char* data = entry.Outside().data;
    std::memcpy(entry.Inline(), data, std::min(size, entry.value_size_));
    std::free(data);
    entry.flags_ &= static_cast<uint16_t>(~StateEntry::kValueOutside);
    entry_bytes_ += BytesOf(entry);
  }
  const uint32_t kept = std::min(entry.value_size_, size);
  entry.value_size_ = size;
  if (size > kept) std::memset(entry.value().data() + kept, 0, size - kept);
}

int64_t StateCache::BytesOf(StateEntry& entry) {
  int64_t bytes = (entry.size_class_ + 1) * EntryArena::kUnitBytes;
  if (entry.flags_ & StateEntry::kValueOutside) bytes += entry.Outside().capacity;
  if (entry.flags_ & StateEntry::kKeyOutside) bytes += entry.key_size_;
  return bytes;
}

}  // namespace watershed
