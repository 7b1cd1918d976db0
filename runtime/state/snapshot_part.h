// A part of a snapshot on its way to storage: rows in order, cut into chunks and those into files,
// so that a restore never holds more than one file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/state/snapshot_file.h"
#include "runtime/storage/background_writer.h"
#include "runtime/storage/stored_file.h"

namespace watershed {

// What becomes of a part. The task's thread.
struct SnapshotPart {
  std::vector<StoredFile> files;  // in order; without a size until they are durable
  int64_t bytes = 0;
  size_t outstanding = 1;  // files under way; and one more until the last row is there
  std::optional<Error> failure;
  std::vector<std::unique_ptr<BackgroundWriter>> closed;  // all rows handed over, not written yet

  bool settled() const { return outstanding == 0 || failure; }
  // Unless it has settled: it fails, and what waits to be written is dropped.
  void GiveUp(const Error& why);
};

// Names for the files of one state; never the same twice. Any thread.
class SnapshotFileNames {
 public:
  explicit SnapshotFileNames(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string Next() { return fmt::format("{}-{}", prefix_, next_++); }

 private:
  std::string prefix_;
  std::atomic<int64_t> next_{0};
};

// The task's thread. Destroyed before Finish: what is under way is given up, the part never
// settles.
class SnapshotPartWriter {
 public:
  // `names` must outlive it. `settled` runs on the task's thread, perhaps after this has gone, once
  // the part has settled by a file becoming durable or failing.
  SnapshotPartWriter(const SnapshotTarget& target, const SnapshotFileHeader& header,
                     SnapshotFileNames& names, std::function<Status()> settled);

  // Without effect once the part has failed.
  void Append(const SnapshotRow& row);
  // No more rows. The part of a writer that never had one has settled with this.
  void Finish();
  // The part has failed: what waits of its open file is dropped, too.
  void DropFile() { file_.reset(); }
  // Handed over and not written yet.
  int64_t unwritten_bytes() const;
  const std::shared_ptr<SnapshotPart>& part() const { return part_; }

 private:
  void CloseChunk();
  void CloseFile();

  const SnapshotTarget& target_;
  const SnapshotFileHeader header_;
  SnapshotFileNames& names_;
  const std::function<Status()> settled_;
  const std::shared_ptr<SnapshotPart> part_ = std::make_shared<SnapshotPart>();
  SnapshotChunk chunk_;
  std::unique_ptr<BackgroundWriter> file_;  // null until there is something to write
  int64_t file_bytes_ = 0;
};

}  // namespace watershed
