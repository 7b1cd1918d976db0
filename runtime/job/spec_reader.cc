#include "runtime/job/spec_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "runtime/job/nearest_name.h"
#include "runtime/types/key_group.h"

namespace watershed {
namespace {

constexpr int32_t kMaxParallelismLimit = 32768;  // as in Flink

enum class RestartOption : uint8_t { kCount, kDuration, kNumber };

struct RestartStrategyType {
  std::string_view name;
  std::vector<std::pair<std::string_view, RestartOption>> options;
};

const std::vector<RestartStrategyType>& RestartStrategies() {
  using enum RestartOption;
  static const std::vector<RestartStrategyType> kTypes = {
      {"none", {}},
      {"fixed-delay", {{"attempts", kCount}, {"delay", kDuration}}},
      {"exponential-delay",
       {{"initial-backoff", kDuration},
        {"max-backoff", kDuration},
        {"backoff-multiplier", kNumber},
        {"reset-backoff-threshold", kDuration},
        {"jitter-factor", kNumber},
        {"attempts-before-reset-backoff", kCount}}},
      {"failure-rate",
       {{"max-failures-per-interval", kCount},
        {"failure-rate-interval", kDuration},
        {"delay", kDuration}}},
  };
  return kTypes;
}

void ReadCheckpointing(YamlMap& job, JobSpec& spec, YamlContext& context) {
  const std::optional<YamlEntry> entry = job.Take("checkpointing");
  if (!entry) return;
  YamlMap map(entry->value, entry->key.mark, "'checkpointing'", context);
  if (!map.valid()) return;
  if (!map.has("interval")) map.Require("interval", "a duration such as 10s");
  if (const auto interval = map.TakeDurationMs("interval", 1)) {
    spec.checkpoint_interval_ms = interval->value;
  }
  spec.checkpoint_mode = "exactly-once";
  if (const auto mode = map.TakeChoice("mode", {"exactly-once", "at-least-once"})) {
    spec.checkpoint_mode = mode->value;
  }
  map.Finish();
}

void ReadRestartStrategy(YamlMap& job, JobSpec& spec, YamlContext& context) {
  const std::optional<YamlEntry> entry = job.Take("restart-strategy");
  if (!entry) return;
  YamlMap map(entry->value, entry->key.mark, "'restart-strategy'", context);
  if (!map.valid()) return;
  std::vector<std::string_view> names;
  for (const auto& type : RestartStrategies()) names.push_back(type.name);
  if (!map.has("type")) map.Require("type", "none, fixed-delay, exponential-delay or failure-rate");
  const std::optional<MarkedText> type = map.TakeChoice("type", names);
  if (!type) return;
  spec.restart_strategy = type->value;
  for (const auto& strategy : RestartStrategies()) {
    if (strategy.name != type->value) continue;
    for (const auto& [option, kind] : strategy.options) {
      const bool is_duration = kind == RestartOption::kDuration;
      if (is_duration) {
        const auto value = map.TakeDurationMs(option, 0);
        if (value) spec.restart_options[std::string(option)] = fmt::format("{}ms", value->value);
      } else if (kind == RestartOption::kCount) {
        const auto value = map.TakeCount(option, 0, INT32_MAX);
        if (value) spec.restart_options[std::string(option)] = fmt::format("{}", value->value);
      } else if (const auto value = map.TakeNumber(option)) {
        spec.restart_options[std::string(option)] = fmt::format("{}", *value);
      }
    }
  }
  map.Finish();
}

void CheckJobName(const MarkedText& name, YamlContext& context) {
  constexpr size_t kLongest = 255;
  const auto is_control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (name.value.size() <= kLongest &&
      std::none_of(name.value.begin(), name.value.end(), is_control)) {
    return;
  }
  context.diagnostics->Error(name.mark, "'name': expected one line of at most {} bytes", kLongest);
}

void CheckName(const MarkedText& name, std::string_view what, YamlContext& context) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  const bool good = std::all_of(name.value.begin(), name.value.end(), allowed) &&
                    !std::isdigit(static_cast<unsigned char>(name.value[0])) &&
                    name.value[0] != '-' && name.value.size() <= 128;
  if (good) return;
  context.diagnostics->Error(
      name.mark,
      "{} name '{}': expected letters, digits, '_' and '-', beginning with a "
      "letter or '_', at most 128",
      what, name.value);
}

template <typename Spec>
void ReadSection(YamlMap& job, std::string_view section, std::string_view what,
                 Spec (*read)(const YamlEntry&, YamlContext&), std::vector<Spec>& specs,
                 YamlContext& context) {
  const std::optional<YamlEntry> entry = job.Take(section);
  if (!entry) return;
  YamlMap map(entry->value, entry->key.mark, fmt::format("'{}'", section), context);
  const std::vector<YamlEntry> nodes = map.TakeRest();
  if (map.valid() && nodes.empty() && section != "operators") {
    context.diagnostics->Error(map.mark(), "'{}': expected at least one {}", section, what);
  }
  for (const YamlEntry& node : nodes) {
    CheckName(node.key, what, context);
    const int errors_before = context.diagnostics->errors();
    specs.push_back(read(node, context));
    specs.back().incomplete = context.diagnostics->errors() > errors_before;
  }
}

void RequireSection(YamlMap& job, std::string_view section, std::string_view what) {
  if (!job.has(section)) job.Require(section, fmt::format("a map of at least one {}", what));
}

}  // namespace

