// Rows on the wire between TaskManagers. Version 1, little-endian:
//
//   frame = version u8 | flags u8 (1 = first part, 2 = last part) | reserved u16 | part of a body
//   body  = rows u32 | columns u16 | has_row_kinds u8 | reserved u8 | column… | row kinds u8[rows]?
//   column = kind u8 | has_nulls u8 | reserved u16 | null bitmap u64[(rows + 63) / 64]? | values
//   values = fixed width: value[rows]; variable width: end offset u32[rows], then the bytes
//
// A body is at most one frame long wherever rows can be split; only a single row larger than a
// frame is sent in parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

inline constexpr int kFrameVersion = 1;
inline constexpr size_t kMaxFrameBytes = 1 << 20;
// Of one row; what is larger is refused by the sender and by the receiver.
inline constexpr size_t kMaxBodyBytes = 64 << 20;

// Appends the frames of a batch to `frames`, in order; none for a batch without rows. A user error
// for a single row above kMaxBodyBytes. Stateless.
Status EncodeFrames(const RecordBatch& batch, std::vector<std::string>& frames,
                    size_t max_frame_bytes = kMaxFrameBytes);

// The frames of one channel, in order, back into batches. One thread.
class FrameDecoder {
 public:
  explicit FrameDecoder(SchemaPtr schema) : schema_(std::move(schema)) {}

  // A batch, or nothing while a row in parts is incomplete. Every length is checked before it is
  // trusted, and nothing is allocated beyond what has arrived: bytes that no sender of this version
  // would write for this schema are an internal error that says what is wrong. After an error the
  // channel cannot be used further.
  Result<std::optional<RecordBatch>> Add(std::string_view frame);

 private:
  const SchemaPtr schema_;
  std::string parts_;
  bool in_parts_ = false;
};

}  // namespace watershed
