// Owners for librdkafka's handles, the making of a client from a job file's properties, and the
// text of its errors. Used by source, enumerator and sink only.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/types/result.h"

namespace watershed {

template <auto kDestroy>
struct KafkaDeleter {
  template <typename T>
  void operator()(T* handle) const {
    kDestroy(handle);
  }
};
using KafkaPartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                           KafkaDeleter<rd_kafka_topic_partition_list_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaDeleter<rd_kafka_queue_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaDeleter<rd_kafka_topic_destroy>>;

KafkaPartitionList NewPartitionList(size_t capacity);

// Something that went wrong with a connection, as librdkafka told it.
struct KafkaIncident {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string reason;  // names the broker: "127.0.0.1:9092/bootstrap: Connect to … refused"
};

using KafkaSettings = std::map<std::string, std::string>;

// Called for every message acknowledged or given up, by the thread that polls.
using KafkaDeliveryReport = std::function<void(const rd_kafka_message_t&)>;
// Called for every answer to a commit of offsets, by the thread that polls, or by the one that
// gives the client up.
using KafkaCommitReport =
    std::function<void(rd_kafka_resp_err_t, const rd_kafka_topic_partition_list_t&)>;

// A librdkafka client. Thread-safe; incidents are collected by whichever thread serves its main
// queue.
class KafkaClient {
 public:
  // `defaults` give way to the user's `properties`, `fixed` overrule them. An unknown property or a
  // bad value is a user error that names the nearest known one.
  static Result<std::unique_ptr<KafkaClient>> Create(rd_kafka_type_t type,
                                                     const KafkaSettings& properties,
                                                     const KafkaSettings& defaults,
                                                     const KafkaSettings& fixed,
                                                     KafkaDeliveryReport on_delivery = nullptr,
                                                     KafkaCommitReport on_commit = nullptr);
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  // "host:port,…" as the job file names them, for messages.
  const std::string& bootstrap_servers() const { return bootstrap_servers_; }

  // What happened since the incidents were last forgotten: the last one, and the last that is
  // final.
  std::optional<KafkaIncident> last_incident() const;
  std::optional<KafkaIncident> final_incident() const;
  // A topic or partition that the brokers do not know (any more).
  std::optional<KafkaIncident> missing_incident() const;
  bool all_brokers_down() const;
  void ForgetIncidents();

  // An error that says what happened, at which brokers, and what to do. Uses the incidents for the
  // cause where `code` is only a symptom (a time-out, no broker).
  Error MakeError(std::string_view doing, rd_kafka_resp_err_t code, std::string_view reason) const;

 private:
  KafkaClient() = default;
  static void OnError(rd_kafka_t* handle, int code, const char* reason, void* client);
  static void OnDelivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* client);
  static void OnCommit(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                       rd_kafka_topic_partition_list_t* offsets, void* client);

  rd_kafka_t* handle_ = nullptr;
  std::string bootstrap_servers_;
  KafkaDeliveryReport on_delivery_;
  KafkaCommitReport on_commit_;
  mutable std::mutex mutex_;
  std::optional<KafkaIncident> last_incident_;
  std::optional<KafkaIncident> final_incident_;
  std::optional<KafkaIncident> missing_incident_;
  bool all_brokers_down_ = false;
};

// Gives a client up without waiting long for it: librdkafka 2.0 can wait for ever in
// rd_kafka_destroy, for instance after a topic was deleted, and then a thread is left behind rather
// than the caller. Everything got from the client (queues, messages, topics) must have been given
// back.
void GiveUpClient(std::shared_ptr<KafkaClient> client);

// Waiting will not help: wrong credentials, no permission, a client that was fenced.
bool IsFinalKafkaError(rd_kafka_resp_err_t code);
bool IsMissingKafkaPartition(rd_kafka_resp_err_t code);

}  // namespace watershed
