#include "runtime/state/entry_table.h"

#include <bit>
#include <utility>

namespace watershed {

void EntryTable::Place(Bucket bucket) {
  size_t at = Home(bucket.tag);
  while (buckets_[at].slot != 0) at = Next(at);
  buckets_[at] = bucket;
}

void EntryTable::Reserve(int64_t size) {
  size_t bucket_count = buckets_.size();
  while (!Holds(bucket_count, size) && bucket_count < kMaxBuckets) bucket_count *= 2;
  if (bucket_count > buckets_.size()) Rehash(bucket_count);
}

void EntryTable::Insert(uint64_t hash, uint32_t slot) {
  if (!Holds(buckets_.size(), size_ + 1)) Rehash(buckets_.size() * 2);
  Place({TagOf(hash), slot});
  ++size_;
}

void EntryTable::Erase(uint64_t hash, uint32_t slot) {
  size_t hole = Home(TagOf(hash));
  while (buckets_[hole].slot != slot) hole = Next(hole);
  // Backward shift (Knuth, TAOCP 6.4, algorithm R): no tombstones.
  const size_t mask = buckets_.size() - 1;
  for (size_t at = Next(hole); buckets_[at].slot != 0; at = Next(at)) {
    const size_t home = Home(buckets_[at].tag);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    buckets_[hole] = buckets_[at];
    hole = at;
  }
  buckets_[hole] = Bucket{};
  --size_;
}

void EntryTable::Rehash(size_t bucket_count) {
  const ZeroedArray<Bucket> old = std::exchange(buckets_, ZeroedArray<Bucket>(bucket_count));
  shift_ = 32 - std::countr_zero(bucket_count);
  for (const Bucket& bucket : old) {
    if (bucket.slot != 0) Place(bucket);
  }
}

}  // namespace watershed
