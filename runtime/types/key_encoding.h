// The canonical bytes of a key, and their hash. Both decide where a row's state lives, on every
// machine and for the life of a checkpoint: see kKeyEncodingVersion before changing anything.
//
// Encoding of a key = its columns one after the other, each: tag 0x00 for NULL (nulls group together),
// else 0x01 and the value. Fixed width: little-endian, as stored; doubles with -0.0 as 0.0 and one NaN;
// bool one byte. Strings and bytes: uint32 little-endian length, then the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

inline constexpr int kKeyEncodingVersion = 1;

// Encoded keys of a batch: key i is bytes[offsets[i], offsets[i + 1]), hashes[i] its XXH3_64 with
// kKeyHashSeed. Reused from batch to batch, so that nothing is allocated once it is warm.
struct KeyBatch {
  std::vector<char> bytes;
  std::vector<uint32_t> offsets;
  std::vector<uint64_t> hashes;

  int64_t size() const { return static_cast<int64_t>(hashes.size()); }
  std::string_view key(int64_t row) const {
    const auto begin = offsets[static_cast<size_t>(row)];
    return {bytes.data() + begin, offsets[static_cast<size_t>(row) + 1] - begin};
  }
};

// Encodes `key_columns` of every row, a column at a time where that pays.
void EncodeKeys(const RecordBatch& batch, std::span<const int> key_columns, KeyBatch& out);

// The values of one encoded key appended to `columns` (as many as the key has, of the same types).
Status DecodeKey(std::string_view key, std::span<Column* const> columns);

}  // namespace watershed
