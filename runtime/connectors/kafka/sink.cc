#include "runtime/connectors/kafka/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/connectors/kafka/client.h"
#include "runtime/connectors/kafka/inquiry.h"
#include "runtime/connectors/kafka/message.h"
#include "runtime/connectors/kafka/options.h"
#include "runtime/connectors/kafka/segment.h"
#include "runtime/connectors/kafka/transactional_sink.h"
#include "runtime/formats/format.h"
#include "runtime/memory/memory_account.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kOpenTimeout{20'000};
// A commit that brokers do not answer says so after this long, and is asked again.
constexpr milliseconds kPatience{5'000};
// A row waits for room in the client's queue no longer: epochs are far smaller than that queue.
constexpr milliseconds kQueueTimeout{60'000};
constexpr int kPollMs = 50;
constexpr int64_t kMinQueueKbytes = 1024;
constexpr int64_t kMaxQueueKbytes = 65536;

// Rows that brokers have not acknowledged, by epoch. Thread-safe: delivery reports are served by
// whichever thread polls.
class Deliveries {
 public:
  void OnSent(int64_t epoch, int64_t rows) {
    const std::scoped_lock lock(mutex_);
    pending_[epoch] += rows;
  }
  void OnReport(const rd_kafka_message_t& message) {
    const std::scoped_lock lock(mutex_);
    --pending_[reinterpret_cast<intptr_t>(message._private)];
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR && !failure_) {
      failure_ = {message.err, fmt::format("partition {}: {}", message.partition,
                                           rd_kafka_err2str(message.err))};
    }
  }
  // Rows of this epoch and earlier ones.
  int64_t Pending(int64_t epoch) {
    const std::scoped_lock lock(mutex_);
    int64_t rows = 0;
    for (const auto& [id, count] : pending_) rows += id <= epoch ? count : 0;
    return rows;
  }
  void Forget(int64_t epoch) {
    const std::scoped_lock lock(mutex_);
    pending_.erase(pending_.begin(), pending_.upper_bound(epoch));
  }
  std::optional<KafkaIncident> failure() {
    const std::scoped_lock lock(mutex_);
    return failure_;
  }

 private:
  std::mutex mutex_;
  std::map<int64_t, int64_t> pending_;
  std::optional<KafkaIncident> failure_;
};

const KafkaSettings& Defaults() {
  static const KafkaSettings kDefaults = {
      {"linger.ms", "20"},
      {"batch.size", "512000"},
      {"batch.num.messages", "100000"},
      {"queue.buffering.max.messages", "1000000"},
      {"queue.buffering.max.kbytes", std::to_string(kMaxQueueKbytes)},
      {"sticky.partitioning.linger.ms", "40"},
      // A broker that is away makes the job wait, with a status that says so; nothing is given up.
      {"message.timeout.ms", "0"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.keepalive.enable", "true"},
  };
  return kDefaults;
}

class AtLeastOnceSink : public Sink {
 public:
  AtLeastOnceSink(KafkaSinkOptions options, KafkaRowEncoder encoder,
                  const ConnectorContext& context)
      : options_(std::move(options)),
        encoder_(std::move(encoder)),
        client_id_(fmt::format("watershed-{}-{}-{}", context.job_name, context.operator_id,
                               context.subtask.value)),
        memory_bytes_(context.memory_bytes),
        memory_(context.memory, MemoryShare::kSinks) {}
  ~AtLeastOnceSink() override { AtLeastOnceSink::Close(); }

  Status Open() override {
    Close();  // an earlier attempt may have got halfway
    KafkaSettings defaults = Defaults();
    defaults["client.id"] = client_id_;
    if (memory_bytes_ != 0) {
      // A full queue holds the job back until brokers have taken rows.
      const int64_t kbytes = std::clamp(memory_bytes_ >> 10, kMinQueueKbytes, kMaxQueueKbytes);
      defaults["queue.buffering.max.kbytes"] = std::to_string(kbytes);
      memory_.Set(kbytes << 10);
    }
    WS_ASSIGN_OR_RETURN(
        client_,
        KafkaClient::Create(RD_KAFKA_PRODUCER, options_.properties, defaults,
                            {{"enable.idempotence", "true"}, {"statistics.interval.ms", "0"}},
                            [deliveries = deliveries_](const rd_kafka_message_t& message) {
                              deliveries->OnReport(message);
                            }));
    KafkaInquiry inquiry(*client_, kOpenTimeout);
    if (auto partitions = inquiry.Partitions(options_.topic); !partitions) {
      return tl::make_unexpected(std::move(partitions).error());
    }
    topic_.reset(rd_kafka_topic_new(client_->handle(), options_.topic.c_str(), nullptr));
    if (topic_ == nullptr) return UserError("'{}' is not the name of a topic", options_.topic);
    return Ok();
  }

  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId>, Attempt) override {
    return std::vector<WriterMarker>();
  }
  Status Recover(std::span<const SinkSegment> segments) override;

  Status Write(const RecordBatch& batch) override {
    WS_RETURN_IF_ERROR(encoder_.Encode(batch));
    const KafkaPayloads& values = encoder_.values();
    rows_to_send_.clear();
    for (size_t i = 0; i < values.rows(); ++i) rows_to_send_.push_back(encoder_.row(i));
    bytes_ += static_cast<int64_t>(values.bytes.size());
    rows_ += static_cast<int64_t>(values.rows());
    return Produce(rows_to_send_);
  }

  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override {
    // Segments carry no rows: these are with the client already. They carry our count of epochs.
    SinkSegment segment{.epoch = epoch, .rows = rows_, .payload = std::to_string(epoch_)};
    ++epoch_;
    rows_ = 0;
    bytes_ = 0;
    return std::vector<SinkSegment>{std::move(segment)};
  }

  Status Commit(CheckpointId, std::span<const SinkSegment> segments) override {
    if (segments.empty()) return Ok();
    WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes epoch, segments.back().payload.Read());
    return WaitForDelivery(std::stoll(*epoch), kPatience);
  }

  Status Flush() override { return WaitForDelivery(epoch_, kPatience); }
  bool writes_at_once() const override { return true; }
  int64_t buffered_bytes() const override { return bytes_; }

  void Close() override {
    topic_.reset();
    GiveUpClient(std::move(client_));
    memory_.Set(0);
  }

 private:
  Status Produce(std::span<const KafkaRow> rows);
  Status ProduceOneByOne(std::span<const KafkaRow> rows);
  // Why the client did not take a row of that size; nothing if there will be room.
  Status CheckRefusal(rd_kafka_resp_err_t code, size_t row_bytes) const;
  // Serves the client for a while, since its queue is full.
  Status MakeRoom(steady_clock::time_point give_up_at);
  Status WaitForDelivery(int64_t epoch, milliseconds patience);
  Error DeliveryError(const KafkaIncident& incident) const {
    return client_->MakeError(fmt::format("topic '{}' did not take the rows", options_.topic),
                              incident.code, incident.reason);
  }

  KafkaSinkOptions options_;
  KafkaRowEncoder encoder_;
  std::string client_id_;
  const int64_t memory_bytes_;
  MemoryReservation memory_;
  // Shared with the client, whose callbacks report to it.
  std::shared_ptr<Deliveries> deliveries_ = std::make_shared<Deliveries>();
  std::shared_ptr<KafkaClient> client_;
  KafkaTopic topic_;

  // The task's thread only.
  int64_t epoch_ = 0;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  std::vector<KafkaRow> rows_to_send_;
  std::vector<rd_kafka_message_t> messages_;
};

