#include "runtime/connectors/kafka/topic_admin.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "runtime/connectors/kafka/inquiry.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kTimeout{20'000};

using Options =
    std::unique_ptr<rd_kafka_AdminOptions_t, KafkaDeleter<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, KafkaDeleter<rd_kafka_event_destroy>>;
using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDeleter<rd_kafka_ConfigResource_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDeleter<rd_kafka_NewTopic_destroy>>;

// Sends one request and waits for its answer.
rd_kafka_resp_err_t Request(
    rd_kafka_t* client, rd_kafka_admin_op_t operation, int timeout_ms,
    const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& send,
    const std::function<rd_kafka_resp_err_t(rd_kafka_event_t*)>& read) {
  std::array<char, 512> reason{};
  const Options options(rd_kafka_AdminOptions_new(client, operation));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, reason.data(),
                                            reason.size());
  const KafkaQueue queue(rd_kafka_queue_new(client));
  send(options.get(), queue.get());
  // The client answers by itself when the time is up.
  const Event event(rd_kafka_queue_poll(queue.get(), timeout_ms + 5'000));
  if (event == nullptr) return RD_KAFKA_RESP_ERR__TIMED_OUT;
  const rd_kafka_resp_err_t error = rd_kafka_event_error(event.get());
  return error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : read(event.get());
}

rd_kafka_resp_err_t ReadSettings(rd_kafka_event_t* event, KafkaTopicSettings& settings) {
  size_t count = 0;
  const rd_kafka_ConfigResource_t** resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event), &count);
  if (count != 1) return RD_KAFKA_RESP_ERR__BAD_MSG;
  const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(resources[0]);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  for (size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    settings[rd_kafka_ConfigEntry_name(entries[i])] = value != nullptr ? value : "";
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t ReadCreated(rd_kafka_event_t* event) {
  size_t count = 0;
  const rd_kafka_topic_result_t** topics =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
  return count == 1 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
}

}  // namespace

Result<std::optional<KafkaTopicSettings>> DescribeKafkaTopic(KafkaClient& client,
                                                             const std::string& topic) {
  KafkaTopicSettings settings;
  bool is_missing = false;
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const auto ask = [&](int timeout_ms) {
    const rd_kafka_resp_err_t error = Request(
        client.handle(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms,
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_ConfigResource_t* asked = resource.get();
          rd_kafka_DescribeConfigs(client.handle(), &asked, 1, options, queue);
        },
        [&](rd_kafka_event_t* event) { return ReadSettings(event, settings); });
    is_missing = IsMissingKafkaPartition(error);
    return is_missing ? RD_KAFKA_RESP_ERR_NO_ERROR : error;
  };
  WS_RETURN_IF_ERROR(
      KafkaInquiry(client, kTimeout)
          .Ask(fmt::format("the settings of topic '{}' cannot be read", topic), ask));
  if (is_missing) return std::nullopt;
  return settings;
}

Status CreateKafkaTopic(KafkaClient& client, const std::string& topic,
                        const KafkaTopicSettings& settings) {
  std::array<char, 512> reason{};
  const NewTopic request(rd_kafka_NewTopic_new(topic.c_str(), 1, -1, reason.data(), reason.size()));
  if (request == nullptr) return UserError("topic '{}' cannot be made: {}", topic, reason.data());
  for (const auto& [name, value] : settings) {
    rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
  }
  const auto ask = [&](int timeout_ms) {
    const rd_kafka_resp_err_t error = Request(
        client.handle(), RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms,
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_NewTopic_t* wanted = request.get();
          rd_kafka_CreateTopics(client.handle(), &wanted, 1, options, queue);
        },
        ReadCreated);
    return error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ? RD_KAFKA_RESP_ERR_NO_ERROR : error;
  };
  return KafkaInquiry(client, kTimeout)
      .Ask(fmt::format("topic '{}' cannot be created", topic), ask);
}

}  // namespace watershed
