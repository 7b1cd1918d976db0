#include "runtime/connectors/kafka/transactional_producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "runtime/connectors/kafka/inquiry.h"
#include "runtime/connectors/kafka/message.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of fencing and of a commit: each waits for an answer of the transaction's coordinator.
constexpr milliseconds kTimeout{20'000};
// Without any acknowledgement.
constexpr milliseconds kPatience{10'000};
constexpr int kPollMs = 20;
constexpr int kAbortMs = 2'000;
constexpr size_t kBatchRows = 4'096;
constexpr int64_t kPendingRows = 65'536;

using KafkaError = std::unique_ptr<rd_kafka_error_t, KafkaDeleter<rd_kafka_error_destroy>>;

bool IsFencing(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

}  // namespace

Result<std::unique_ptr<TransactionalProducer>> TransactionalProducer::Create(
    const std::string& transactional_id, const std::string& topic, const KafkaSettings& properties,
    const KafkaSettings& defaults) {
  std::unique_ptr<TransactionalProducer> producer(
      new TransactionalProducer(transactional_id, topic));
  WS_RETURN_IF_ERROR(producer->Connect(properties, defaults));
  return producer;
}

TransactionalProducer::~TransactionalProducer() {
  topic_.reset();
  GiveUpClient(std::move(client_));
}

Status TransactionalProducer::Connect(const KafkaSettings& properties,
                                      const KafkaSettings& defaults) {
  WS_ASSIGN_OR_RETURN(
      client_,
      KafkaClient::Create(RD_KAFKA_PRODUCER, properties, defaults,
                          {{"transactional.id", transactional_id_},
                           {"enable.idempotence", "true"},
                           {"statistics.interval.ms", "0"}},
                          [deliveries = deliveries_](const rd_kafka_message_t& message) {
                            const std::scoped_lock lock(deliveries->mutex);
                            ++deliveries->reported;
                            if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                              if (!deliveries->failure) {
                                deliveries->failure = {
                                    message.err,
                                    fmt::format("topic '{}' partition {}: {}",
                                                rd_kafka_topic_name(message.rkt), message.partition,
                                                rd_kafka_err2str(message.err))};
                              }
                            } else if (message._private != nullptr) {
                              deliveries->marker_offset = message.offset;
                            }
                          }));
  topic_.reset(rd_kafka_topic_new(client_->handle(), topic_name_.c_str(), nullptr));
  if (topic_ == nullptr) return UserError("'{}' is not the name of a topic", topic_name_);
  const std::string doing =
      fmt::format("transactional id '{}' cannot be taken over", transactional_id_);
  KafkaInquiry inquiry(*client_, kTimeout);
  // Without a connection the client would look for the coordinator only a second later.
  if (auto found = inquiry.Partitions(topic_name_); !found) {
    return tl::make_unexpected(std::move(found).error());
  }
  return inquiry.Ask(doing, [&](int timeout_ms) {
    const KafkaError error(rd_kafka_init_transactions(client_->handle(), timeout_ms));
    return error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error.get());
  });
}

Status TransactionalProducer::Begin() {
  rd_kafka_poll(client_->handle(), 0);
  client_->ForgetIncidents();
  const KafkaError error(rd_kafka_begin_transaction(client_->handle()));
  if (error != nullptr) {
    return Fail("a transaction cannot begin", rd_kafka_error_code(error.get()),
                rd_kafka_error_string(error.get()));
  }
  open_ = true;
  const std::scoped_lock lock(deliveries_->mutex);
  deliveries_->marker_offset = -1;
  return Ok();
}

Status TransactionalProducer::Produce(std::span<const KafkaRow> rows) {
  while (!rows.empty()) {
    const size_t count = std::min(rows.size(), kBatchRows);
    WS_RETURN_IF_ERROR(WaitUntilPending(kPendingRows));
    const std::span<const KafkaRow> batch = rows.first(count);
    WS_RETURN_IF_ERROR(HaveHeaders(batch) ? ProduceOneByOne(batch) : ProduceBatch(batch));
    rows = rows.subspan(count);
  }
  return Ok();
}

Status TransactionalProducer::ProduceBatch(std::span<const KafkaRow> rows) {
  std::vector<rd_kafka_message_t> messages;
  messages.reserve(rows.size());
  for (const KafkaRow& row : rows) messages.push_back(MessageOf(row));
  const auto give_up_at = steady_clock::now() + kPatience;
  while (true) {
    sent_ += rd_kafka_produce_batch(topic_.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                    messages.data(), static_cast<int>(messages.size()));
    // Those that were refused say why, and are collected for another try.
    std::erase_if(messages, [](const rd_kafka_message_t& message) {
      return message.err == RD_KAFKA_RESP_ERR_NO_ERROR;
    });
    if (messages.empty()) return Ok();
    for (rd_kafka_message_t& message : messages) {
      const rd_kafka_resp_err_t code = std::exchange(message.err, RD_KAFKA_RESP_ERR_NO_ERROR);
      WS_RETURN_IF_ERROR(CheckRefusal(code, message.len + message.key_len));
    }
    if (steady_clock::now() > give_up_at) {
      return Fail(fmt::format("topic '{}' did not take the rows", topic_name_),
                  RD_KAFKA_RESP_ERR__TIMED_OUT, "the client's queue stays full");
    }
    rd_kafka_poll(client_->handle(), kPollMs);
    WS_RETURN_IF_ERROR(Check());
  }
}

