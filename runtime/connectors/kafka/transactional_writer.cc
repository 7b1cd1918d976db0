#include "runtime/connectors/kafka/transactional_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/connectors/writer_owner.h"
#include "runtime/types/kill_point.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

// The progress of an epoch that is being written.
class EpochCursor {
 public:
  explicit EpochCursor(int64_t rows_there) : there_(rows_there), done_(rows_there) {}

  // Of a segment's rows, those that are not there yet.
  std::span<const KafkaRow> Skip(std::span<const KafkaRow> rows) {
    const auto skipped = std::min<int64_t>(there_, static_cast<int64_t>(rows.size()));
    there_ -= skipped;
    return rows.subspan(static_cast<size_t>(skipped));
  }
  // So many of the rows as the open transaction has room for; none: it is full.
  std::span<const KafkaRow> Fit(std::span<const KafkaRow> rows,
                                const TransactionSettings& settings) {
    size_t count = 0;
    while (count < rows.size() && rows_ < settings.max_rows && bytes_ < settings.max_bytes) {
      const KafkaRow& row = rows[count];
      bytes_ += static_cast<int64_t>(row.value.size() + row.key.size() + row.headers.size());
      ++rows_;
      ++count;
    }
    done_ += static_cast<int64_t>(count);
    return rows.first(count);
  }
  void BeginTransaction() { rows_ = bytes_ = 0; }
  int64_t done() const { return done_; }
  bool has_skipped_all() const { return there_ == 0; }

