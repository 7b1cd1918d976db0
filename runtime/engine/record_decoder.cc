#include "runtime/engine/record_decoder.h"

#include <algorithm>
#include <utility>

namespace watershed {
namespace {

constexpr int64_t kDayMs = 24LL * 60 * 60 * 1000;
constexpr size_t kShownPayloadBytes = 200;

}  // namespace

std::string DescribePosition(const SourceSplit& split, int64_t position) {
  if (split.topic.empty()) return fmt::format("split '{}', position {}", split.id, position);
  return fmt::format("topic '{}', partition {}, offset {}", split.topic, split.partition, position);
}

std::string ShortenedPayload(std::string_view payload) {
  if (payload.data() == nullptr) return "null (a tombstone)";
  std::string shown = "'";
  for (const char c : payload.substr(0, kShownPayloadBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      shown.push_back(c);
    } else {
      shown += fmt::format("\\x{:02x}", byte);
    }
  }
  shown += "'";
  if (payload.size() > kShownPayloadBytes) shown += fmt::format(" … ({} bytes)", payload.size());
  return shown;
}

RecordDecoder::RecordDecoder(std::unique_ptr<Decoder> decoder, SchemaPtr schema, Options options,
                             const Clock* clock, Counter* skipped, Counter* future_refused)
    : decoder_(std::move(decoder)),
      options_(std::move(options)),
      clock_(clock),
      skipped_(skipped),
      future_refused_(future_refused),
      builder_(std::move(schema)) {}

Result<RecordDecoder::Rows> RecordDecoder::Decode(const PolledRecords& records,
                                                  std::span<const SourceSplit> splits) {
  Rows rows;
  if (records.rows) {
    rows = {*records.rows, records.row_splits};
  } else if (!records.raw.empty()) {
    payloads_.clear();
    decoded_.clear();
    errors_.clear();
    splits_.clear();
    for (const RawRecord& record : records.raw) payloads_.push_back(record.value);
    if (!decoder_) {
      return InternalError("source '{}' hands out payloads but has no format", options_.source);
    }
    decoder_->Decode(payloads_, builder_, decoded_, errors_);
    if (!errors_.empty()) WS_RETURN_IF_ERROR(HandleBad(records, splits));
    for (const int32_t index : decoded_) {
      splits_.push_back(records.raw[static_cast<size_t>(index)].split_index);
    }
    rows = {builder_.Finish(), splits_};
  }
  if (options_.event_time_column && rows.batch.num_rows() > 0) RefuseFuture(rows);
  return rows;
}

Status RecordDecoder::HandleBad(const PolledRecords& records, std::span<const SourceSplit> splits) {
  if (options_.skip_bad_records) {
    skipped_->Add(static_cast<int64_t>(errors_.size()));
    return Ok();
  }
  const DecodeError& first = errors_.front();
  const RawRecord& record = records.raw[static_cast<size_t>(first.index)];
  return UserError(
      "source '{}' subtask {}: cannot decode the record at {}: {}; payload {}. Correct the "
      "columns, or set on-error: {{action: skip}} to count such records and go on",
      options_.source, options_.subtask.value,
      DescribePosition(splits[static_cast<size_t>(record.split_index)], record.position),
      first.reason, ShortenedPayload(record.value));
}

void RecordDecoder::RefuseFuture(Rows& rows) {
  const int64_t limit_ms = clock_->NowMs() + kDayMs;
  const auto times_ms = rows.batch.column(*options_.event_time_column).Int64s();
  if (*std::max_element(times_ms.begin(), times_ms.end()) <= limit_ms) return;
  std::vector<int32_t> kept;
  std::vector<int32_t> kept_splits;
  for (size_t row = 0; row < times_ms.size(); ++row) {
    if (times_ms[row] > limit_ms) continue;
    kept.push_back(static_cast<int32_t>(row));
    if (!rows.splits.empty()) kept_splits.push_back(rows.splits[row]);
  }
  future_refused_->Add(rows.batch.num_rows() - static_cast<int64_t>(kept.size()));
  rows.batch = Take(rows.batch, kept);
  splits_ = std::move(kept_splits);
  rows.splits = splits_;
}

}  // namespace watershed
