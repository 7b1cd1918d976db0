#include <utility>

#include "runtime/job/spec_reader.h"

namespace watershed {
namespace {

// `target: input`, or `target: { column: input, pattern: … }` where the payload needs more.
std::optional<SinkColumnSpec> ReadColumn(const YamlEntry& entry, YamlContext& context) {
  const std::string what = fmt::format("column '{}'", entry.key.value);
  SinkColumnSpec column{.target = entry.key};
  if (!entry.value.IsMap()) {
    auto input = ReadText(entry.value, entry.key.mark, what, context);
    if (!input) return std::nullopt;
    column.input = std::move(*input);
    return column;
  }
  YamlMap map(entry.value, entry.key.mark, what, context);
  column.input = map.TakeText("column").value_or(entry.key);
  column.path = map.TakeText("path");
  column.timestamp = ReadTimestamp(map, context);
  map.Finish();
  return column;
}

}  // namespace

SinkSpec ReadSink(const YamlEntry& entry, YamlContext& context) {
  YamlMap map(entry.value, entry.key.mark, fmt::format("sink '{}'", entry.key.value), context);
  SinkSpec sink{.name = entry.key};
  if (!map.valid()) return sink;
  if (auto input = map.RequireText("input", "a source or an operator")) {
    sink.input = std::move(*input);
  }
  if (auto connector = map.RequireText("connector", "a connector such as postgres")) {
    sink.connector = std::move(*connector);
  }
  sink.format = ReadFormat(map, context);
  if (const std::optional<YamlEntry> columns = map.Take("columns")) {
    YamlMap entries(columns->value, columns->key.mark, fmt::format("{}: 'columns'", map.what()),
                    context);
    for (const YamlEntry& column : entries.TakeRest()) {
      CheckColumnName(column.key, context);
      if (auto spec = ReadColumn(column, context)) sink.columns.push_back(std::move(*spec));
    }
    if (entries.valid() && columns->value.size() == 0) {
      context.diagnostics->Error(columns->key.mark, "{}: expected at least one column",
                                 entries.what());
    }
  }
  sink.options = ReadOptions(map, context);
  return sink;
}

}  // namespace watershed
