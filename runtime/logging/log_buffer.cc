#include "runtime/logging/log_buffer.h"

#include <algorithm>

namespace watershed {
namespace {

size_t SizeOf(const LogLineEntry& line) {
  return sizeof(LogLineEntry) + line.message.size() + line.fields.job.size() +
         line.fields.vertex.size();
}

bool Matches(const LogQuery& query, const LogLineEntry& line) {
  if (line.level < query.least || line.time_ms < query.since_ms) return false;
  if (!query.job.empty() && line.fields.job != query.job &&
      line.message.find(query.job) == line.message.npos) {
    return false;
  }
  if (!line.fields.vertex.starts_with(query.vertex)) return false;
  return !query.subtask || line.fields.subtask == *query.subtask;
}

}  // namespace

void LogBuffer::Append(LogLineEntry line) {
  const std::lock_guard lock(mutex_);
  line.number = next_number_++;
  bytes_ += SizeOf(line);
  lines_.push_back(std::move(line));
  DropOldest();
}

void LogBuffer::SetCapacity(size_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_bytes_ = bytes;
  DropOldest();
}

void LogBuffer::DropOldest() {
  while (bytes_ > capacity_bytes_ && lines_.size() > 1) {
    bytes_ -= SizeOf(lines_.front());
    lines_.pop_front();
  }
}

LogChunk LogBuffer::Read(const LogQuery& query) const {
  const std::lock_guard lock(mutex_);
  LogChunk chunk{.next = next_number_};
  const int64_t oldest = next_number_ - static_cast<int64_t>(lines_.size());
  if (query.from > 0) chunk.missed = std::max<int64_t>(0, oldest - query.from);
  auto begin = lines_.begin() +
               std::clamp<int64_t>(query.from - oldest, 0, static_cast<int64_t>(lines_.size()));
  if (query.last) {
    auto first = lines_.end();
    for (size_t wanted = *query.last; first != begin && wanted > 0;) {
      --first;
      if (Matches(query, *first)) --wanted;
    }
    begin = first;
  }
  size_t bytes = 0;
  for (auto line = begin; line != lines_.end(); ++line) {
    if (!Matches(query, *line)) continue;
    bytes += SizeOf(*line);
    if (bytes > query.max_bytes && !chunk.lines.empty()) {
      chunk.next = line->number;
      chunk.more = true;
      return chunk;
    }
    chunk.lines.push_back(*line);
  }
  return chunk;
}

}  // namespace watershed
