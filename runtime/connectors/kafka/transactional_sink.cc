#include "runtime/connectors/kafka/transactional_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connectors/kafka/inquiry.h"
#include "runtime/connectors/kafka/progress_topic.h"
#include "runtime/connectors/kafka/segment.h"
#include "runtime/connectors/kafka/topic_admin.h"
#include "runtime/connectors/kafka/transactional_writer.h"
#include "runtime/memory/memory_account.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kOpenTimeout{20'000};
constexpr int64_t kMaxQueueKbytes = 16'384;
constexpr int64_t kMinQueueKbytes = 1'024;
// What a record's batch takes beside key and value.
constexpr int64_t kBatchOverheadBytes = 128;
constexpr int64_t kMinRowBytes = 1'000;  // of librdkafka's message.max.bytes
constexpr const char* kMaxBytes = "message.max.bytes";

const KafkaSettings& Defaults() {
  static const KafkaSettings kDefaults = {
      {"linger.ms", "5"},
      {"batch.size", "512000"},
      {"batch.num.messages", "100000"},
      {"queue.buffering.max.messages", "200000"},
      {"sticky.partitioning.linger.ms", "10"},
      // Longer than any commit takes, and no longer than readers should wait for a writer that was
      // lost in the middle of one and has no successor.
      {"transaction.timeout.ms", "60000"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.keepalive.enable", "true"},
  };
  return kDefaults;
}

class TransactionalKafkaSink : public Sink {
 public:
  TransactionalKafkaSink(KafkaSinkOptions options, KafkaRowEncoder encoder,
                         const ConnectorContext& context)
      : encoder_(std::move(encoder)),
        own_(context.subtask.value),
        is_current_(context.is_current),
        memory_(context.memory, MemoryShare::kSinks) {
    settings_.topic = std::move(options.topic);
    settings_.properties = std::move(options.properties);
    settings_.defaults = Defaults();
    settings_.defaults["client.id"] = fmt::format("watershed-{}-{}-{}", context.job_name,
                                                  context.operator_id, context.subtask.value);
    queue_kbytes_ = context.memory_bytes == 0
                        ? kMaxQueueKbytes
                        : std::clamp(context.memory_bytes >> 12, kMinQueueKbytes, kMaxQueueKbytes);
    settings_.defaults["queue.buffering.max.kbytes"] = std::to_string(queue_kbytes_);
    settings_.job = context.job;
  }
  ~TransactionalKafkaSink() override { TransactionalKafkaSink::Close(); }

  Status Open() override;
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId> writers,
                                          Attempt attempt) override;
  Status Recover(std::span<const SinkSegment> segments) override;
  Status Write(const RecordBatch& batch) override;

  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override {
    std::vector<SinkSegment> segments;
    if (rows_ == 0) return segments;
    segments.push_back(
        {.epoch = epoch, .rows = std::exchange(rows_, 0), .payload = segment_.Take()});
    return segments;
  }

  Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments) override;
  bool keeps_markers() const override { return true; }
  Status Flush() override { return Ok(); }
  int64_t buffered_bytes() const override { return segment_.byte_size(); }

  void Close() override {
    writers_.clear();
    memory_.Set(0);
  }

 private:
  Status CheckTarget(KafkaClient& client);
  Status TryFence(std::span<const WriterId> writers);
  Status Publish(TransactionalWriter& writer, CheckpointId epoch,
                 std::span<const SinkSegment> segments, bool restored);
  Status FenceAgain(TransactionalWriter& writer);
  Status CheckCurrent() const;
  TransactionalWriter* FindWriter(int32_t index);

  // The task's thread only, once Open is done.
  KafkaRowEncoder encoder_;
  KafkaSegmentWriter segment_;
  int64_t rows_ = 0;
  int64_t max_row_bytes_ = 0;

  // Commit's thread only.
  const int32_t own_;
  const std::function<Result<bool>()> is_current_;
  TransactionSettings settings_;
  int64_t queue_kbytes_ = 0;
  MemoryReservation memory_;
  std::unique_ptr<ProgressTopic> progress_;
  std::vector<std::unique_ptr<TransactionalWriter>> writers_;
};

Status TransactionalKafkaSink::Open() {
  WS_ASSIGN_OR_RETURN(
      std::shared_ptr<KafkaClient> client,
      KafkaClient::Create(RD_KAFKA_PRODUCER, settings_.properties, settings_.defaults, {}));
  Status status = CheckTarget(*client);
  GiveUpClient(std::move(client));
  memory_.Set(queue_kbytes_ << 10);
  return status;
}

// What a row may take is asked now, since a row that is in a checkpoint must be fit to be
// committed.
Status TransactionalKafkaSink::CheckTarget(KafkaClient& client) {
  if (auto found = KafkaInquiry(client, kOpenTimeout).Partitions(settings_.topic); !found) {
    return tl::make_unexpected(std::move(found).error());
  }
  const auto own_limit = settings_.properties.find(kMaxBytes);
  max_row_bytes_ =
      own_limit == settings_.properties.end() ? 1'000'000 : std::atoll(own_limit->second.c_str());
  const auto described = DescribeKafkaTopic(client, settings_.topic);
  if (!described) {
    // Whoever may not ask is told by the broker when a row is too large.
    return described.error().retryable ? tl::make_unexpected(described.error()) : Ok();
  }
  if (!*described) return Ok();
  const auto limit = (*described)->find("max.message.bytes");
  if (limit == (*described)->end()) return Ok();
  const int64_t of_topic = std::atoll(limit->second.c_str()) - kBatchOverheadBytes;
  max_row_bytes_ = std::max(kMinRowBytes, std::min(max_row_bytes_, of_topic));
  settings_.properties[kMaxBytes] = std::to_string(max_row_bytes_);
  return Ok();
}

