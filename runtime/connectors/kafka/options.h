// What job files may say of the `kafka` source and sink, and the same as values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/connectors/connector.h"
#include "runtime/types/result.h"

namespace watershed {

ConnectorSpec KafkaSpec();

enum class KafkaStartupMode : uint8_t {
  kEarliestOffset,
  kLatestOffset,
  kGroupOffsets,
  kTimestamp,
  kSpecificOffsets,
};

// Where a partition starts whose group has committed nothing.
enum class KafkaOffsetFallback : uint8_t { kEarliest, kLatest, kFail };

enum class KafkaBoundedMode : uint8_t { kUnbounded, kLatestOffset, kTimestamp, kSpecificOffsets };

struct KafkaSourceOptions {
  std::vector<std::string> topics;
  std::map<std::string, std::string> properties;  // librdkafka's names
  KafkaStartupMode startup_mode = KafkaStartupMode::kGroupOffsets;
  KafkaOffsetFallback group_offsets_fallback = KafkaOffsetFallback::kEarliest;
  int64_t startup_timestamp_ms = 0;
  std::map<int32_t, int64_t> startup_offsets;  // by partition; the others start at the earliest
  KafkaBoundedMode bounded_mode = KafkaBoundedMode::kUnbounded;
  int64_t bounded_timestamp_ms = 0;
  std::map<int32_t, int64_t>
      bounded_offsets;  // exclusive, by partition; the others end at the latest
};

enum class KafkaDelivery : uint8_t { kExactlyOnce, kAtLeastOnce };

struct KafkaSinkOptions {
  std::string topic;
  KafkaDelivery delivery = KafkaDelivery::kExactlyOnce;
  std::vector<std::string> key_fields;  // columns; empty: records have no key
  std::map<std::string, std::string> properties;
};

// User errors only; what the linter accepts parses.
Result<KafkaSourceOptions> ParseKafkaSourceOptions(const OptionMap& options);
Result<KafkaSinkOptions> ParseKafkaSinkOptions(const OptionMap& options);

}  // namespace watershed