 private:
  int64_t there_;  // still to be skipped
  int64_t done_;   // rows of the epoch, with those of the open transaction
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

std::string TransactionalWriter::transactional_id() const {
  return fmt::format("watershed-{}-{}-{}", id_.lineage, id_.sink, id_.writer);
}

WriterMarker TransactionalWriter::marker() const {
  WriterMarker marker{id_, known_.epoch, known_.committed_by};
  marker.begun_epoch = known_.begun;
  marker.begun_by = known_.begun_by;
  return marker;
}

Status TransactionalWriter::Fence(const TransactionSettings& settings) {
  producer_.reset();
  std::string id = transactional_id();
  if (IsPlanted(PlantedBug::kNoFencing)) id += fmt::format("-{}", settings.attempt.value);
  WS_ASSIGN_OR_RETURN(producer_, TransactionalProducer::Create(
                                     id, settings.topic, settings.properties, settings.defaults));
  return Ok();
}

Status TransactionalWriter::TakeOver(const ProgressTopic::Markers& found,
                                     const TransactionSettings& settings) {
  const auto at = found.find(ProgressKey(id_));
  const ProgressMarker* marker = at == found.end() ? nullptr : &at->second;
  if (marker != nullptr) WS_RETURN_IF_ERROR(CheckOwner(*marker, settings));
  if (is_claimed_) {
    WS_RETURN_IF_ERROR(CheckContinuity(marker, settings));
    known_ = *marker;
    attempted_.reset();
    return Ok();
  }
  known_ = marker != nullptr ? *marker : ProgressMarker{};
  ProgressMarker claim = known_;
  claim.attempt = settings.attempt;
  claim.job = settings.job.hex;
  WS_RETURN_IF_ERROR(producer_->Begin());
  WS_RETURN_IF_ERROR(CommitWith(std::move(claim), settings));
  is_claimed_ = true;
  return Ok();
}

Status TransactionalWriter::CheckOwner(const ProgressMarker& found,
                                       const TransactionSettings& settings) const {
  const WriterOwner own = {settings.attempt, settings.job.hex};
  const WriterOwner owner = {found.attempt, found.job};
  if (owner == own || found.attempt < settings.attempt) return Ok();
  return TakenOver(id_.writer, fmt::format("topic '{}'", settings.topic), owner, own);
}

// It must say what was committed last, or what may have been.
Status TransactionalWriter::CheckContinuity(const ProgressMarker* found,
                                            const TransactionSettings& settings) const {
  if (found != nullptr) {
    if (found->SaysTheSame(known_)) return Ok();
    if (attempted_ && found->SaysTheSame(*attempted_)) return Ok();
  }
  return UserError(
      "the progress of writer {} in topic '{}' is {}, where this job left {}: somebody deleted or "
      "changed it. What is in topic '{}' is not known any more; go on with wsctl submit FILE -s "
      "PATH --fork",
      id_.writer, settings.progress_topic, found != nullptr ? WriteProgress(*found) : "gone",
      WriteProgress(known_), settings.topic);
}

Status TransactionalWriter::Publish(CheckpointId epoch, std::span<const SinkSegment> segments,
                                    bool restored, const TransactionSettings& settings) {
  if (known_.epoch >= epoch && !IsPlanted(PlantedBug::kSegmentCommittedTwice)) return Ok();
  // Without checkpoints the number of an epoch comes again after a restart, with other rows.
  const bool same_rows =
      restored || (known_.begun_attempt == settings.attempt && known_.begun_by == settings.job.hex);
  const bool has_begun = known_.begun == epoch && same_rows;
  EpochCursor cursor(has_begun ? known_.begun_rows : 0);
  const ProgressMarker done = {.attempt = settings.attempt,
                               .job = settings.job.hex,
                               .epoch = epoch,
                               .committed_by = settings.job.hex};
  WS_RETURN_IF_ERROR(producer_->Begin());
  if (IsPlanted(PlantedBug::kMarkerOutsideTransaction)) {
    WS_RETURN_IF_ERROR(CommitWith(done, settings));
    WS_RETURN_IF_ERROR(producer_->Begin());
  }
  for (const SinkSegment& segment : segments) {
    WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes bytes, segment.payload.Read());
    WS_ASSIGN_OR_RETURN(const std::vector<KafkaRow> all, ReadKafkaSegment(*bytes));
    std::span<const KafkaRow> rows = cursor.Skip(all);
    while (!rows.empty()) {
      const std::span<const KafkaRow> fitting = cursor.Fit(rows, settings);
      WS_RETURN_IF_ERROR(producer_->Produce(fitting));
      rows = rows.subspan(fitting.size());
      if (rows.empty()) break;
      ProgressMarker part = known_;
      part.begun = epoch;
      part.begun_rows = cursor.done();
      part.begun_by = settings.job.hex;
      part.begun_attempt = settings.attempt;
      WS_RETURN_IF_ERROR(CommitWith(std::move(part), settings));
      WS_RETURN_IF_ERROR(producer_->Begin());
      cursor.BeginTransaction();
    }
  }
  if (!cursor.has_skipped_all()) {
    return UserError(
        "topic '{}' has {} rows of epoch {} of writer {}, which has fewer in the checkpoint: "
        "another job has gone on from the same lineage. Begin a lineage of its own with wsctl "
        "submit FILE -s PATH --fork",
        settings.topic, known_.begun_rows, epoch.value, id_.writer);
  }
  return CommitWith(done, settings);
}

Status TransactionalWriter::CommitWith(ProgressMarker marker, const TransactionSettings& settings) {
  WS_ASSIGN_OR_RETURN(marker.offset, producer_->Mark(settings.progress_topic, ProgressKey(id_),
                                                     WriteProgress(marker)));
  if (marker.offset <= known_.offset) {
    return UserError(
        "topic '{}' was deleted and made anew: the progress of writer {} of topic '{}' was at "
        "offset {} and would now be at {}. What the other writers had committed is not known any "
        "more; go on with wsctl submit FILE -s PATH --fork",
        settings.progress_topic, id_.writer, settings.topic, known_.offset, marker.offset);
  }
  attempted_ = marker;
  if (is_claimed_) Pass(KillPoint::kCommitHasWritten);
  if (Status committed = producer_->Commit(); !committed) {
    if (committed.error().retryable) {
      committed.error().message += "; whether it was is settled by the next attempt";
    }
    return committed;
  }
  known_ = std::move(marker);
  attempted_.reset();
  return Ok();
}

void TransactionalWriter::Abort() {
  if (producer_ != nullptr) producer_->Abort();
}

}  // namespace watershed
