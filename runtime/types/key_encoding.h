// The canonical bytes of a key, and their hash. Both decide where a row's state lives, on every
// machine and for the life of a checkpoint: see kKeyEncodingVersion before changing anything.
//
// Encoding of a key = its columns one after the other, each: tag 0x00 for NULL (nulls group
// together), else 0x01 and the value. Fixed width: little-endian, as stored; doubles with -0.0 as
// 0.0 and one NaN; bool one byte. Strings and bytes: uint32 little-endian length, then the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/types/raw_vector.h"
#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

inline constexpr int kKeyEncodingVersion = 1;

// Encoded keys of a batch: key i is bytes[offsets[i], offsets[i + 1]), hashes[i] its XXH3_64 with
// kKeyHashSeed. Reused from batch to batch, so that nothing is allocated once it is warm.
struct KeyBatch {
  RawVector<char> bytes;
  RawVector<uint32_t> offsets;  // size() + 1 entries
  RawVector<uint64_t> hashes;

  int64_t size() const { return static_cast<int64_t>(hashes.size()); }
  std::string_view key(int64_t row) const {
    const auto begin = offsets[static_cast<size_t>(row)];
    return {bytes.data() + begin, offsets[static_cast<size_t>(row) + 1] - begin};
  }
};

// Encodes `key_columns` of every row. Throws std::length_error when the keys of one batch pass 4
// GB.
void EncodeKeys(const RecordBatch& batch, std::span<const int> key_columns, KeyBatch& out);

// The hash of one key that is already encoded.
uint64_t HashKey(std::string_view key);

// The values of one encoded key appended to `columns` (as many as the key has, of the same types).
// Bytes that are no such key are an internal error, and nothing is appended.
Status DecodeKey(std::string_view key, std::span<Column* const> columns);

}  // namespace watershed
