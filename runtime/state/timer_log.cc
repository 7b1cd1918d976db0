#include "runtime/state/timer_log.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/state/state_rows.h"

namespace watershed {
namespace {

struct RecordHeader {
  TimestampMs time_ms;
  uint64_t key_size;
};
constexpr int64_t kBucketBytes = 160;  // of a map's node and an empty bucket

}  // namespace

TimestampMs TimerLog::Bucket::EarliestMs() const {
  TimestampMs earliest = earliest_ms;
  for (const SpilledChunk& chunk : spilled) earliest = std::min(earliest, chunk.earliest_ms);
  return earliest;
}

void TimerLog::Add(TimestampMs time_ms, std::string_view key) {
  Bucket& bucket = buckets_[BucketOf(time_ms)];
  const RecordHeader header{time_ms, key.size()};
  bucket.records.append(reinterpret_cast<const char*>(&header), sizeof header).append(key);
  bucket.earliest_ms = std::min(bucket.earliest_ms, time_ms);
  buffered_bytes_ += static_cast<int64_t>(sizeof header + key.size());
}

TimestampMs TimerLog::EarliestMs() const {
  return buckets_.empty() ? kMaxWatermarkMs : buckets_.begin()->second.EarliestMs();
}

Status TimerLog::TakeChunk(TimestampMs watermark_ms, StateBackend* backend,
                           StateWriteBatch& deletes, std::string& chunk) {
  chunk.clear();
  if (EarliestMs() > watermark_ms) return Ok();
  Bucket& bucket = buckets_.begin()->second;
  if (bucket.earliest_ms <= watermark_ms) {
    chunk.swap(bucket.records);
    bucket.earliest_ms = kMaxWatermarkMs;
    buffered_bytes_ -= static_cast<int64_t>(chunk.size());
  } else {
    const auto due =
        std::find_if(bucket.spilled.begin(), bucket.spilled.end(),
                     [&](const SpilledChunk& at) { return at.earliest_ms <= watermark_ms; });
    std::string row_key;
    AppendTimerChunkRowKey(due->number, row_key);
    const std::string_view row_keys[] = {row_key};
    WS_RETURN_IF_ERROR(
        backend->MultiGet(row_keys, [&](size_t, std::string_view row) { chunk = row; }));
    if (chunk.empty()) return InternalError("keyed state: timer row {} is gone", due->number);
    deletes.Delete(row_key);
    bucket.spilled.erase(due);
    --spilled_chunks_;
  }
  if (bucket.records.empty() && bucket.spilled.empty()) buckets_.erase(buckets_.begin());
  return Ok();
}

bool TimerLog::Next(std::string_view& chunk, Record& record) {
  if (chunk.empty()) return false;
  RecordHeader header;
  std::memcpy(&header, chunk.data(), sizeof header);
  record = {header.time_ms, chunk.substr(sizeof header, header.key_size)};
  chunk.remove_prefix(sizeof header + header.key_size);
  return true;
}

void TimerLog::Spill(int64_t target_bytes, StateWriteBatch& puts) {
  std::string row_key;
  for (auto at = buckets_.rbegin(); at != buckets_.rend() && buffered_bytes_ > target_bytes; ++at) {
    Bucket& bucket = at->second;
    if (bucket.records.empty()) continue;
    row_key.clear();
    AppendTimerChunkRowKey(next_number_, row_key);
    puts.Put(row_key, bucket.records);
    bucket.spilled.push_back({next_number_++, bucket.earliest_ms});
    ++spilled_chunks_;
    buffered_bytes_ -= static_cast<int64_t>(bucket.records.size());
    bucket.records = {};
    bucket.earliest_ms = kMaxWatermarkMs;
  }
}

int64_t TimerLog::byte_size() const {
  // Strings double, so up to twice the records.
  return buffered_bytes_ * 3 / 2 +
         spilled_chunks_ * 3 / 2 * static_cast<int64_t>(sizeof(SpilledChunk)) +
         static_cast<int64_t>(buckets_.size()) * kBucketBytes;
}

}  // namespace watershed
