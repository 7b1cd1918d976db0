#include "runtime/connectors/kafka/partition_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace watershed {
namespace {

RawRecord ToRecord(const rd_kafka_message_t& message, int32_t split_index) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  RawRecord record;
  // A null payload stays null: a tombstone differs from an empty value.
  record.value = {static_cast<const char*>(message.payload), message.len};
  record.key = {static_cast<const char*>(message.key), message.key_len};
  record.split_index = split_index;
  record.position = message.offset;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, &type);
  return record;
}

}  // namespace

PartitionReader::~PartitionReader() {
  // The client may live on for a while and must not write to a descriptor that others get.
  if (queue_ != nullptr) rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
}

Status PartitionReader::OpenQueue(rd_kafka_t* client, int wakeup_fd) {
  queue_.reset(rd_kafka_queue_get_partition(client, split_.topic.c_str(), split_.partition));
  if (queue_ == nullptr) {
    return InternalError("partition {} has no queue in the Kafka client", split_.id);
  }
  rd_kafka_queue_forward(queue_.get(), nullptr);
  static constexpr uint64_t kOne = 1;
  rd_kafka_queue_io_event_enable(queue_.get(), wakeup_fd, &kOne, sizeof(kOne));
  return Ok();
}

Status PartitionReader::Take(int max, std::vector<rd_kafka_message_t*>& held,
                             std::vector<RawRecord>& out) {
  const size_t first = held.size();
  held.resize(first + static_cast<size_t>(max));
  const ssize_t taken =
      rd_kafka_consume_batch_queue(queue_.get(), 0, held.data() + first, static_cast<size_t>(max));
  held.resize(first + static_cast<size_t>(std::max<ssize_t>(taken, 0)));
  for (size_t i = first; i < held.size(); ++i) {
    const rd_kafka_message_t& message = *held[i];
    if (finished_) break;  // what was fetched beyond the end
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      WS_RETURN_IF_ERROR(HandleError(message));
      continue;
    }
    if (message.offset < next_position_) continue;  // fetched before a seek of the client's own
    if (split_.end_position && message.offset >= *split_.end_position) {
      // Compaction or control records lie between the last row and the end.
      next_position_ = *split_.end_position;
      finished_ = true;
      break;
    }
    out.push_back(ToRecord(message, index_));
    next_position_ = message.offset + 1;
    at_end_ = false;
    finished_ = split_.end_position && next_position_ >= *split_.end_position;
  }
  return Ok();
}

Status PartitionReader::HandleError(const rd_kafka_message_t& message) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      // The offset lies behind control records (transaction markers) that are never handed out.
      next_position_ = std::max(next_position_, message.offset);
      at_end_ = true;
      if (split_.end_position && next_position_ >= *split_.end_position) {
        next_position_ = *split_.end_position;
        finished_ = true;
      }
      return Ok();
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return ExternalError(
          "offset {} of topic '{}' partition {} is not in the topic any more or not yet: retention "
          "removed it, or the topic was made anew. Records would be lost silently by going on; "
          "start "
          "the job with scan.startup.mode earliest-offset or latest-offset to accept that",
          next_position_, split_.topic, split_.partition);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return ExternalError(
          "topic '{}' partition {} may not be read by this user: ask for the permission (ACL)",
          split_.topic, split_.partition);
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
      return ExternalError("topic '{}' partition {} at offset {} cannot be read: {}", split_.topic,
                           split_.partition, next_position_, rd_kafka_message_errstr(&message));
    default:
      return Ok();  // the client tries again; a broker that is away is told by its incidents
  }
}

bool PartitionReader::NeedsFetch() {
  const size_t length = rd_kafka_queue_length(queue_.get());
  if (length > fullest_) fullest_ = length;
  if (at_end_ || length * 2 > fullest_ || fullest_ == 0) return false;
  fullest_ = length;
  return true;
}

std::optional<int64_t> PartitionReader::Lag(rd_kafka_t* client) const {
  if (finished_) return 0;
  int64_t low = 0, high = 0;
  const auto error =
      rd_kafka_get_watermark_offsets(client, split_.topic.c_str(), split_.partition, &low, &high);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) return std::nullopt;
  if (split_.end_position) high = std::min(high, *split_.end_position);
  return std::max<int64_t>(high - next_position_, 0);
}

}  // namespace watershed
