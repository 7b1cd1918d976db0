// Rows of a segment as they wait in a checkpoint for their commit. Checkpoints outlive versions, so
// every later version reads what this one writes.
//
// A byte with the version, then blocks. Numbers are LEB128 (leb128.h).
//   Version 1: number of rows, whether they have keys (0 or 1), the length of every value, of every
//   key, all values, all keys.
//   Version 2, of rows with headers only: number of rows, for every value its length + 1 (0: null),
//   the same for every key, the length of every row's headers, all values, all keys, all headers
//   (record_headers.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/result.h"

namespace watershed {

struct KafkaRow {
  std::string_view value;  // data() == nullptr: null, a tombstone
  std::string_view key;
  bool has_key = false;
  std::string_view headers = {};  // as record_headers.h has them; of all rows of a segment, or none
};

// Payload i of such columns is bytes[offsets[i], offsets[i + 1]), as encoders make them.
struct KafkaPayloads {
  std::string bytes;
  std::vector<size_t> offsets;
  std::vector<bool> nulls = {};  // empty: none is null

  bool IsNull(size_t row) const { return !nulls.empty() && nulls[row]; }
  size_t rows() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::string_view at(size_t row) const {
    return std::string_view(bytes).substr(offsets[row], size_of(row));
  }
  size_t size_of(size_t row) const { return offsets[row + 1] - offsets[row]; }
};

class KafkaSegmentWriter {
 public:
  // One block. `keys` and `headers` are null, or have as many rows. Headers are there always or
  // never, with one writer; without them no value is null, and a key is not null either.
  void Append(const KafkaPayloads& values, const KafkaPayloads* keys,
              const KafkaPayloads* headers = nullptr);
  // What was appended since the last call; empty if nothing was.
  std::string Take();
  int64_t byte_size() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  void AppendWithHeaders(const KafkaPayloads& values, const KafkaPayloads* keys,
                         const KafkaPayloads& headers);

  std::string bytes_;
};

// Views into `segment`, in the order appended. An error if it is none, or of a later version.
Result<std::vector<KafkaRow>> ReadKafkaSegment(std::string_view segment);

}  // namespace watershed
