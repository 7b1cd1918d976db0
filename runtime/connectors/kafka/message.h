// Rows as librdkafka takes them.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "runtime/connectors/kafka/segment.h"

namespace watershed {

// librdkafka's types say that it may write to what it only reads.
inline void* Lend(std::string_view bytes) { return const_cast<char*>(bytes.data()); }

// To be copied while it is produced: it has views of the row.
inline rd_kafka_message_t MessageOf(const KafkaRow& row) {
  rd_kafka_message_t message{};
  message.payload = Lend(row.value);
  message.len = row.value.size();
  if (!row.has_key) return message;
  message.key = Lend(row.key);
  message.key_len = row.key.size();
  return message;
}

}  // namespace watershed
