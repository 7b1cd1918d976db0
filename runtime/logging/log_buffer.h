// The last lines of a process, kept in memory for whoever asks over the network: reading them
// touches no disk. The oldest go first.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/logging/log.h"

namespace watershed {

struct LogLineEntry {
  int64_t number = 0;  // 1 is the first that the process logged
  int64_t time_ms = 0;
  LogLevel level = LogLevel::kInfo;
  LogFields fields;
  std::string message;
};

// Which lines; what is not set matches all.
struct LogQuery {
  int64_t from = 0;  // number of the first wanted
  size_t max_bytes = 256 << 10;
  std::string job;     // in the fields, or named by the message
  std::string vertex;  // the beginning of its name
  std::optional<int> subtask;
  LogLevel least = LogLevel::kTrace;
  int64_t since_ms = 0;
  std::optional<size_t> last;  // only so many, the newest
};

struct LogChunk {
  std::vector<LogLineEntry> lines;  // at least one, however long, if there is one
  int64_t next = 0;                 // where to read on
  bool more = false;                // max_bytes ended it
  int64_t missed = 0;               // from `from` on, no longer held (matching or not)
};

// Thread-safe.
class LogBuffer {
 public:
  explicit LogBuffer(size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  void Append(LogLineEntry line);  // gives it its number
  LogChunk Read(const LogQuery& query) const;
  void SetCapacity(size_t bytes);

 private:
  void DropOldest();

  mutable std::mutex mutex_;
  size_t capacity_bytes_;
  size_t bytes_ = 0;
  int64_t next_number_ = 1;
  std::deque<LogLineEntry> lines_;
};

}  // namespace watershed
