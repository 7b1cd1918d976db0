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
#include "runtime/storage/object_storage.h"
#include "runtime/types/ids.h"
#include "runtime/types/key_group.h"
#include "runtime/types/raw_vector.h"
#include "runtime/types/result.h"

namespace watershed {

inline constexpr int64_t kSnapshotChunkBytes = int64_t{1} << 20;
// A longer file is cut: no object should take long to put.
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

// Reads a file chunk by chunk, and holds one at a time. Whatever the bytes, nothing is read outside
// of them; an error names file and chunk and says what is wrong.
class SnapshotFileReader {
 public:
  // Reads the header. Both must outlive the reader.
  static Result<SnapshotFileReader> Open(std::string_view name, ObjectReader& file);

  const SnapshotFileHeader& header() const { return header_; }
  // Reads the next chunk, whose checksum is right then; false at the end of the file.
  Result<bool> NextChunk();
  int64_t chunk_bytes() const { return static_cast<int64_t>(chunk_.size()); }
  // The chunk's rows of these groups, in the order in which they must be applied, as must the
  // chunks. Views live until the next chunk is read.
  using Visit = std::function<Status(const SnapshotRow& row)>;
  Status ForEachRow(KeyGroupRange groups, const Visit& visit) const;

 private:
  SnapshotFileReader(std::string_view name, ObjectReader& file)
      : name_(name), file_(&file), left_(static_cast<uint64_t>(file.size_bytes())) {}
  std::string_view chunk() const { return {chunk_.data(), chunk_.size()}; }
  // Appends the next bytes of the file to chunk_; false if there are fewer.
  Result<bool> ReadMore(uint64_t size);
  Status VisitRows(KeyGroup group, std::string_view rows, const Visit& visit) const;
  tl::unexpected<Error> Damaged(std::string_view why) const;

  std::string_view name_;
  ObjectReader* file_;
  uint64_t left_;          // bytes of the file that are not read
  RawVector<char> chunk_;  // in Open: the file's header
  int64_t number_ = -1;    // of the chunk
  SnapshotFileHeader header_;
};

}  // namespace watershed
