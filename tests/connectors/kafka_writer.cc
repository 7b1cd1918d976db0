#include "tests/connectors/kafka_writer.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace watershed::test {
namespace {

constexpr int kTimeoutMs = 30'000;

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "Kafka writer: %s\n", message.c_str());
  std::exit(1);
}

void Check(rd_kafka_error_t* error, const char* doing) {
  if (error != nullptr) Fail(fmt::format("{}: {}", doing, rd_kafka_error_string(error)));
}

rd_kafka_t* NewClient(const std::vector<std::pair<std::string, std::string>>& settings) {
  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  std::array<char, 512> reason{};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason.data(),
                          reason.size()) != RD_KAFKA_CONF_OK) {
      Fail(reason.data());
    }
  }
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, reason.data(), reason.size());
  if (client == nullptr) Fail(reason.data());
  return client;
}

// Sends one request of the admin interface and waits for its answer.
void RunAdminRequest(const std::string& brokers,
                     const std::function<void(rd_kafka_t*, rd_kafka_queue_t*)>& send) {
  rd_kafka_t* client = NewClient({{"bootstrap.servers", brokers}});
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  send(client, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kTimeoutMs);
  if (event == nullptr) Fail("an admin request timed out");
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Fail(rd_kafka_event_error_string(event));
  }
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
}

}  // namespace

KafkaWriter::KafkaWriter(const std::string& brokers, const std::string& topic,
                         const std::string& transactional_id)
    : topic_(topic) {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"bootstrap.servers", brokers}, {"message.max.bytes", "20000000"}, {"linger.ms", "5"}};
  if (!transactional_id.empty()) settings.emplace_back("transactional.id", transactional_id);
  producer_ = NewClient(settings);
  if (!transactional_id.empty()) {
    Check(rd_kafka_init_transactions(producer_, kTimeoutMs), "init_transactions");
    uncommitted_ =
        NewClient({{"bootstrap.servers", brokers}, {"isolation.level", "read_uncommitted"}});
  }
}

KafkaWriter::~KafkaWriter() {
  rd_kafka_destroy(producer_);
  if (uncommitted_ != nullptr) rd_kafka_destroy(uncommitted_);
}

void KafkaWriter::Write(const std::vector<WrittenRecord>& records) {
  for (const WrittenRecord& record : records) {
    partitions_.insert(record.partition);
    const void* value = record.value ? record.value->data() : nullptr;
    const size_t size = record.value ? record.value->size() : 0;
    rd_kafka_resp_err_t error;
    do {
      error = rd_kafka_producev(
          producer_, RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(record.partition),
          RD_KAFKA_V_VALUE(const_cast<void*>(value), size),
          RD_KAFKA_V_KEY(const_cast<char*>(record.key.data()), record.key.size()),
          RD_KAFKA_V_TIMESTAMP(record.timestamp_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) rd_kafka_poll(producer_, 100);
    } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail(rd_kafka_err2str(error));
  }
  if (rd_kafka_flush(producer_, kTimeoutMs) != RD_KAFKA_RESP_ERR_NO_ERROR) Fail("flush timed out");
}

void KafkaWriter::WriteNumbered(int32_t partition, const std::string& prefix, int count) {
  std::vector<WrittenRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back({.partition = partition, .value = prefix + std::to_string(i)});
  }
  Write(records);
}

void KafkaWriter::Begin() {
  partitions_.clear();
  Check(rd_kafka_begin_transaction(producer_), "begin");
}

void KafkaWriter::Commit() {
  Check(rd_kafka_commit_transaction(producer_, kTimeoutMs), "commit");
  AwaitMarkers();
}

bool KafkaWriter::TryCommit() {
  rd_kafka_error_t* error = rd_kafka_commit_transaction(producer_, kTimeoutMs);
  const bool committed = error == nullptr;
  rd_kafka_error_destroy(error);
  if (committed) AwaitMarkers();
  return committed;
}

void KafkaWriter::Abort() {
  Check(rd_kafka_abort_transaction(producer_, kTimeoutMs), "abort");
  AwaitMarkers();
}

void KafkaWriter::AwaitMarkers() {
  const auto end = [&](rd_kafka_t* client, int32_t partition) {
    int64_t low = 0, high = 0;
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        client, topic_.c_str(), partition, &low, &high, kTimeoutMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail(rd_kafka_err2str(error));
    return high;
  };
  for (const int32_t partition : partitions_) {
    while (end(producer_, partition) < end(uncommitted_, partition)) {
    }
  }
}

void AwaitSettled(const std::string& brokers, const std::string& topic) {
  rd_kafka_t* clients[] = {
      NewClient({{"bootstrap.servers", brokers}}),
      NewClient({{"bootstrap.servers", brokers}, {"isolation.level", "read_uncommitted"}})};
  const auto end = [&](rd_kafka_t* client, int32_t partition) {
    int64_t low = 0, high = -1;
    rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &low, &high, kTimeoutMs);
    return high;
  };
  const auto give_up_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
  rd_kafka_topic_t* asked = rd_kafka_topic_new(clients[0], topic.c_str(), nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(clients[0], 0, asked, &metadata, kTimeoutMs) != 0) Fail("no metadata");
  const int32_t partitions = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(asked);
  for (int32_t partition = 0; partition < partitions; ++partition) {
    while (end(clients[0], partition) < end(clients[1], partition)) {
      if (std::chrono::steady_clock::now() > give_up_at) Fail("a transaction stays open");
    }
  }
  for (rd_kafka_t* client : clients) rd_kafka_destroy(client);
}

void DeleteRecordsBefore(const std::string& brokers, const std::string& topic, int32_t partition,
                         int64_t offset) {
  RunAdminRequest(brokers, [&](rd_kafka_t* client, rd_kafka_queue_t* queue) {
    rd_kafka_topic_partition_list_t* before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, topic.c_str(), partition)->offset = offset;
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_DeleteRecords(client, &request, 1, nullptr, queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(before);
  });
}

void CreateCompactedTopic(const std::string& brokers, const std::string& topic) {
  RunAdminRequest(brokers, [&](rd_kafka_t* client, rd_kafka_queue_t* queue) {
    std::array<char, 512> reason{};
    rd_kafka_NewTopic_t* request =
        rd_kafka_NewTopic_new(topic.c_str(), 1, 1, reason.data(), reason.size());
    for (const auto& [name, value] : {std::pair{"cleanup.policy", "compact"},
                                      {"segment.ms", "1"},
                                      {"min.cleanable.dirty.ratio", "0"}}) {
      rd_kafka_NewTopic_set_config(request, name, value);
    }
    rd_kafka_CreateTopics(client, &request, 1, nullptr, queue);
    rd_kafka_NewTopic_destroy(request);
  });
}

void DeleteTopic(const std::string& brokers, const std::string& topic) {
  RunAdminRequest(brokers, [&](rd_kafka_t* client, rd_kafka_queue_t* queue) {
    rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new(topic.c_str());
    rd_kafka_DeleteTopics(client, &request, 1, nullptr, queue);
    rd_kafka_DeleteTopic_destroy(request);
  });
}

}  // namespace watershed::test
