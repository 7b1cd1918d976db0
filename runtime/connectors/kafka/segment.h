// Rows of a segment as they wait in a checkpoint for their commit. Checkpoints outlive versions, so
// every later version reads what this one writes.
//
// A byte with the version, then blocks: number of rows, whether they have keys (0 or 1), the length
// of every value, of every key, all values, all keys. Numbers are LEB128.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/result.h"

namespace watershed {

struct KafkaRow {
  std::string_view value;
  std::string_view key;
  bool has_key = false;
};

// Payload i of such columns is bytes[offsets[i], offsets[i + 1]), as encoders make them.
struct KafkaPayloads {
  std::string bytes;
  std::vector<size_t> offsets;

  size_t rows() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::string_view at(size_t row) const {
    return std::string_view(bytes).substr(offsets[row], size_of(row));
  }
  size_t size_of(size_t row) const { return offsets[row + 1] - offsets[row]; }
};

class KafkaSegmentWriter {
 public:
  // One block. `keys` is null, or has as many rows.
  void Append(const KafkaPayloads& values, const KafkaPayloads* keys);
  // What was appended since the last call; empty if nothing was.
  std::string Take();
  int64_t byte_size() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  std::string bytes_;
};

// Views into `segment`, in the order appended. An error if it is none, or of a later version.
Result<std::vector<KafkaRow>> ReadKafkaSegment(std::string_view segment);

}  // namespace watershed
