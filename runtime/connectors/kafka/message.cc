#include "runtime/connectors/kafka/message.h"

#include "runtime/connectors/kafka/record_headers.h"

namespace watershed {

rd_kafka_resp_err_t ProduceWithHeaders(rd_kafka_t* client, rd_kafka_topic_t* topic,
                                       const KafkaRow& row, void* opaque) {
  const auto read = ReadKafkaHeaders(row.headers);
  if (!read) return RD_KAFKA_RESP_ERR__BAD_MSG;
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(read->size());
  for (const KafkaHeader& header : *read) {
    rd_kafka_header_add(headers, header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value.data(), static_cast<ssize_t>(header.value.size()));
  }
  const rd_kafka_message_t message = MessageOf(row);
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(message.payload, message.len),
      RD_KAFKA_V_KEY(message.key, message.key_len), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
  // The client has them only if it took the row.
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
  return error;
}

}  // namespace watershed
