#include "runtime/engine/record_decoder.h"

#include <algorithm>
#include <utility>

#include "runtime/types/dead_letter.h"

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
                             const Clock* clock, Counter* skipped, Counter* future_refused,
                             Counter* dead_letters)
    : decoder_(std::move(decoder)),
      options_(std::move(options)),
      clock_(clock),
      skipped_(skipped),
      future_refused_(future_refused),
      dead_letters_(dead_letters),
      builder_(std::move(schema)),
      dead_letter_builder_(DeadLetterSchema()) {}

Result<RecordDecoder::Rows> RecordDecoder::Decode(const PolledRecords& records,
                                                  std::span<const SourceSplit> splits) {
  Rows rows;
  errors_.clear();
  if (records.rows) {
    rows = {*records.rows, records.row_splits, {}};
  } else if (!records.raw.empty()) {
    payloads_.clear();
    decoded_.clear();
    splits_.clear();
    for (const RawRecord& record : records.raw) payloads_.push_back(record.value);
    if (!decoder_) {
      return InternalError("source '{}' hands out payloads but has no format", options_.source);
    }
    decoder_->Decode(payloads_, builder_, decoded_, errors_);
    if (!errors_.empty() && options_.on_bad == OnBad::kFail) {
      return FirstBad(records, splits);
    }
    if (options_.on_bad == OnBad::kSkip) skipped_->Add(static_cast<int64_t>(errors_.size()));
    for (const int32_t index : decoded_) {
      splits_.push_back(records.raw[static_cast<size_t>(index)].split_index);
    }
    rows = {builder_.Finish(), splits_, {}};
  }
  if (options_.event_time_column && rows.batch.num_rows() > 0) RefuseFuture(rows);
  if (options_.on_bad == OnBad::kDeadLetter && !errors_.empty()) {
    rows.dead_letters = TakeDeadLetters(records, splits);
  }
  return rows;
}

tl::unexpected<Error> RecordDecoder::FirstBad(const PolledRecords& records,
                                              std::span<const SourceSplit> splits) const {
  const DecodeError& first = errors_.front();
  const RawRecord& record = records.raw[static_cast<size_t>(first.index)];
  return UserError(
      "source '{}' subtask {}: cannot decode the record at {}: {}; payload {}. Correct the "
      "columns, or set on-error: {{action: skip}} to count such records and go on, or "
      "{{action: dead-letter, topic: NAME}} to keep them in a topic",
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
  // Typed rows were never records.
  const bool to_dead_letters = options_.on_bad == OnBad::kDeadLetter && !decoded_.empty();
  for (size_t row = 0; row < times_ms.size(); ++row) {
    if (times_ms[row] > limit_ms) {
      if (!to_dead_letters) continue;
      errors_.push_back({decoded_[row], fmt::format("its event time, {} ms since 1970, is more "
                                                    "than a day ahead of the clock",
                                                    times_ms[row])});
      continue;
    }
    kept.push_back(static_cast<int32_t>(row));
    if (!rows.splits.empty()) kept_splits.push_back(rows.splits[row]);
  }
  if (!to_dead_letters) {
    future_refused_->Add(rows.batch.num_rows() - static_cast<int64_t>(kept.size()));
  }
  rows.batch = Take(rows.batch, kept);
  splits_ = std::move(kept_splits);
  rows.splits = splits_;
}

RecordBatch RecordDecoder::TakeDeadLetters(const PolledRecords& records,
                                           std::span<const SourceSplit> splits) {
  std::ranges::sort(errors_, {}, &DecodeError::index);
  const auto column = [this](DeadLetterColumn which) -> Column& {
    return dead_letter_builder_.column(static_cast<int>(which));
  };
  const auto append_bytes = [](Column& to, std::string_view bytes) {
    if (bytes.data() == nullptr) {
      to.AppendNull();
    } else {
      to.AppendString(bytes);
    }
  };
  for (const DecodeError& error : errors_) {
    const RawRecord& record = records.raw[static_cast<size_t>(error.index)];
    const SourceSplit& split = splits[static_cast<size_t>(record.split_index)];
    append_bytes(column(DeadLetterColumn::kValue), record.value);
    append_bytes(column(DeadLetterColumn::kKey), record.key);
    column(DeadLetterColumn::kMessage).AppendString(error.reason);
    column(DeadLetterColumn::kTopic).AppendString(split.topic);
    column(DeadLetterColumn::kPartition).AppendInt32(split.partition);
    column(DeadLetterColumn::kOffset).AppendInt64(record.position);
    column(DeadLetterColumn::kTimestampMs).AppendInt64(record.timestamp_ms);
    column(DeadLetterColumn::kSource).AppendString(options_.source);
    dead_letter_builder_.FinishRow();
  }
  dead_letters_->Add(static_cast<int64_t>(errors_.size()));
  return dead_letter_builder_.Finish();
}

}  // namespace watershed
