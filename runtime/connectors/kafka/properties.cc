#include "runtime/connectors/kafka/properties.h"

#include <fmt/format.h>

#include <array>
#include <span>

namespace watershed {
namespace {

constexpr std::string_view kPrefix = "properties.";

struct Refused {
  std::string_view name;
  std::string_view instead;
};

// Watershed assigns partitions, keeps offsets in its checkpoints and decides about delivery; a
// second opinion in the client would lose or repeat records.
constexpr std::array kOwned = {
    Refused{
        "auto.offset.reset",
        "write scan.startup.mode (and scan.startup.group-offsets-fallback for partitions without a "
        "committed offset); an expired offset fails by name instead of jumping"},
    Refused{"auto.commit.enable",
            "remove it; group offsets are committed when a checkpoint completes"},
    Refused{"auto.commit.interval.ms",
            "remove it; group offsets are committed when a checkpoint completes"},
    Refused{"enable.auto.commit",
            "remove it; group offsets are committed when a checkpoint completes"},
    Refused{"enable.auto.offset.store", "remove it; positions are part of checkpoints"},
    Refused{"offset.store.method", "remove it; positions are part of checkpoints"},
    Refused{"enable.partition.eof", "remove it; write scan.bounded.mode to stop at the end"},
    Refused{"partition.assignment.strategy", "remove it; the JobManager assigns partitions"},
    Refused{"group.instance.id", "remove it; the JobManager assigns partitions"},
    Refused{"enable.idempotence", "remove it; the sink's producer is always idempotent"},
    Refused{"transactional.id", "remove it; the sink chooses it"},
    Refused{"statistics.interval.ms", "remove it; lag and rates are on the metrics port"},
    Refused{"debug", "remove it"},
    Refused{"plugin.library.paths", "remove it; no code is loaded from a job file"},
};

// Known to Kafka's Java client only: librdkafka would refuse or misread them.
constexpr std::array kJavaOnly = {
    Refused{
        "sasl.jaas.config",
        "write properties.sasl.mechanism, properties.sasl.username and properties.sasl.password"},
    Refused{"sasl.client.callback.handler.class", "write properties.sasl.oauthbearer.method"},
    Refused{"sasl.login.callback.handler.class", "write properties.sasl.oauthbearer.method"},
    Refused{"sasl.login.class", "remove it"},
    Refused{"key.deserializer", "remove it; write format: and columns:"},
    Refused{"value.deserializer", "remove it; write format: and columns:"},
    Refused{"key.serializer", "remove it; write format:"},
    Refused{"value.serializer", "remove it; write format:"},
    Refused{
        "ssl.truststore.location",
        "write properties.ssl.ca.location with a PEM file (keytool -exportcert -rfc makes one)"},
    Refused{"ssl.truststore.password", "remove it; properties.ssl.ca.location is a plain PEM file"},
    Refused{"ssl.truststore.type", "remove it; properties.ssl.ca.location is a PEM file"},
    Refused{"ssl.truststore.certificates", "write properties.ssl.ca.pem"},
    Refused{"ssl.keystore.type", "remove it; properties.ssl.keystore.location is a PKCS#12 file"},
    Refused{"ssl.keystore.certificate.chain", "write properties.ssl.certificate.pem"},
    Refused{"ssl.keystore.key", "write properties.ssl.key.pem"},
    Refused{"ssl.protocol", "remove it; OpenSSL negotiates the protocol"},
    Refused{"ssl.enabled.protocols", "remove it; OpenSSL negotiates the protocol"},
    Refused{"fetch.max.wait.ms", "write properties.fetch.wait.max.ms"},
    Refused{"max.poll.records", "remove it; a batch is as large as fits the engine"},
    Refused{"receive.buffer.bytes", "write properties.socket.receive.buffer.bytes"},
    Refused{"send.buffer.bytes", "write properties.socket.send.buffer.bytes"},
    Refused{"buffer.memory", "write properties.queue.buffering.max.kbytes"},
    Refused{"max.block.ms", "remove it; the sink waits while its buffer is full"},
    Refused{"exclude.internal.topics", "remove it"},
    Refused{"interceptor.classes", "remove it; Java classes cannot be loaded"},
    Refused{"metric.reporters", "remove it; metrics are on the metrics port"},
    Refused{"partitioner.class", "write properties.partitioner"},
};

const Refused* FindRefused(std::span<const Refused> list, std::string_view name) {
  for (const Refused& refused : list) {
    if (refused.name == name) return &refused;
  }
  return nullptr;
}

}  // namespace

std::map<std::string, std::string> KafkaProperties(const OptionMap& options) {
  std::map<std::string, std::string> properties;
  for (const auto& [name, value] : options) {
    if (name.starts_with(kPrefix) && !value.empty())
      properties[name.substr(kPrefix.size())] = value;
  }
  return properties;
}

std::vector<OptionProblem> CheckKafkaProperties(const OptionMap& options) {
  std::vector<OptionProblem> problems;
  for (const auto& [name, value] : KafkaProperties(options)) {
    const std::string option = std::string(kPrefix) + name;
    if (const Refused* owned = FindRefused(kOwned, name); owned != nullptr) {
      problems.push_back(
          {option, fmt::format("'{}' belongs to the engine: {}", option, owned->instead)});
    } else if (const Refused* java = FindRefused(kJavaOnly, name); java != nullptr) {
      problems.push_back(
          {option, fmt::format("'{}' is a setting of Kafka's Java client; the client here is "
                               "librdkafka: {}",
                               option, java->instead)});
    }
  }
  return problems;
}

const std::vector<std::string_view>& SecretKafkaOptions() {
  static const std::vector<std::string_view> kSecrets = {
      "properties.sasl.password",
      "properties.sasl.oauthbearer.config",
      "properties.sasl.oauthbearer.client.secret",
      "properties.ssl.key.password",
      "properties.ssl.key.pem",
      "properties.ssl.keystore.password",
  };
  return kSecrets;
}

}  // namespace watershed
