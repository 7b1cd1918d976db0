#include "tests/connectors/kafka_reader.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "runtime/connectors/kafka/enumerator.h"
#include "runtime/connectors/kafka/source.h"
#include "runtime/metrics/names.h"

namespace watershed::test {
namespace {

constexpr std::chrono::seconds kPatience(60);

ConnectorContext Context() { return {.job_name = "test", .operator_id = "events"}; }

std::optional<std::string> Copy(std::string_view text) {
  if (text.data() == nullptr) return std::nullopt;
  return std::string(text);
}

}  // namespace

OptionMap ReadAllOptions(const std::string& brokers, const std::string& topic,
                         const OptionMap& more) {
  OptionMap options = {{"topic", topic},
                       {"properties.bootstrap.servers", brokers},
                       {"scan.startup.mode", "earliest-offset"},
                       {"scan.bounded.mode", "latest-offset"}};
  for (const auto& [name, value] : more) options[name] = value;
  return options;
}

Result<std::vector<SourceSplit>> KafkaReader::Discover() const {
  WS_ASSIGN_OR_RETURN(const auto enumerator, MakeKafkaEnumerator(options_, Context()));
  return enumerator->Discover();
}

Status KafkaReader::Open() {
  WS_ASSIGN_OR_RETURN(const std::vector<SourceSplit> splits, Discover());
  return Open(splits);
}

Status KafkaReader::Open(const std::vector<SourceSplit>& splits) {
  splits_ = splits;
  ConnectorContext context = Context();
  context.metrics = &metrics_;
  WS_ASSIGN_OR_RETURN(source_, MakeKafkaSource(options_, context));
  return source_->Open(splits_);
}

std::map<std::string, double> KafkaReader::CommittedOffsets() const {
  std::map<std::string, double> offsets;
  for (const MetricSample& sample : registry_.Collect()) {
    if (sample.name != std::string_view(metric_names::kKafkaCommittedOffset)) continue;
    offsets[sample.labels.back().second] = sample.value;
  }
  return offsets;
}

Status KafkaReader::PollUntil(const std::function<bool()>& done) {
  const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > give_up_at) {
      std::string told;
      for (const auto& [split, last] : progress) {
        told +=
            fmt::format("; {}: at {}, caught up {}, lag {}", splits_[static_cast<size_t>(split)].id,
                        source_->Positions()[static_cast<size_t>(split)].next_position,
                        last.caught_up, last.lag.value_or(-1));
      }
      return InternalError("not done after a minute; {} records read{}; {}", records.size(), told,
                           degraded_reason);
    }
    WS_RETURN_IF_ERROR(source_->Poll(polled_, 1000, std::chrono::milliseconds(20)));
    for (const RawRecord& record : polled_.raw) {
      records.push_back({splits_[static_cast<size_t>(record.split_index)].id, record.position,
                         Copy(record.value), Copy(record.key).value_or(""), record.timestamp_ms});
    }
    for (const SplitProgress& told : polled_.progress) progress[told.split_index] = told;
    finished = polled_.finished;
    degraded_reason = polled_.degraded_reason;
  }
  return Ok();
}

std::vector<std::string> KafkaReader::values() const {
  std::vector<std::string> values;
  for (const ReadRecord& record : records) values.push_back(record.value.value_or("(tombstone)"));
  return values;
}

}  // namespace watershed::test
