// Rows as librdkafka takes them: many at once, or one by one where they have headers, for which its
// batches have no room.
#pragma once

#include <librdkafka/rdkafka.h>

#include <span>
#include <string_view>

#include "runtime/connectors/kafka/segment.h"

namespace watershed {

// librdkafka's types say that it may write to what it only reads.
inline void* Lend(std::string_view bytes) { return const_cast<char*>(bytes.data()); }

// To be copied while it is produced: it has views of the row, and not its headers.
inline rd_kafka_message_t MessageOf(const KafkaRow& row) {
  rd_kafka_message_t message{};
  message.payload = Lend(row.value);
  message.len = row.value.size();
  if (!row.has_key) return message;
  message.key = Lend(row.key);
  message.key_len = row.key.size();
  return message;
}

// Of a segment, or a part of one: all rows have headers, or none.
inline bool HaveHeaders(std::span<const KafkaRow> rows) {
  return !rows.empty() && !rows.front().headers.empty();
}

// Copies the row into the client's queue, with its headers. `opaque` comes back with the delivery
// report. Any error of rd_kafka_producev; _QUEUE_FULL: try again when there is room.
rd_kafka_resp_err_t ProduceWithHeaders(rd_kafka_t* client, rd_kafka_topic_t* topic,
                                       const KafkaRow& row, void* opaque);

}  // namespace watershed
