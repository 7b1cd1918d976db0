#include "runtime/connectors/kafka/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <numeric>
#include <thread>

namespace watershed {

namespace {

// Everything worth telling reaches the job's status through errors; librdkafka's own lines would go
// to standard error without job or subtask.
void DropLogLine(const rd_kafka_t*, int, const char*, const char*) {}

// The usual case takes a few milliseconds, and is over when the caller goes on.
constexpr std::chrono::seconds kDestroyPatience(2);

using Configuration = std::unique_ptr<rd_kafka_conf_t, KafkaDeleter<rd_kafka_conf_destroy>>;

int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i) + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const int substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string NearestProperty(const rd_kafka_conf_t* configuration, const std::string& name) {
  size_t count = 0;
  const char** dump = rd_kafka_conf_dump(const_cast<rd_kafka_conf_t*>(configuration), &count);
  std::string nearest;
  int best = static_cast<int>(name.size() / 2) + 1;
  for (size_t i = 0; i + 1 < count; i += 2) {
    const int distance = EditDistance(name, dump[i]);
    if (distance < best) {
      best = distance;
      nearest = dump[i];
    }
  }
  rd_kafka_conf_dump_free(dump, count);
  return nearest;
}

Status Set(rd_kafka_conf_t* configuration, const std::string& name, const std::string& value) {
  std::array<char, 512> reason{};
  switch (
      rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason.data(), reason.size())) {
    case RD_KAFKA_CONF_OK:
      return Ok();
    case RD_KAFKA_CONF_UNKNOWN: {
      const std::string nearest = NearestProperty(configuration, name);
      return UserError(
          "'properties.{}' is no setting of librdkafka {}{}", name, rd_kafka_version_str(),
          nearest.empty() ? "" : fmt::format("; did you mean 'properties.{}'?", nearest));
    }
    default:
      return UserError("'properties.{}': {}", name, reason.data());
  }
}

struct Advice {
  rd_kafka_resp_err_t code;
  std::string_view text;
};

constexpr std::array kAdvice = {
    Advice{
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        "check properties.sasl.username, properties.sasl.password and properties.sasl.mechanism"},
    Advice{
        RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        "check properties.sasl.username, properties.sasl.password and properties.sasl.mechanism"},
    Advice{RD_KAFKA_RESP_ERR__SSL,
           "check properties.security.protocol, properties.ssl.ca.location and the port"},
    Advice{RD_KAFKA_RESP_ERR__RESOLVE,
           "the host name does not resolve: check properties.bootstrap.servers"},
    Advice{RD_KAFKA_RESP_ERR__TRANSPORT,
           "check that the broker runs, the port, and properties.security.protocol"},
    Advice{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
           "check that the broker runs and properties.bootstrap.servers"},
    Advice{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
           "the user may not use this topic: ask for the permission (ACL)"},
    Advice{RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
           "the user may not use transactional ids that begin with 'watershed-': ask for the "
           "permission (ACL), or choose delivery: at-least-once"},
    Advice{RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
           "lower properties.transaction.timeout.ms, or raise transaction.max.timeout.ms of the "
           "brokers"},
    Advice{RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
           "the user may not use this group: ask for the permission (ACL) or change "
           "properties.group.id"},
};

std::string_view AdviceFor(rd_kafka_resp_err_t code) {
  for (const Advice& advice : kAdvice) {
    if (advice.code == code) return advice.text;
  }
  return {};
}

bool IsSymptom(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
         code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__WAIT_COORD ||
         code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE;
}

}  // namespace

KafkaPartitionList NewPartitionList(size_t capacity) {
  return KafkaPartitionList(rd_kafka_topic_partition_list_new(static_cast<int>(capacity)));
}

bool IsFinalKafkaError(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return true;
    default:
      return false;
  }
}