Result<std::vector<WriterMarker>> TransactionalKafkaSink::Fence(std::span<const WriterId> writers,
                                                                Attempt attempt) {
  settings_.attempt = attempt;
  // A task that was stopped and goes on must not take a writer from its successor.
  if (!writers_.empty()) WS_RETURN_IF_ERROR(CheckCurrent());
  Status fenced = TryFence(writers);
  if (progress_ != nullptr) progress_->Disconnect();
  if (!fenced) {
    for (const auto& writer : writers_) {
      writer->Abort();
      writer->DropProducer();
    }
    return tl::make_unexpected(std::move(fenced).error());
  }
  std::vector<WriterMarker> markers;
  for (const WriterId& id : writers) markers.push_back(FindWriter(id.writer)->marker());
  return markers;
}

// All are fenced before one is read, and all are read before one is taken over.
Status TransactionalKafkaSink::TryFence(std::span<const WriterId> writers) {
  if (progress_ == nullptr) {
    progress_ = std::make_unique<ProgressTopic>(settings_.properties, writers.front().lineage);
    settings_.progress_topic = progress_->name();
  }
  WS_RETURN_IF_ERROR(progress_->Open());
  for (const WriterId& id : writers) {
    TransactionalWriter* writer = FindWriter(id.writer);
    if (writer == nullptr) {
      writer = writers_.emplace_back(std::make_unique<TransactionalWriter>(id)).get();
    }
    WS_RETURN_IF_ERROR(writer->Fence(settings_));
  }
  WS_ASSIGN_OR_RETURN(const ProgressTopic::Markers markers, progress_->Read());
  for (const auto& writer : writers_) {
    WS_RETURN_IF_ERROR(writer->TakeOver(markers, settings_));
  }
  return Ok();
}

Status TransactionalKafkaSink::Recover(std::span<const SinkSegment> segments) {
  const auto recover = [this](std::span<const SinkSegment> epoch) -> Status {
    TransactionalWriter* writer = FindWriter(epoch.front().writer);
    if (writer == nullptr) {
      return InternalError("writer {} has segments, but was not fenced", epoch.front().writer);
    }
    return Publish(*writer, epoch.front().epoch, epoch, /*restored=*/true);
  };
  WS_RETURN_IF_ERROR(ForEachEpoch(segments, recover));
  std::erase_if(writers_, [this](const auto& writer) { return writer->id().writer != own_; });
  return Ok();
}

Status TransactionalKafkaSink::Write(const RecordBatch& batch) {
  WS_RETURN_IF_ERROR(encoder_.Encode(batch));
  const KafkaPayloads& values = encoder_.values();
  for (size_t row = 0; row < values.rows(); ++row) {
    const size_t size = encoder_.row_bytes(row);
    if (static_cast<int64_t>(size) <= max_row_bytes_) continue;
    return UserError(
        "a row of {} bytes is larger than topic '{}' may take from this producer ({}): raise "
        "properties.message.max.bytes, and max.message.bytes of the topic",
        size, settings_.topic, max_row_bytes_);
  }
  segment_.Append(values, encoder_.keys(), encoder_.headers());
  rows_ += static_cast<int64_t>(values.rows());
  return Ok();
}

Status TransactionalKafkaSink::Commit(CheckpointId epoch, std::span<const SinkSegment> segments) {
  if (segments.empty()) return Ok();
  TransactionalWriter* own = FindWriter(own_);
  if (own == nullptr) return InternalError("writer {} commits, but was not fenced", own_);
  return Publish(*own, epoch, segments, /*restored=*/false);
}

// After anything but a success, and after one during which a connection broke, the producer goes: a
// request of it may be under way still, and must not reach a later transaction.
Status TransactionalKafkaSink::Publish(TransactionalWriter& writer, CheckpointId epoch,
                                       std::span<const SinkSegment> segments, bool restored) {
  if (!writer.has_producer()) WS_RETURN_IF_ERROR(FenceAgain(writer));
  Status status = writer.Publish(epoch, segments, restored, settings_);
  if (status) {
    if (writer.disturbed()) writer.DropProducer();
    return status;
  }
  if (writer.fenced()) {
    const Status current = CheckCurrent();
    if (!current) status = current;
  }
  if (!status.error().retryable) writer.Abort();
  writer.DropProducer();
  return status;
}

Status TransactionalKafkaSink::FenceAgain(TransactionalWriter& writer) {
  WS_RETURN_IF_ERROR(CheckCurrent());
  Status status = progress_->Open();
  if (status) status = writer.Fence(settings_);
  if (status) {
    auto markers = progress_->Read();
    status = markers ? writer.TakeOver(*markers, settings_)
                     : tl::make_unexpected(std::move(markers).error());
  }
  progress_->Disconnect();
  if (!status) writer.DropProducer();
  return status;
}

Status TransactionalKafkaSink::CheckCurrent() const {
  if (is_current_ == nullptr) return Ok();
  WS_ASSIGN_OR_RETURN(const bool is_current, is_current_());
  if (is_current) return Ok();
  return ExternalError(
      "attempt {} of the job is over: its writers of topic '{}' are left to the next one",
      settings_.attempt.value, settings_.topic);
}

TransactionalWriter* TransactionalKafkaSink::FindWriter(int32_t index) {
  const auto found = std::ranges::find_if(
      writers_, [&](const auto& writer) { return writer->id().writer == index; });
  return found == writers_.end() ? nullptr : found->get();
}

}  // namespace

std::unique_ptr<Sink> MakeTransactionalKafkaSink(KafkaSinkOptions options, KafkaRowEncoder encoder,
                                                 const ConnectorContext& context) {
  return std::make_unique<TransactionalKafkaSink>(std::move(options), std::move(encoder), context);
}

}  // namespace watershed
