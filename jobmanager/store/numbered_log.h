// A log that several processes may try to write and of which at most one can: entries are objects
// numbered from 1, created if absent. The one that finds the next number taken has been deposed by
// whoever took it, and must read the log before it can try again. (Design: "State and checkpoints";
// the same idea as Delta Lake's commit log and Kafka's leader-epoch log on one conditional put.)
//
// Snapshot entries sum up all before them, which may then be deleted. So a number that was taken
// may be free again, and a writer that slept meanwhile would not notice: its put counts only if a
// listing afterwards shows the entry before it, and none after it. The object that such a writer
// leaves behind lies below the newest snapshot, where nobody reads; it is deleted with the next
// trimming. Trimming deletes in the order of numbers, so that the entry before a free number is
// gone first.
//
// Puts are atomic and durable (object_storage.h), so there is no half-written last entry: an entry
// that is damaged, also the last, was damaged later, and is an error that names the object. To go
// on without it could forget that a checkpoint was completed, and so commit a sink's epoch twice.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobmanager/store/log_frame.h"
#include "runtime/storage/object_storage.h"
#include "runtime/types/result.h"

namespace watershed {

// Every call blocks. One thread at a time.
class NumberedLog {
 public:
  struct Entry {
    int64_t number = 0;
    bool is_snapshot = false;
    std::string payload;
  };

  // `writer_id` is random: no other process has it.
  NumberedLog(std::shared_ptr<ObjectStorage> storage, uint64_t writer_id);

  // The newest snapshot entry, if there is one, and all after it; what is appended next follows
  // these. A missing or damaged one is an error that names it.
  Result<std::vector<Entry>> Read();

  // After Read. True: the entry is durable and counts. False: deposed. Neither after deposition nor
  // after an error, when the entry may or may not count, is anything appended until Read succeeds.
  Result<bool> Append(std::string payload, bool is_snapshot);

  // The entry of the highest number, alone; nothing: there is none. Neither needs nor replaces
  // Read.
  Result<std::optional<Entry>> ReadLast();

  // Deletes what the newest snapshot entry, read or appended, sums up. What an error leaves is
  // deleted the next time.
  Status Trim();

  // "file:///ha/log/00000000000000000012", for messages.
  std::string UriOf(int64_t number) const;
  int64_t next_number() const { return next_; }

 private:
  // True: the object is there, durable, and ours. False: it is another's.
  Result<bool> Place(const std::string& name, const std::string& bytes);
  // Whether the entry that was placed now is the log's last, with the one before it in place.
  Result<bool> IsLast(int64_t number);
  Result<std::vector<int64_t>> ListNumbers();
  // What an object holds; an error names it.
  Result<LogFrame> Decode(int64_t number, std::string_view bytes) const;
  // Nothing: an object was not there, `missing` when the listing did not even have it. Somebody may
  // be trimming: list again.
  Result<std::optional<std::vector<LogFrame>>> TryRead(const std::vector<int64_t>& numbers,
                                                       std::optional<int64_t>* missing);

  const std::shared_ptr<ObjectStorage> storage_;
  const uint64_t writer_id_;
  bool can_append_ = false;
  int64_t next_ = 1;
  uint64_t last_checksum_ = 0;
  int64_t newest_snapshot_ = 0;  // 0: none
};

}  // namespace watershed
