// Turns what a source handed out into a batch, and deals with records that cannot be used: those
// that do not decode (by on-error) and those from the future. Each is handed on, counted as
// skipped, as refused, or as a dead letter: once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/connectors/source.h"
#include "runtime/formats/format.h"
#include "runtime/metrics/metrics.h"
#include "runtime/types/clock.h"
#include "runtime/types/ids.h"

namespace watershed {

// One thread.
class RecordDecoder {
 public:
  // What happens to a record that cannot be decoded: the job file's on-error.
  enum class OnBad : uint8_t { kFail, kSkip, kDeadLetter };
  struct Options {
    std::string source;  // operator id, for messages
    SubtaskIndex subtask;
    OnBad on_bad = OnBad::kFail;
    std::optional<int> event_time_column;  // absent: rows have no event time
  };
  struct Rows {
    RecordBatch batch;
    std::span<const int32_t> splits;  // split index per row; empty: all rows are of split 0
    // With OnBad::kDeadLetter: what could not be used of those same records, those from the future
    // included, in the order they were read. Has DeadLetterSchema, or no row and no schema.
    RecordBatch dead_letters;
  };

  // `decoder` is null for sources that make typed rows. The counters are the source operator's.
  RecordDecoder(std::unique_ptr<Decoder> decoder, SchemaPtr schema, Options options,
                const Clock* clock, Counter* skipped, Counter* future_refused,
                Counter* dead_letters);

  // The rows among `records`; `splits` are the source's, by index, for messages. The result is
  // valid until the next call.
  Result<Rows> Decode(const PolledRecords& records, std::span<const SourceSplit> splits);
  int64_t skipped_records() const { return skipped_->value() + future_refused_->value(); }

 private:
  tl::unexpected<Error> FirstBad(const PolledRecords& records,
                                 std::span<const SourceSplit> splits) const;
  // Drops rows more than a day ahead of the wall clock: one of them would close every window.
  void RefuseFuture(Rows& rows);
  RecordBatch TakeDeadLetters(const PolledRecords& records, std::span<const SourceSplit> splits);

  std::unique_ptr<Decoder> decoder_;
  Options options_;
  const Clock* clock_;
  Counter* skipped_;
  Counter* future_refused_;
  Counter* dead_letters_;

  BatchBuilder builder_;
  BatchBuilder dead_letter_builder_;
  std::vector<std::string_view> payloads_;
  std::vector<int32_t> decoded_;
  std::vector<DecodeError> errors_;
  std::vector<int32_t> splits_;
};

// "topic 'events', partition 3, offset 17", or the split's id where there is no topic.
std::string DescribePosition(const SourceSplit& split, int64_t position);
// The payload as far as a message should show it: at most 200 bytes, control characters and invalid
// UTF-8 escaped, in quotes.
std::string ShortenedPayload(std::string_view payload);

}  // namespace watershed