// Left by an attempt that delivered exactly once.
Status AtLeastOnceSink::Recover(std::span<const SinkSegment> segments) {
  for (const SinkSegment& segment : segments) {
    WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes bytes, segment.payload.Read());
    WS_ASSIGN_OR_RETURN(const std::vector<KafkaRow> rows, ReadKafkaSegment(*bytes));
    WS_RETURN_IF_ERROR(Produce(rows));
  }
  return Flush();
}

Status AtLeastOnceSink::CheckRefusal(rd_kafka_resp_err_t code, size_t row_bytes) const {
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Ok();
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    return UserError(
        "a row of {} bytes is larger than topic '{}' may take from this producer: raise "
        "properties.message.max.bytes, and max.message.bytes of the topic",
        row_bytes, options_.topic);
  }
  return tl::make_unexpected(DeliveryError({code, rd_kafka_err2str(code)}));
}

Status AtLeastOnceSink::MakeRoom(steady_clock::time_point give_up_at) {
  if (steady_clock::now() > give_up_at) {
    return tl::make_unexpected(
        DeliveryError({RD_KAFKA_RESP_ERR__TIMED_OUT, "the client's queue stays full"}));
  }
  rd_kafka_poll(client_->handle(), kPollMs);
  if (const auto failure = deliveries_->failure()) {
    return tl::make_unexpected(DeliveryError(*failure));
  }
  return Ok();
}

