#include "runtime/connectors/kafka/progress_topic.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/connectors/kafka/inquiry.h"
#include "runtime/connectors/kafka/topic_admin.h"

namespace watershed {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTimeout{20'000};
constexpr int kConsumeMs = 200;
constexpr int kRetryMs = 50;
constexpr const char* kPolicy = "cleanup.policy";

using Message = std::unique_ptr<rd_kafka_message_t, KafkaDeleter<rd_kafka_message_destroy>>;

// Small segments, since the one that is written to is never compacted. The broker decides how many
// replicas there are.
const KafkaTopicSettings& SettingsOfNewOne() {
  static const KafkaTopicSettings kSettings = {
      {kPolicy, "compact"}, {"segment.bytes", "1048576"}, {"min.cleanable.dirty.ratio", "0.1"}};
  return kSettings;
}

std::string HowToMake(const std::string& topic) {
  return fmt::format(
      "kafka-topics.sh --create --topic {} --partitions 1 --config cleanup.policy=compact", topic);
}

std::string_view View(const void* bytes, size_t size) {
  return {static_cast<const char*>(bytes), size};
}

}  // namespace

ProgressTopic::ProgressTopic(KafkaSettings properties, const std::string& lineage)
    : properties_(std::move(properties)), name_("watershed-progress-" + lineage) {}

Status ProgressTopic::Connect() {
  if (client_ != nullptr) return Ok();
  WS_ASSIGN_OR_RETURN(client_, KafkaClient::Create(RD_KAFKA_PRODUCER, properties_, {},
                                                   {{"isolation.level", "read_uncommitted"}}));
  return Ok();
}

Status ProgressTopic::Open() {
  WS_RETURN_IF_ERROR(Connect());
  WS_ASSIGN_OR_RETURN(auto settings, DescribeKafkaTopic(*client_, name_));
  if (!settings) {
    if (Status made = CreateKafkaTopic(*client_, name_, SettingsOfNewOne()); !made) {
      made.error().message += fmt::format(
          "; the progress of exactly-once delivery is kept there. Have somebody who may "
          "run {}, or choose delivery: at-least-once",
          HowToMake(name_));
      return made;
    }
    // Brokers hear of a new topic one after the other.
    const auto give_up_at = steady_clock::now() + kTimeout;
    while (!settings && steady_clock::now() < give_up_at) {
      rd_kafka_poll(client_->handle(), kRetryMs);
      WS_ASSIGN_OR_RETURN(settings, DescribeKafkaTopic(*client_, name_));
    }
    if (!settings) {
      return TransientError("topic '{}' has been created, but broker {} does not know it yet",
                            name_, client_->bootstrap_servers());
    }
  }
  const std::string policy = (*settings)[kPolicy];
  if (policy == "compact") return Ok();
  return UserError(
      "topic '{}' has {}={}, so that the progress of exactly-once delivery would be deleted with "
      "time: kafka-configs.sh --alter --topic {} --add-config {}=compact",
      name_, kPolicy, policy, name_, kPolicy);
}

Result<ProgressTopic::Markers> ProgressTopic::Read() {
  WS_RETURN_IF_ERROR(Connect());
  int64_t low = 0, bound = 0;
  WS_RETURN_IF_ERROR(
      KafkaInquiry(*client_, kTimeout)
          .Ask(fmt::format("the end of topic '{}' is not known", name_), [&](int timeout_ms) {
            const auto error = rd_kafka_query_watermark_offsets(client_->handle(), name_.c_str(), 0,
                                                                &low, &bound, timeout_ms);
            if (!IsMissingKafkaPartition(error)) return error;
            rd_kafka_poll(client_->handle(), kRetryMs);  // a new one, of which brokers still hear
            return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
          }));
  Markers markers;
  if (low >= bound) return markers;
  WS_ASSIGN_OR_RETURN(std::shared_ptr<KafkaClient> reader,
                      KafkaClient::Create(RD_KAFKA_CONSUMER, properties_, {},
                                          {{"isolation.level", "read_committed"},
                                           {"enable.partition.eof", "true"},
                                           {"enable.auto.commit", "false"},
                                           {"auto.offset.reset", "earliest"},
                                           {"fetch.wait.max.ms", "50"},
                                           {"statistics.interval.ms", "0"}}));
  KafkaTopic topic(rd_kafka_topic_new(reader->handle(), name_.c_str(), nullptr));
  Status status = Ok();
  if (rd_kafka_consume_start(topic.get(), 0, RD_KAFKA_OFFSET_BEGINNING) != 0) {
    status = InternalError("topic '{}' cannot be read: {}", name_,
                           rd_kafka_err2str(rd_kafka_last_error()));
  } else {
    status = ReadUpTo(bound, *reader, topic.get(), markers);
    rd_kafka_consume_stop(topic.get(), 0);
  }
  topic.reset();
  GiveUpClient(std::move(reader));
  if (!status) return tl::make_unexpected(std::move(status).error());
  return markers;
}

// The bound and not the end that the reader is told decides: that one lies before the first open
// transaction. The last offsets are control records, which are passed by but never handed out.
Status ProgressTopic::ReadUpTo(int64_t bound, KafkaClient& reader, rd_kafka_topic_t* topic,
                               Markers& markers) {
  const auto give_up_at = steady_clock::now() + kTimeout;
  const std::string doing = fmt::format("the progress in topic '{}' cannot be read", name_);
  int64_t position = 0;
  while (position < bound) {
    const Message message(rd_kafka_consume(topic, 0, kConsumeMs));
    rd_kafka_poll(reader.handle(), 0);
    if (const auto incident = reader.final_incident()) {
      return tl::make_unexpected(reader.MakeError(doing, incident->code, incident->reason));
    }
    if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      position = message->offset + 1;
      if (message->payload == nullptr) continue;
      WS_ASSIGN_OR_RETURN(ProgressMarker marker,
                          ReadProgress(View(message->payload, message->len)));
      marker.offset = message->offset;
      markers[std::string(View(message->key, message->key_len))] = std::move(marker);
    } else if (message != nullptr && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      position = std::max(position, message->offset);
    } else if (message != nullptr && IsFinalKafkaError(message->err)) {
      return tl::make_unexpected(
          reader.MakeError(doing, message->err, rd_kafka_message_errstr(message.get())));
    }
    if (position < bound && steady_clock::now() > give_up_at) {
      Error error = reader.MakeError(
          doing, RD_KAFKA_RESP_ERR__TIMED_OUT,
          fmt::format("up to offset {} of {}; a transaction that somebody left open there ends "
                      "after its transaction.timeout.ms",
                      position, bound));
      error.retryable = true;
      return tl::make_unexpected(std::move(error));
    }
  }
  return Ok();
}

}  // namespace watershed
