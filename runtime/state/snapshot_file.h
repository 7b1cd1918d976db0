// Files of keyed state snapshots: rows in chunks of about a megabyte, by key group within a chunk,
// so that a subtask reads its own groups only. Numbers are little-endian.
//
//   file      header, chunks
//   header    "WSSTATE", version (1 byte), maximum parallelism, first and last key group of the
//             subtask (4 each), the lower half of the XXH3_64 of these 20 bytes (4)
//   chunk     XXH3_64 of the rest of it (8), size of directory and rows (8), entries of the
//   directory
//             (8), directory, rows
//   directory entries: key group (4), bytes of its rows (8); ascending, the rows in the same order
//   row       key size (varint), form (varint), timer (8, if there is one), key, value
//   form      0: the key has no more state; else 1 + (value size << 1 | whether there is a timer)
//
// A later row of a key replaces an earlier one; rows of one key keep their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state/state_entry.h"
#include "runtime/types/ids.h"
#include "runtime/types/key_group.h"
#include "runtime/types/result.h"

namespace watershed {

inline constexpr int64_t kSnapshotChunkBytes = int64_t{1} << 20;
// A restore holds one file in memory, so a longer one is cut.
inline constexpr int64_t kSnapshotFileBytes = int64_t{64} << 20;

struct SnapshotFileHeader {
  int32_t max_parallelism = kDefaultMaxParallelism;
  KeyGroupRange key_groups;  // of the subtask that wrote the file
};
std::string EncodeSnapshotFileHeader(const SnapshotFileHeader& header);

struct SnapshotRow {
  KeyGroup group;
  std::string_view key;
  std::string_view value;           // empty if deleted
  TimestampMs timer_ms = kNoTimer;  // kNoTimer if deleted
  bool deleted = false;
};

// Collects the rows of one chunk.
class SnapshotChunk {
 public:
  explicit SnapshotChunk(KeyGroupRange key_groups) : key_groups_(key_groups) {}

  // The group must be of the range.
  void Append(const SnapshotRow& row);
  int64_t byte_size() const { return static_cast<int64_t>(rows_.size()); }
  bool empty() const { return rows_.empty(); }
  // The chunk as it stands in the file; this is empty afterwards.
  std::string Close();

 private:
  struct Row {
    uint32_t group;  // counted from the range's first
    size_t size;
  };
  KeyGroupRange key_groups_;
  std::string rows_;
  std::vector<Row> order_;
};

// Reads a file that is in memory. Whatever the bytes, nothing is read outside of them; an error
// names file and chunk and says what is wrong.
class SnapshotFileReader {
 public:
  // Both must outlive the reader.
  static Result<SnapshotFileReader> Open(std::string_view name, std::string_view bytes);

  const SnapshotFileHeader& header() const { return header_; }
  // The rows of these groups, in the order in which they must be applied. Views live for the call.
  using Visit = std::function<Status(const SnapshotRow& row)>;
  Status ForEachRow(KeyGroupRange groups, const Visit& visit) const;

 private:
  SnapshotFileReader(std::string_view name, std::string_view chunks)
      : name_(name), chunks_(chunks) {}
  Status VisitChunk(int64_t number, std::string_view directory, std::string_view rows,
                    KeyGroupRange groups, const Visit& visit) const;
  Status VisitRows(int64_t number, KeyGroup group, std::string_view rows, const Visit& visit) const;
  tl::unexpected<Error> Damaged(int64_t chunk, std::string_view why) const;

  std::string_view name_;
  std::string_view chunks_;
  SnapshotFileHeader header_;
};

}  // namespace watershed
