#include <utility>

#include "runtime/job/spec_reader.h"

namespace watershed {
namespace {

std::optional<ColumnSpec> ReadColumn(const YamlEntry& entry, YamlContext& context) {
  const std::string what = fmt::format("column '{}'", entry.key.value);
  ColumnSpec column{.name = entry.key};
  if (!entry.value.IsMap()) {
    auto type = ReadText(entry.value, entry.key.mark, what, context);
    if (!type) return std::nullopt;
    column.type = std::move(*type);
    return column;
  }
  YamlMap map(entry.value, entry.key.mark, what, context);
  auto type = map.RequireText("type", "a type such as string, bigint or timestamp");
  column.path = map.TakeText("path");
  column.timestamp = ReadTimestamp(map, context);
  column.not_null = map.TakeBool("not-null").value_or(false);
  map.Finish();
  if (!type) return std::nullopt;
  column.type = std::move(*type);
  return column;
}

std::vector<ColumnSpec> ReadColumns(YamlMap& source, YamlContext& context) {
  std::vector<ColumnSpec> columns;
  const auto entry = source.Require("columns", "a map of column names to types");
  if (!entry) return columns;
  YamlMap map(entry->value, entry->key.mark, fmt::format("{}: 'columns'", source.what()), context);
  const std::vector<YamlEntry> entries = map.TakeRest();
  if (map.valid() && entries.empty()) {
    context.diagnostics->Error(map.mark(), "{}: expected at least one column", map.what());
  }
  for (const YamlEntry& column : entries) {
    CheckColumnName(column.key, context);
    if (auto spec = ReadColumn(column, context)) columns.push_back(std::move(*spec));
  }
  return columns;
}

std::optional<WatermarkColumnSpec> ReadWatermark(YamlMap& source, YamlContext& context) {
  const std::optional<YamlEntry> entry = source.Take("watermark");
  if (!entry) return std::nullopt;
  YamlMap map(entry->value, entry->key.mark, fmt::format("{}: 'watermark'", source.what()),
              context);
  if (!map.valid()) return std::nullopt;
  WatermarkColumnSpec spec{.mark = map.mark()};
  auto column = map.RequireText("column", "the column that holds the event time");
  if (!map.has("delay")) map.Require("delay", "how late events may come, such as 15s");
  if (const auto delay = map.TakeDurationMs("delay", 0)) spec.delay_ms = delay->value;
  if (const auto idle = map.TakeDurationMs("idle-timeout", 1)) spec.idle_timeout_ms = idle->value;
  if (const auto drift = map.TakeDurationMs("max-drift", 1)) spec.max_drift_ms = drift->value;
  map.Finish();
  if (!column) return std::nullopt;
  spec.column = std::move(*column);
  return spec;
}

constexpr const char* kOnErrorExpected = "fail, skip or { action: dead-letter, topic: NAME }";

std::optional<OnErrorSpec> ReadOnErrorMap(YamlMap& map, YamlContext& context) {
  if (!map.valid()) return std::nullopt;
  if (!map.has("action")) map.Require("action", kOnErrorExpected);
  const auto action = map.TakeChoice("action", {"fail", "skip", "dead-letter"});
  OnErrorSpec spec{.mark = map.mark()};
  if (!action) {
    map.TakeRest();  // whose they are is not known
    return std::nullopt;
  }
  if (action->value == "dead-letter") {
    spec.action = OnErrorAction::kDeadLetter;
    spec.options = ReadOptions(map, context);
    return spec;
  }
  if (action->value == "skip") spec.action = OnErrorAction::kSkip;
  map.Finish();
  return spec;
}

std::optional<OnErrorSpec> ReadOnError(YamlMap& source, YamlContext& context) {
  const std::optional<YamlEntry> entry = source.Take("on-error");
  if (!entry) return std::nullopt;
  if (entry->value.IsMap()) {
    YamlMap map(entry->value, entry->key.mark, fmt::format("{}: 'on-error'", source.what()),
                context);
    return ReadOnErrorMap(map, context);
  }
  const auto action = ReadText(entry->value, entry->key.mark, "'on-error'", context);
  if (!action) return std::nullopt;
  if (action->value != "fail" && action->value != "skip") {
    context.diagnostics->Error(action->mark, "'on-error': expected {}, found '{}'",
                               kOnErrorExpected, Shown(*action));
    return std::nullopt;
  }
  return OnErrorSpec{
      .mark = entry->key.mark,
      .action = action->value == "skip" ? OnErrorAction::kSkip : OnErrorAction::kFail};
}

}  // namespace

SourceSpec ReadSource(const YamlEntry& entry, YamlContext& context) {
  YamlMap map(entry.value, entry.key.mark, fmt::format("source '{}'", entry.key.value), context);
  SourceSpec source{.name = entry.key};
  if (!map.valid()) return source;
  if (auto connector = map.RequireText("connector", "a connector such as kafka")) {
    source.connector = std::move(*connector);
  }
  source.format = ReadFormat(map, context);
  source.on_error = ReadOnError(map, context);
  source.columns = ReadColumns(map, context);
  source.watermark = ReadWatermark(map, context);
  if (const auto count = map.TakeCount("parallelism", 1, INT32_MAX)) {
    source.parallelism = count->value;
  }
  source.options = ReadOptions(map, context);
  return source;
}

}  // namespace watershed