Status TransactionalProducer::ProduceOneByOne(std::span<const KafkaRow> rows) {
  auto give_up_at = steady_clock::now() + kPatience;
  while (!rows.empty()) {
    const KafkaRow& row = rows.front();
    const rd_kafka_resp_err_t code =
        ProduceWithHeaders(client_->handle(), topic_.get(), row, /*opaque=*/nullptr);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++sent_;
      rows = rows.subspan(1);
      give_up_at = steady_clock::now() + kPatience;
      continue;
    }
    WS_RETURN_IF_ERROR(CheckRefusal(code, row.value.size() + row.key.size() + row.headers.size()));
    if (steady_clock::now() > give_up_at) {
      return Fail(fmt::format("topic '{}' did not take the rows", topic_name_),
                  RD_KAFKA_RESP_ERR__TIMED_OUT, "the client's queue stays full");
    }
    rd_kafka_poll(client_->handle(), kPollMs);
    WS_RETURN_IF_ERROR(Check());
  }
  return Ok();
}

Status TransactionalProducer::CheckRefusal(rd_kafka_resp_err_t code, size_t row_bytes) {
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Ok();
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    return UserError(
        "a row of {} bytes, which was written before, is larger than topic '{}' may take from "
        "this producer now: raise properties.message.max.bytes, and max.message.bytes of the topic",
        row_bytes, topic_name_);
  }
  return Fail(fmt::format("topic '{}' did not take the rows", topic_name_), code,
              rd_kafka_err2str(code));
}

Status TransactionalProducer::Check() {
  std::optional<KafkaIncident> failure = client_->final_incident();
  if (!failure) {
    const std::scoped_lock lock(deliveries_->mutex);
    failure = deliveries_->failure;
  }
  if (!failure) return Ok();
  return Fail(fmt::format("topic '{}' did not take the rows", topic_name_), failure->code,
              failure->reason);
}

Status TransactionalProducer::WaitUntilPending(int64_t rows) {
  int64_t last_pending = -1;
  auto give_up_at = steady_clock::now() + kPatience;
  while (true) {
    rd_kafka_poll(client_->handle(), last_pending < 0 ? 0 : kPollMs);
    WS_RETURN_IF_ERROR(Check());
    int64_t pending = sent_;
    {
      const std::scoped_lock lock(deliveries_->mutex);
      pending -= deliveries_->reported;
    }
    if (pending <= rows) return Ok();
    if (pending != last_pending) give_up_at = steady_clock::now() + kPatience;
    last_pending = pending;
    if (steady_clock::now() < give_up_at) continue;
    return Fail(fmt::format("topic '{}' did not take the rows", topic_name_),
                RD_KAFKA_RESP_ERR__TIMED_OUT, fmt::format("{} rows are not acknowledged", pending));
  }
}

Result<int64_t> TransactionalProducer::Mark(const std::string& topic, const std::string& key,
                                            const std::string& value) {
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      client_->handle(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
      RD_KAFKA_V_KEY(Lend(key), key.size()), RD_KAFKA_V_VALUE(Lend(value), value.size()),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(this), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Fail(fmt::format("topic '{}' did not take the progress", topic), error,
                rd_kafka_err2str(error));
  }
  ++sent_;
  WS_RETURN_IF_ERROR(WaitUntilPending(0));
  const std::scoped_lock lock(deliveries_->mutex);
  return deliveries_->marker_offset;
}

Status TransactionalProducer::Commit() {
  open_ = false;
  const std::string doing =
      fmt::format("the transaction of '{}' was not committed for certain", transactional_id_);
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string reason;
  const auto ask = [&](int timeout_ms) {
    const KafkaError error(rd_kafka_commit_transaction(client_->handle(), timeout_ms));
    if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
    code = rd_kafka_error_code(error.get());
    reason = rd_kafka_error_string(error.get());
    return code;
  };
  if (KafkaInquiry(*client_, kTimeout).Ask(doing, ask)) {
    rd_kafka_poll(client_->handle(), 0);  // collects incidents, see disturbed
    return Ok();
  }
  return Fail(doing, code, reason);
}

void TransactionalProducer::Abort() {
  if (!std::exchange(open_, false) || fenced_) return;
  const KafkaError error(rd_kafka_abort_transaction(client_->handle(), kAbortMs));
}

tl::unexpected<Error> TransactionalProducer::Fail(std::string_view doing, rd_kafka_resp_err_t code,
                                                  std::string_view reason) {
  rd_kafka_poll(client_->handle(), 0);  // collects incidents
  std::array<char, 512> fatal{};
  const rd_kafka_resp_err_t cause =
      rd_kafka_fatal_error(client_->handle(), fatal.data(), fatal.size());
  const bool is_fatal = cause != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (is_fatal) code = cause;
  const auto incident = client_->final_incident();
  fenced_ = IsFencing(code) || (incident && IsFencing(incident->code));
  Error error = client_->MakeError(doing, code, is_fatal ? fatal.data() : reason);
  // Fatal to the client is not fatal to us: another one begins anew. What nothing but a person
  // mends stays final.
  error.retryable = error.retryable || fenced_ || code == RD_KAFKA_RESP_ERR__FATAL;
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_RECORD) {
    error.domain = ErrorDomain::kUser;
    error.retryable = false;
  }
  return tl::make_unexpected(std::move(error));
}

}  // namespace watershed
