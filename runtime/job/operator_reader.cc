#include <algorithm>
#include <cctype>
#include <utility>

#include "runtime/connectors/option_values.h"
#include "runtime/job/nearest_name.h"
#include "runtime/job/spec_reader.h"

namespace watershed {
namespace {

constexpr std::string_view kFunctions[] = {"count", "sum", "min", "max", "avg"};

std::vector<MarkedText> ReadNames(const YamlEntry& entry, std::string_view what,
                                  YamlContext& context) {
  std::vector<MarkedText> names;
  if (!entry.value.IsSequence()) {
    if (auto name = ReadText(entry.value, entry.key.mark, what, context)) names.push_back(*name);
    return names;
  }
  for (const YAML::Node& item : entry.value) {
    auto name = ReadText(item, entry.key.mark, what, context);
    if (!name) continue;
    const auto same = [&](const MarkedText& other) { return other.value == name->value; };
    if (std::any_of(names.begin(), names.end(), same)) {
      context.diagnostics->Error(name->mark, "{}: '{}' is given twice", what, name->value);
      continue;
    }
    names.push_back(std::move(*name));
  }
  return names;
}

// "count(*)", "sum(bytes)".
std::optional<AggregateSpec> ReadAggregate(const YamlEntry& entry, YamlContext& context) {
  const std::string what = fmt::format("aggregate '{}'", entry.key.value);
  const auto text = ReadText(entry.value, entry.key.mark, what, context);
  if (!text) return std::nullopt;
  const std::string_view call = Trim(text->value);
  const size_t open = call.find('(');
  if (open == std::string_view::npos || !call.ends_with(')')) {
    context.diagnostics->Error(text->mark,
                               "{}: expected a call such as count(*) or sum(column), found '{}'",
                               what, Shown(*text));
    return std::nullopt;
  }
  std::string function(Trim(call.substr(0, open)));
  std::transform(function.begin(), function.end(), function.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(std::begin(kFunctions), std::end(kFunctions), function) == std::end(kFunctions)) {
    context.diagnostics->Error(text->mark, "{}: unknown function '{}'{}", what, function,
                               Suggestion(function, kFunctions));
    return std::nullopt;
  }
  AggregateSpec aggregate{.output = entry.key, .function = {function, text->mark}};
  const std::string column(Trim(call.substr(open + 1, call.size() - open - 2)));
  if (column == "*" && function == "count") return aggregate;
  if (column == "*" || column.empty()) {
    context.diagnostics->Error(text->mark, "{}: {} needs a column{}", what, function,
                               function == "count" ? ", or count(*)" : "");
    return std::nullopt;
  }
  aggregate.column = MarkedText{column, text->mark};
  return aggregate;
}

void ReadAggregates(YamlMap& map, OperatorSpec& spec, YamlContext& context) {
  const auto entry = map.Require("aggregate", "a map such as { n: count(*) }");
  if (!entry) return;
  YamlMap calls(entry->value, entry->key.mark, fmt::format("{}: 'aggregate'", map.what()), context);
  const std::vector<YamlEntry> entries = calls.TakeRest();
  if (calls.valid() && entries.empty()) {
    context.diagnostics->Error(calls.mark(), "{}: expected at least one, such as n: count(*)",
                               calls.what());
  }
  for (const YamlEntry& call : entries) {
    CheckColumnName(call.key, context);
    if (auto aggregate = ReadAggregate(call, context)) spec.aggregates.push_back(*aggregate);
  }
}

void ReadLate(YamlMap& map, OperatorSpec& spec, YamlContext& context) {
  const std::optional<YamlEntry> entry = map.Take("late");
  if (!entry) return;
  if (entry->value.IsMap()) {
    YamlMap late(entry->value, entry->key.mark, fmt::format("{}: 'late'", map.what()), context);
    spec.late_output = late.RequireText("to", "a name for the late rows");
    late.Finish();
    return;
  }
  const auto text = ReadText(entry->value, entry->key.mark, "'late'", context);
  if (text && text->value != "drop") {
    context.diagnostics->Error(text->mark, "'late': expected drop or {{ to: NAME }}, found '{}'",
                               Shown(*text));
  }
}

void ReadWindow(YamlMap& map, OperatorSpec& spec, YamlContext& context) {
  const bool tumbling = spec.type == OperatorType::kTumblingWindow;
  const std::string_view length = tumbling ? "size" : "gap";
  if (!map.has(length)) map.Require(length, "a duration such as 5min");
  const auto length_ms = map.TakeDurationMs(length, 1);
  // After an error any length does: the job is refused anyway.
  (tumbling ? spec.size_ms : spec.gap_ms) = length_ms ? length_ms->value : 1;
  if (tumbling) {
    const auto offset = map.TakeDurationMs("offset", 0);
    if (offset && length_ms && offset->value >= length_ms->value) {
      context.diagnostics->Error(offset->mark, "'offset': expected less than the window's size");
    }
    if (offset) spec.offset_ms = offset->value;
  }
  if (const std::optional<YamlEntry> key = map.Take("key")) {
    spec.keys = ReadNames(*key, "'key'", context);
  }
  ReadAggregates(map, spec, context);
  spec.window_start = map.TakeText("window-start").value_or(MarkedText{"window_start", map.mark()});
  spec.window_end = map.TakeText("window-end").value_or(MarkedText{"window_end", map.mark()});
  ReadLate(map, spec, context);
  if (const auto count = map.TakeCount("parallelism", 1, INT32_MAX)) {
    spec.parallelism = count->value;
  }
}

// `columns: [a, b]` or `columns: { new: old }`.
void ReadProjection(YamlMap& map, OperatorSpec& spec, YamlContext& context) {
  const auto entry = map.Require("columns", "a list of columns, or a map of new names to old ones");
  if (!entry) return;
  const std::string what = fmt::format("{}: 'columns'", map.what());
  if (!entry->value.IsMap()) {
    for (MarkedText& name : ReadNames(*entry, what, context)) {
      spec.columns.push_back({name, std::move(name)});
    }
  } else {
    YamlMap columns(entry->value, entry->key.mark, what, context);
    for (const YamlEntry& column : columns.TakeRest()) {
      CheckColumnName(column.key, context);
      auto input = ReadText(column.value, column.key.mark, what, context);
      if (input) spec.columns.push_back({column.key, std::move(*input)});
    }
  }
  if (entry->value.size() == 0 && !entry->value.IsScalar()) {
    context.diagnostics->Error(entry->key.mark, "{}: expected at least one column", what);
  }
}

std::optional<OperatorType> ReadType(YamlMap& map) {
  if (!map.has("type")) {
    map.Require("type", "project, tumbling-window or session-window");
    return std::nullopt;
  }
  const auto type = map.TakeChoice("type", {"project", "tumbling-window", "session-window"});
  if (!type) return std::nullopt;
  if (type->value == "project") return OperatorType::kProject;
  return type->value == "tumbling-window" ? OperatorType::kTumblingWindow
                                          : OperatorType::kSessionWindow;
}

}  // namespace

OperatorSpec ReadOperator(const YamlEntry& entry, YamlContext& context) {
  YamlMap map(entry.value, entry.key.mark, fmt::format("operator '{}'", entry.key.value), context);
  OperatorSpec spec{.name = entry.key};
  if (!map.valid()) return spec;
  if (auto input = map.RequireText("input", "a source or another operator")) {
    spec.input = std::move(*input);
  }
  const std::optional<OperatorType> type = ReadType(map);
  if (!type) return spec;  // which other fields there are depends on it
  spec.type = *type;
  if (*type == OperatorType::kProject) {
    ReadProjection(map, spec, context);
  } else {
    ReadWindow(map, spec, context);
  }
  map.Finish();
  return spec;
}

}  // namespace watershed