void CheckColumnName(const MarkedText& name, YamlContext& context) {
  if (!name.value.starts_with('$')) return;
  context.diagnostics->Error(name.mark, "column name '{}': names must not begin with '$'",
                             name.value);
}

std::optional<FormatSpec> ReadFormat(YamlMap& map, YamlContext& context) {
  const std::optional<YamlEntry> entry = map.Take("format");
  if (!entry) return std::nullopt;
  if (!entry->value.IsMap()) {
    std::optional<MarkedText> name = ReadText(entry->value, entry->key.mark, "'format'", context);
    return FormatSpec{name.value_or(MarkedText()), {}};
  }
  YamlMap format(entry->value, entry->key.mark, fmt::format("{}: 'format'", map.what()), context);
  std::optional<MarkedText> name = format.RequireText("type", "a format such as json");
  std::vector<OptionEntry> options = ReadOptions(format, context);
  return FormatSpec{name.value_or(MarkedText()), std::move(options)};
}

std::vector<OptionEntry> ReadOptions(YamlMap& map, YamlContext& context) {
  std::vector<OptionEntry> options;
  for (const YamlEntry& entry : map.TakeRest()) {
    const int errors_before = context.diagnostics->errors();
    std::optional<MarkedText> value =
        ReadText(entry.value, entry.key.mark, fmt::format("'{}'", entry.key.value), context);
    const bool unreadable = context.diagnostics->errors() > errors_before;
    if (value || unreadable)
      options.push_back({entry.key, value.value_or(MarkedText()), unreadable});
  }
  return options;
}

TimestampSpec ReadTimestamp(YamlMap& map, YamlContext& context) {
  TimestampSpec spec;
  spec.pattern = map.TakeText("pattern");
  spec.epoch = map.TakeChoice("epoch", {"s", "ms", "us"});
  if (spec.pattern && spec.epoch) {
    context.diagnostics->Error(
        spec.epoch->mark,
        "{}: 'pattern' and 'epoch' exclude each other: a timestamp is either "
        "a text or a number",
        map.what());
  }
  return spec;
}

std::optional<JobSpec> ReadJobSpec(const YAML::Node& document, YamlContext& context) {
  YamlMap job(document, {}, "job file", context);
  if (!job.valid()) return std::nullopt;
  JobSpec spec;
  if (job.has("kind")) {
    job.TakeChoice("kind", {"Job"});
  } else {
    job.Require("kind", "'kind: Job'");
  }
  if (auto name = job.RequireText("name", "a name for the job")) {
    CheckJobName(*name, context);
    spec.name = std::move(*name);
  }
  if (const auto count = job.TakeCount("max-parallelism", 1, kMaxParallelismLimit)) {
    spec.max_parallelism = count->value;
  }
  const int32_t max_parallelism = spec.max_parallelism.value_or(kDefaultMaxParallelism);
  if (const auto count = job.TakeCount("parallelism", 1, max_parallelism)) {
    spec.parallelism = count->value;
  }
  ReadCheckpointing(job, spec, context);
  ReadRestartStrategy(job, spec, context);
  RequireSection(job, "sources", "source");
  RequireSection(job, "sinks", "sink");
  ReadSection(job, "sources", "source", ReadSource, spec.sources, context);
  ReadSection(job, "operators", "operator", ReadOperator, spec.operators, context);
  ReadSection(job, "sinks", "sink", ReadSink, spec.sinks, context);
  job.Finish();
  return spec;
}

}  // namespace watershed
