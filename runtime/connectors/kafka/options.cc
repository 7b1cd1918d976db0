#include "runtime/connectors/kafka/options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/connectors/kafka/properties.h"
#include "runtime/connectors/option_values.h"

namespace watershed {
namespace {

constexpr std::string_view kStartupMode = "scan.startup.mode";
constexpr std::string_view kStartupTimestamp = "scan.startup.timestamp-millis";
constexpr std::string_view kStartupOffsets = "scan.startup.specific-offsets";
constexpr std::string_view kStartupFallback = "scan.startup.group-offsets-fallback";
constexpr std::string_view kBoundedMode = "scan.bounded.mode";
constexpr std::string_view kBoundedTimestamp = "scan.bounded.timestamp-millis";
constexpr std::string_view kBoundedOffsets = "scan.bounded.specific-offsets";

constexpr std::array kStartupModes = {
    std::pair<std::string_view, KafkaStartupMode>{"earliest-offset",
                                                  KafkaStartupMode::kEarliestOffset},
    std::pair<std::string_view, KafkaStartupMode>{"latest-offset", KafkaStartupMode::kLatestOffset},
    std::pair<std::string_view, KafkaStartupMode>{"group-offsets", KafkaStartupMode::kGroupOffsets},
    std::pair<std::string_view, KafkaStartupMode>{"timestamp", KafkaStartupMode::kTimestamp},
    std::pair<std::string_view, KafkaStartupMode>{"specific-offsets",
                                                  KafkaStartupMode::kSpecificOffsets},
};
constexpr std::array kFallbacks = {
    std::pair<std::string_view, KafkaOffsetFallback>{"earliest-offset",
                                                     KafkaOffsetFallback::kEarliest},
    std::pair<std::string_view, KafkaOffsetFallback>{"latest-offset", KafkaOffsetFallback::kLatest},
    std::pair<std::string_view, KafkaOffsetFallback>{"fail", KafkaOffsetFallback::kFail},
};
constexpr std::array kBoundedModes = {
    std::pair<std::string_view, KafkaBoundedMode>{"unbounded", KafkaBoundedMode::kUnbounded},
    std::pair<std::string_view, KafkaBoundedMode>{"latest-offset", KafkaBoundedMode::kLatestOffset},
    std::pair<std::string_view, KafkaBoundedMode>{"timestamp", KafkaBoundedMode::kTimestamp},
    std::pair<std::string_view, KafkaBoundedMode>{"specific-offsets",
                                                  KafkaBoundedMode::kSpecificOffsets},
};
constexpr std::string_view kDelivery = "delivery";
constexpr std::string_view kKeyFields = "key.fields";
constexpr std::array kDeliveries = {
    std::pair<std::string_view, KafkaDelivery>{"exactly-once", KafkaDelivery::kExactlyOnce},
    std::pair<std::string_view, KafkaDelivery>{"at-least-once", KafkaDelivery::kAtLeastOnce},
};

// Flink's syntax: "partition:0,offset:42;partition:1,offset:300".
Result<std::map<int32_t, int64_t>> ParseSpecificOffsets(std::string_view option,
                                                        std::string_view text) {
  std::map<int32_t, int64_t> offsets;
  for (const std::string& pair : SplitList(text, ';')) {
    const std::vector<std::string> parts = SplitList(pair, ',');
    constexpr std::string_view kPartition = "partition:";
    constexpr std::string_view kOffset = "offset:";
    if (parts.size() != 2 || !parts[0].starts_with(kPartition) || !parts[1].starts_with(kOffset)) {
      return UserError(
          "{}: expected 'partition:0,offset:42;partition:1,offset:300', got '{}' in it", option,
          pair);
    }
    const auto partition = ParseInt64(parts[0].substr(kPartition.size()));
    const auto offset = ParseInt64(parts[1].substr(kOffset.size()));
    if (!partition || !offset || *partition < 0 || *partition > INT32_MAX || *offset < 0) {
      return UserError("{}: '{}' is not a partition and an offset", option, pair);
    }
    if (!offsets.emplace(static_cast<int32_t>(*partition), *offset).second) {
      return UserError("{}: partition {} is given twice", option, *partition);
    }
  }
  return offsets;
}

// An option that only one mode uses must be there with that mode and nowhere else.
void CheckCompanion(const OptionMap& options, std::string_view mode_option, std::string_view mode,
                    std::string_view mode_needed, std::string_view companion, bool required,
                    std::vector<OptionProblem>& problems) {
  const bool present = FindOption(options, companion) != nullptr;
  if (mode == mode_needed && required && !present) {
    problems.push_back({std::string(mode_option),
                        fmt::format("{}: {} needs the option '{}'", mode_option, mode, companion)});
  }
  if (mode != mode_needed && present) {
    problems.push_back(
        {std::string(companion), fmt::format("'{}' is used with {}: {} only, which here is {}",
                                             companion, mode_option, mode_needed, mode)});
  }
}

void CheckSpecificOffsets(const OptionMap& options, std::string_view option,
                          std::vector<OptionProblem>& problems) {
  const std::string* text = FindOption(options, option);
  if (text == nullptr) return;
  const auto offsets = ParseSpecificOffsets(option, *text);
  if (!offsets) problems.push_back({std::string(option), offsets.error().message});
  if (SplitList(OptionOr(options, "topic", ""), ';').size() > 1) {
    problems.push_back(
        {std::string(option),
         "specific-offsets name partitions of one topic, but 'topic' lists several"});
  }
}

std::vector<OptionProblem> CheckSource(const OptionMap& options) {
  std::vector<OptionProblem> problems = CheckKafkaProperties(options);
  const std::string mode = OptionOr(options, kStartupMode, "group-offsets");
  CheckCompanion(options, kStartupMode, mode, "timestamp", kStartupTimestamp, true, problems);
  CheckCompanion(options, kStartupMode, mode, "specific-offsets", kStartupOffsets, true, problems);
  CheckCompanion(options, kStartupMode, mode, "group-offsets", kStartupFallback, false, problems);
  const std::string bounded = OptionOr(options, kBoundedMode, "unbounded");
  CheckCompanion(options, kBoundedMode, bounded, "timestamp", kBoundedTimestamp, true, problems);
  CheckCompanion(options, kBoundedMode, bounded, "specific-offsets", kBoundedOffsets, true,
                 problems);
  if (mode == "group-offsets" && FindOption(options, "properties.group.id") == nullptr) {
    problems.push_back(
        {std::string(kStartupMode),
         "scan.startup.mode: group-offsets (the default) needs 'properties.group.id', "
         "the group whose committed offsets are read"});
  }
  for (const std::string_view option : {kStartupOffsets, kBoundedOffsets}) {
    CheckSpecificOffsets(options, option, problems);
  }
  if (SplitList(OptionOr(options, "topic", ""), ';').empty()) {
    problems.push_back({"topic", "'topic' names no topic"});
  }
  return problems;
}

std::vector<OptionProblem> CheckSink(const OptionMap& options) {
  std::vector<OptionProblem> problems = CheckKafkaProperties(options);
  if (SplitList(OptionOr(options, "topic", ""), ';').size() != 1) {
    problems.push_back({"topic", "a sink writes to exactly one topic"});
  }
  const std::string* keys = FindOption(options, kKeyFields);
  if (keys != nullptr && SplitList(*keys, ';').empty()) {
    problems.push_back({std::string(kKeyFields), "'key.fields' names no column"});
  }
  return problems;
}

std::vector<OptionSpec> PropertyOptions() {
  std::vector<OptionSpec> options = {
      {.name = "properties.bootstrap.servers",
       .required = true,
       .description = "Brokers to begin with, host:port separated by commas"},
  };
  for (const std::string_view secret : SecretKafkaOptions()) {
    options.push_back({.name = secret, .secret = true});
  }
  options.push_back(
      {.name = "properties.*",
       .description = "Any setting of librdkafka; those the engine owns are refused by name"});
  return options;
}

std::vector<OptionSpec> SourceOptions() {
  std::vector<OptionSpec> options = {
      {.name = "topic", .required = true, .description = "One topic, or several separated by ';'"},
      {.name = kStartupMode,
       .type = OptionType::kEnum,
       .default_value = "group-offsets",
       .choices = {"earliest-offset", "latest-offset", "group-offsets", "timestamp",
                   "specific-offsets"},
       .description = "Where a first start begins"},
      {.name = kStartupTimestamp,
       .type = OptionType::kInt,
       .description = "Begin with the first record of this time (epoch milliseconds)"},
      {.name = kStartupOffsets, .description = "partition:0,offset:42;partition:1,offset:300"},
      {.name = kStartupFallback,
       .type = OptionType::kEnum,
       .default_value = "earliest-offset",
       .choices = {"earliest-offset", "latest-offset", "fail"},
       .description = "group-offsets: where a partition begins that has no committed offset"},
      {.name = kBoundedMode,
       .type = OptionType::kEnum,
       .default_value = "unbounded",
       .choices = {"unbounded", "latest-offset", "timestamp", "specific-offsets"},
       .description = "Where reading ends; latest-offset is fixed once, when the job starts"},
      {.name = kBoundedTimestamp,
       .type = OptionType::kInt,
       .description = "End before the first record of this time (epoch milliseconds)"},
      {.name = kBoundedOffsets,
       .description = "End before these, which may still be to come: partition:0,offset:42"},
  };
  for (OptionSpec& option : PropertyOptions()) options.push_back(std::move(option));
  return options;
}

std::vector<OptionSpec> SinkOptions() {
  std::vector<OptionSpec> options = {
      {.name = "topic", .required = true, .description = "The topic written to; it must exist"},
      {.name = kDelivery,
       .type = OptionType::kEnum,
       .default_value = "exactly-once",
       .choices = {"exactly-once", "at-least-once"},
       .description = "exactly-once: rows become visible to readers of committed records once "
                      "their checkpoint is complete, each once; at-least-once: within a second, "
                      "again after a failure"},
  };
  options.push_back({.name = kKeyFields,
                     .description = "Columns, separated by ';', whose values are the record's key, "
                                    "as the format writes them: rows of one key go to one "
                                    "partition"});
  for (OptionSpec& option : PropertyOptions()) options.push_back(std::move(option));
  return options;
}

SinkGuarantee GuaranteeOf(const OptionMap& options) {
  if (OptionOr(options, kDelivery, "exactly-once") == "at-least-once") return kAtLeastOnceGuarantee;
  return {"exactly-once",
          "readers with isolation.level=read_committed see rows when their checkpoint is complete, "
          "each once; a topic watershed-progress-<lineage> keeps track",
          /*visible_at_checkpoint=*/true};
}

Status FirstProblem(const std::vector<OptionProblem>& problems) {
  if (!problems.empty()) return UserError("{}", problems.front().message);
  return Ok();
}

}  // namespace

ConnectorSpec KafkaSpec() {
  return {
      .name = "kafka",
      .is_source = true,
      .is_sink = true,
      .needs_format = true,
      .source_options = SourceOptions(),
      .sink_options = SinkOptions(),
      .sink_guarantee = GuaranteeOf,
      .check = [](const OptionMap& options,
                  bool is_sink) { return is_sink ? CheckSink(options) : CheckSource(options); },
  };
}

Result<KafkaSourceOptions> ParseKafkaSourceOptions(const OptionMap& options) {
  WS_RETURN_IF_ERROR(FirstProblem(CheckSource(options)));
  KafkaSourceOptions parsed;
  parsed.topics = SplitList(OptionOr(options, "topic", ""), ';');
  parsed.properties = KafkaProperties(options);
  WS_ASSIGN_OR_RETURN(parsed.startup_mode,
                      ParseChoice(options, kStartupMode, "group-offsets", kStartupModes));
  WS_ASSIGN_OR_RETURN(parsed.group_offsets_fallback,
                      ParseChoice(options, kStartupFallback, "earliest-offset", kFallbacks));
  WS_ASSIGN_OR_RETURN(parsed.bounded_mode,
                      ParseChoice(options, kBoundedMode, "unbounded", kBoundedModes));
  WS_ASSIGN_OR_RETURN(const auto start_ms, ReadInt64(options, kStartupTimestamp));
  WS_ASSIGN_OR_RETURN(const auto end_ms, ReadInt64(options, kBoundedTimestamp));
  parsed.startup_timestamp_ms = start_ms.value_or(0);
  parsed.bounded_timestamp_ms = end_ms.value_or(0);
  WS_ASSIGN_OR_RETURN(
      parsed.startup_offsets,
      ParseSpecificOffsets(kStartupOffsets, OptionOr(options, kStartupOffsets, "")));
  WS_ASSIGN_OR_RETURN(
      parsed.bounded_offsets,
      ParseSpecificOffsets(kBoundedOffsets, OptionOr(options, kBoundedOffsets, "")));
  return parsed;
}

Result<KafkaSinkOptions> ParseKafkaSinkOptions(const OptionMap& options) {
  WS_RETURN_IF_ERROR(FirstProblem(CheckSink(options)));
  WS_ASSIGN_OR_RETURN(const KafkaDelivery delivery,
                      ParseChoice(options, kDelivery, "exactly-once", kDeliveries));
  return KafkaSinkOptions{.topic = SplitList(OptionOr(options, "topic", ""), ';').front(),
                          .delivery = delivery,
                          .key_fields = SplitList(OptionOr(options, kKeyFields, ""), ';'),
                          .properties = KafkaProperties(options)};
}

}  // namespace watershed
