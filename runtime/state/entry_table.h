// Hash table from keys to slots of the arena: open addressing with linear probing over 8-byte
// buckets. The upper half of the key's hash is both the home bucket (its top bits) and the tag, so
// that growing and deleting touch no entry; the lower bits, which decide the key group, take no
// part.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/memory/huge_pages.h"

namespace watershed {

class EntryTable {
 public:
  EntryTable() : buckets_(kMinBuckets) {}

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

  void Prefetch(uint64_t hash) const { __builtin_prefetch(&buckets_[Home(TagOf(hash))]); }
  // The first slot with this tag, 0 if there is none: what Find will most likely return.
  uint32_t Candidate(uint64_t hash) const {
    const uint32_t tag = TagOf(hash);
    for (size_t at = Home(tag);; at = Next(at)) {
      if (buckets_[at].slot == 0 || buckets_[at].tag == tag) return buckets_[at].slot;
    }
  }
  // The slot with this tag for which `matches(slot)` holds; 0 if there is none.
  template <typename Matches>
  uint32_t Find(uint64_t hash, Matches matches) const {
    const uint32_t tag = TagOf(hash);
    for (size_t at = Home(tag);; at = Next(at)) {
      const Bucket& bucket = buckets_[at];
      if (bucket.slot == 0) return 0;
      if (bucket.tag == tag && matches(bucket.slot)) return bucket.slot;
    }
  }
  // Room for so many keys, so that up to then nothing is moved.
  void Reserve(int64_t size);
  // Precondition: the key is not there.
  void Insert(uint64_t hash, uint32_t slot);
  // Precondition: the slot is there.
  void Erase(uint64_t hash, uint32_t slot);

  int64_t size() const { return size_; }
  int64_t byte_size() const { return static_cast<int64_t>(buckets_.byte_size()); }
  // For sweeps: the slot in a bucket, 0 if it is empty. An Erase may move a later bucket here.
  size_t bucket_count() const { return buckets_.size(); }
  uint32_t SlotAt(size_t bucket) const { return buckets_[bucket].slot; }

 private:
  struct Bucket {
    uint32_t tag;
    uint32_t slot;  // 0: none
  };
  static constexpr size_t kMinBuckets = 64;
  static constexpr size_t kMaxBuckets = size_t{1} << 32;  // a tag has no more bits

  // At most 5/8 full: linear probing stays near one cache line.
  static bool Holds(size_t bucket_count, int64_t size) {
    return static_cast<size_t>(size) * 8 <= bucket_count * 5;
  }

  size_t Home(uint32_t tag) const { return tag >> shift_; }
  size_t Next(size_t at) const { return (at + 1) & (buckets_.size() - 1); }
  void Rehash(size_t bucket_count);
  void Place(Bucket bucket);

  ZeroedArray<Bucket> buckets_;
  int shift_ = 32 - 6;
  int64_t size_ = 0;
};

}  // namespace watershed
