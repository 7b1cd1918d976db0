// One transactional id's producer: rows and a marker in one transaction. Whatever goes wrong, it is
// thrown away rather than mended: the next one of its id ends what it left open.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/connectors/kafka/client.h"
#include "runtime/connectors/kafka/segment.h"
#include "runtime/types/result.h"

namespace watershed {

// One thread that may block for seconds.
class TransactionalProducer {
 public:
  // Fences every producer that had the id before, ends its transaction, and returns once that is
  // done: until somebody else does the same, nobody but this one writes by the id.
  static Result<std::unique_ptr<TransactionalProducer>> Create(const std::string& transactional_id,
                                                               const std::string& topic,
                                                               const KafkaSettings& properties,
                                                               const KafkaSettings& defaults);
  ~TransactionalProducer();
  TransactionalProducer(const TransactionalProducer&) = delete;
  TransactionalProducer& operator=(const TransactionalProducer&) = delete;

  // Begin, Produce as often as wanted, Mark, Commit. After an error nothing but Abort.
  Status Begin();
  Status Produce(std::span<const KafkaRow> rows);
  // Writes the marker and waits until the brokers have everything; the marker's offset.
  Result<int64_t> Mark(const std::string& topic, const std::string& key, const std::string& value);
  // An error that is retryable says nothing about whether it was committed.
  Status Commit();
  // Ends the transaction if that can be done at once, so that readers do not wait for its time-out.
  // Does nothing once a commit was asked for.
  void Abort();

  // The last error: somebody else has the id now, or the brokers have ended the transaction.
  bool fenced() const { return fenced_; }
  // Answers may have been lost, so requests may be under way that would reach a later transaction.
  bool disturbed() const { return client_->last_incident().has_value(); }

 private:
  // What brokers have acknowledged. Shared with the client, whose callbacks report to it.
  struct Deliveries {
    std::mutex mutex;
    int64_t reported = 0;
    int64_t marker_offset = -1;
    std::optional<KafkaIncident> failure;
  };

  TransactionalProducer(std::string transactional_id, std::string topic)
      : transactional_id_(std::move(transactional_id)), topic_name_(std::move(topic)) {}
  Status Connect(const KafkaSettings& properties, const KafkaSettings& defaults);
  Status ProduceBatch(std::span<const KafkaRow> rows);
  Status ProduceOneByOne(std::span<const KafkaRow> rows);
  // Why the client did not take a row of that size; nothing if there will be room.
  Status CheckRefusal(rd_kafka_resp_err_t code, size_t row_bytes);
  // Whether delivery has failed.
  Status Check();
  // Serves the client until no more than so many rows are on their way.
  Status WaitUntilPending(int64_t rows);
  tl::unexpected<Error> Fail(std::string_view doing, rd_kafka_resp_err_t code,
                             std::string_view reason);

  const std::string transactional_id_;
  const std::string topic_name_;
  std::shared_ptr<Deliveries> deliveries_ = std::make_shared<Deliveries>();
  std::shared_ptr<KafkaClient> client_;
  KafkaTopic topic_;
  int64_t sent_ = 0;
  bool open_ = false;
  bool fenced_ = false;
};

}  // namespace watershed