bool IsMissingKafkaPartition(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

Result<std::unique_ptr<KafkaClient>> KafkaClient::Create(
    rd_kafka_type_t type, const KafkaSettings& properties, const KafkaSettings& defaults,
    const KafkaSettings& fixed, KafkaDeliveryReport on_delivery, KafkaCommitReport on_commit) {
  KafkaSettings settings = fixed;
  settings.insert(properties.begin(), properties.end());
  settings.insert(defaults.begin(), defaults.end());
  std::unique_ptr<KafkaClient> client(new KafkaClient());
  client->bootstrap_servers_ = settings["bootstrap.servers"];
  Configuration configuration(rd_kafka_conf_new());
  for (const auto& [name, value] : settings) {
    WS_RETURN_IF_ERROR(Set(configuration.get(), name, value));
  }
  rd_kafka_conf_set_opaque(configuration.get(), client.get());
  rd_kafka_conf_set_error_cb(configuration.get(), OnError);
  client->on_delivery_ = std::move(on_delivery);
  if (client->on_delivery_) rd_kafka_conf_set_dr_msg_cb(configuration.get(), OnDelivery);
  client->on_commit_ = std::move(on_commit);
  if (client->on_commit_) rd_kafka_conf_set_offset_commit_cb(configuration.get(), OnCommit);
  rd_kafka_conf_set_log_cb(configuration.get(), DropLogLine);
  std::array<char, 512> reason{};
  client->handle_ = rd_kafka_new(type, configuration.get(), reason.data(), reason.size());
  if (client->handle_ == nullptr) {
    return UserError("the Kafka client refuses its settings: {}", reason.data());
  }
  static_cast<void>(configuration.release());  // rd_kafka_new took it
  return client;
}

void KafkaClient::OnError(rd_kafka_t* handle, int code, const char* reason, void* opaque) {
  auto* client = static_cast<KafkaClient*>(opaque);
  auto error = static_cast<rd_kafka_resp_err_t>(code);
  std::string text = reason;
  const std::scoped_lock lock(client->mutex_);
  if (error == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> fatal{};
    error = rd_kafka_fatal_error(handle, fatal.data(), fatal.size());
    text = fatal.data();
    client->final_incident_ = KafkaIncident{error, text};
  }
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    client->all_brokers_down_ = true;  // says nothing about the cause: that was told before
    if (client->last_incident_) return;
  }
  if (IsFinalKafkaError(error)) client->final_incident_ = KafkaIncident{error, text};
  if (IsMissingKafkaPartition(error)) client->missing_incident_ = KafkaIncident{error, text};
  client->last_incident_ = KafkaIncident{error, std::move(text)};
}

void KafkaClient::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* client) {
  static_cast<KafkaClient*>(client)->on_delivery_(*message);
}

void KafkaClient::OnCommit(rd_kafka_t*, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t* offsets, void* client) {
  if (offsets != nullptr) static_cast<KafkaClient*>(client)->on_commit_(error, *offsets);
}

std::optional<KafkaIncident> KafkaClient::last_incident() const {
  const std::scoped_lock lock(mutex_);
  return last_incident_;
}

std::optional<KafkaIncident> KafkaClient::final_incident() const {
  const std::scoped_lock lock(mutex_);
  return final_incident_;
}

std::optional<KafkaIncident> KafkaClient::missing_incident() const {
  const std::scoped_lock lock(mutex_);
  return missing_incident_;
}

bool KafkaClient::all_brokers_down() const {
  const std::scoped_lock lock(mutex_);
  return all_brokers_down_;
}

KafkaClient::~KafkaClient() {
  // Not RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, though no group was joined: with it librdkafka 2.0.2
  // spins on a core for as long as a commit of offsets has no answer, at times for good.
  if (handle_ != nullptr) rd_kafka_destroy(handle_);
}

void GiveUpClient(std::shared_ptr<KafkaClient> client) {
  if (client == nullptr) return;
  std::promise<void> done;
  const std::future<void> destroyed = done.get_future();
  std::thread([client = std::move(client), done = std::move(done)]() mutable {
    client.reset();
    done.set_value();
  }).detach();
  destroyed.wait_for(kDestroyPatience);
}

void KafkaClient::ForgetIncidents() {
  const std::scoped_lock lock(mutex_);
  last_incident_.reset();
  final_incident_.reset();
  missing_incident_.reset();
  all_brokers_down_ = false;
}

Error KafkaClient::MakeError(std::string_view doing, rd_kafka_resp_err_t code,
                             std::string_view reason) const {
  std::string cause(reason);
  const std::scoped_lock lock(mutex_);
  if (final_incident_) {
    code = final_incident_->code;
    cause = final_incident_->reason;
  } else if (last_incident_ && IsSymptom(code)) {
    code = last_incident_->code;
    cause = last_incident_->reason;
  }
  const std::string_view advice = AdviceFor(code);
  Error error;
  error.domain = ErrorDomain::kExternal;
  error.retryable = !IsFinalKafkaError(code);
  error.message = fmt::format("{} (brokers {}): {}{}{}", doing, bootstrap_servers_, cause,
                              advice.empty() ? "" : "; ", advice);
  return error;
}

}  // namespace watershed