Status AtLeastOnceSink::ProduceOneByOne(std::span<const KafkaRow> rows) {
  const auto give_up_at = steady_clock::now() + kQueueTimeout;
  void* const epoch = reinterpret_cast<void*>(static_cast<intptr_t>(epoch_));
  while (!rows.empty()) {
    const KafkaRow& row = rows.front();
    const rd_kafka_resp_err_t code =
        ProduceWithHeaders(client_->handle(), topic_.get(), row, epoch);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      deliveries_->OnSent(epoch_, 1);
      rows = rows.subspan(1);
      continue;
    }
    WS_RETURN_IF_ERROR(CheckRefusal(code, row.value.size() + row.key.size() + row.headers.size()));
    WS_RETURN_IF_ERROR(MakeRoom(give_up_at));
  }
  return Ok();
}

Status AtLeastOnceSink::Produce(std::span<const KafkaRow> rows) {
  if (HaveHeaders(rows)) return ProduceOneByOne(rows);
  messages_.clear();
  for (const KafkaRow& row : rows) {
    messages_.push_back(MessageOf(row));
    messages_.back()._private = reinterpret_cast<void*>(static_cast<intptr_t>(epoch_));
  }
  rd_kafka_message_t* next = messages_.data();
  auto left = static_cast<int>(messages_.size());
  const auto give_up_at = steady_clock::now() + kQueueTimeout;
  while (left > 0) {
    const int taken = rd_kafka_produce_batch(topic_.get(), RD_KAFKA_PARTITION_UA,
                                             RD_KAFKA_MSG_F_COPY, next, left);
    deliveries_->OnSent(epoch_, taken);
    if (taken == left) return Ok();
    // Those that were refused say why, and are collected for another try.
    std::vector<rd_kafka_message_t> refused;
    for (int i = 0; i < left; ++i) {
      if (next[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      WS_RETURN_IF_ERROR(CheckRefusal(next[i].err, next[i].len));
      next[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
      refused.push_back(next[i]);
    }
    messages_ = std::move(refused);
    next = messages_.data();
    left = static_cast<int>(messages_.size());
    WS_RETURN_IF_ERROR(MakeRoom(give_up_at));
  }
  return Ok();
}

Status AtLeastOnceSink::WaitForDelivery(int64_t epoch, milliseconds patience) {
  const auto give_up_at = steady_clock::now() + patience;
  while (true) {
    rd_kafka_poll(client_->handle(), kPollMs);
    if (const auto failure = deliveries_->failure()) {
      return tl::make_unexpected(DeliveryError(*failure));
    }
    if (const auto incident = client_->final_incident()) {
      return tl::make_unexpected(DeliveryError(*incident));
    }
    const int64_t pending = deliveries_->Pending(epoch);
    if (pending == 0) break;
    if (steady_clock::now() < give_up_at) continue;
    Error error = DeliveryError(
        {RD_KAFKA_RESP_ERR__TIMED_OUT, fmt::format("{} rows are not acknowledged yet", pending)});
    error.retryable = true;
    return tl::make_unexpected(std::move(error));
  }
  deliveries_->Forget(epoch);
  client_->ForgetIncidents();
  return Ok();
}

std::unique_ptr<Sink> MakeSinkOf(KafkaSinkOptions options, KafkaRowEncoder rows,
                                 const ConnectorContext& context) {
  if (options.delivery == KafkaDelivery::kExactlyOnce) {
    return MakeTransactionalKafkaSink(std::move(options), std::move(rows), context);
  }
  return std::make_unique<AtLeastOnceSink>(std::move(options), std::move(rows), context);
}

}  // namespace

Result<std::unique_ptr<Sink>> MakeKafkaSink(const OptionMap& options,
                                            std::unique_ptr<Encoder> encoder,
                                            const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(KafkaSinkOptions parsed, ParseKafkaSinkOptions(options));
  if (encoder == nullptr) return UserError("a kafka sink needs a format");
  WS_ASSIGN_OR_RETURN(KafkaRowEncoder rows,
                      KafkaRowEncoder::Make(std::move(encoder), parsed.key_fields));
  return MakeSinkOf(std::move(parsed), std::move(rows), context);
}

Result<std::unique_ptr<Sink>> MakeKafkaRecordSink(const OptionMap& options, const Schema& schema,
                                                  const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(KafkaSinkOptions parsed, ParseKafkaSinkOptions(options));
  WS_ASSIGN_OR_RETURN(KafkaRowEncoder rows, KafkaRowEncoder::OfRecords(schema));
  return MakeSinkOf(std::move(parsed), std::move(rows), context);
}

}  // namespace watershed
