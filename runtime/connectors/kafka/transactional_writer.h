// One writer of a lineage: its producer, and what it knows to be committed.
//
// Each epoch is one transaction, or several of bounded size, and each of them has a marker: the
// attempt and job that may write, and how far they are. A writer begins with a marker of its own,
// so that whoever fences it later without being newer finds that out before it writes anything.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "runtime/connectors/kafka/progress_topic.h"
#include "runtime/connectors/kafka/transactional_producer.h"
#include "runtime/connectors/sink.h"

namespace watershed {

// The same for all writers of a sink's subtask.
struct TransactionSettings {
  std::string topic;
  KafkaSettings properties;
  KafkaSettings defaults;
  JobId job;
  Attempt attempt;
  std::string progress_topic;
  // A transaction is closed when it has reached one of these.
  int64_t max_bytes = int64_t{32} << 20;
  int64_t max_rows = 100'000;
};

// One thread that may block for seconds.
class TransactionalWriter {
 public:
  explicit TransactionalWriter(WriterId id) : id_(std::move(id)) {}

  const WriterId& id() const { return id_; }
  std::string transactional_id() const;

  // Begins with a new producer. Nobody else writes for this writer from then on.
  Status Fence(const TransactionSettings& settings);
  // `found`: markers read behind Fence. Takes the writer over by a marker of this attempt, or goes
  // on as the one it is. A user error if it belongs to a newer attempt or another job, or if its
  // marker is not what this one left there.
  Status TakeOver(const ProgressTopic::Markers& found, const TransactionSettings& settings);

  // Writes what is not there yet of an epoch. `restored`: a former attempt may have written a part
  // of these very segments.
  Status Publish(CheckpointId epoch, std::span<const SinkSegment> segments, bool restored,
                 const TransactionSettings& settings);

  // As the target has it.
  WriterMarker marker() const;
  bool has_producer() const { return producer_ != nullptr; }
  // Somebody else has the transactional id, or the brokers have ended the transaction.
  bool fenced() const { return producer_ != nullptr && producer_->fenced(); }
  // The producer must not be used again, though nothing may be wrong.
  bool disturbed() const { return producer_ != nullptr && producer_->disturbed(); }
  // Ends an open transaction, if that is quickly done.
  void Abort();
  void DropProducer() { producer_.reset(); }

 private:
  Status CheckOwner(const ProgressMarker& found, const TransactionSettings& settings) const;
  Status CheckContinuity(const ProgressMarker* found, const TransactionSettings& settings) const;
  // Ends the transaction with this marker.
  Status CommitWith(ProgressMarker marker, const TransactionSettings& settings);

  const WriterId id_;
  std::unique_ptr<TransactionalProducer> producer_;
  ProgressMarker known_;  // committed for certain
  bool is_claimed_ = false;
  std::optional<ProgressMarker> attempted_;  // perhaps committed
};

}  // namespace watershed
