#include <algorithm>
#include <utility>

#include "runtime/job/nearest_name.h"
#include "runtime/job/node_resolver.h"
#include "runtime/job/yaml_map.h"
#include "runtime/types/schema_proto.h"

namespace watershed {
namespace {

constexpr std::string_view kTypeNames[] = {"bool",      "int",    "bigint", "double",
                                           "timestamp", "string", "bytes"};

// nullopt if a column's type is unknown.
std::optional<std::vector<Field>> ResolveColumns(const SourceSpec& spec, ResolveContext& context,
                                                 v1::Format* format) {
  std::vector<Field> fields;
  bool complete = true;
  for (const ColumnSpec& column : spec.columns) {
    const std::optional<DataType> type = DataTypeFromName(column.type.value);
    if (!type) {
      context.diagnostics.Error(column.type.mark, "column '{}': unknown type '{}'{}",
                                column.name.value, Shown(column.type),
                                Suggestion(column.type.value, kTypeNames));
      complete = false;
      continue;
    }
    ResolvePayloadColumn(column.name, *type, column.path, column.timestamp, context, format);
    fields.push_back({column.name.value, *type, column.not_null});
  }
  if (!complete) return std::nullopt;
  return fields;
}

// Sets the watermark; the index of the event-time column, or nullopt after an error.
std::optional<int> ResolveWatermark(const WatermarkColumnSpec& spec, const Schema& schema,
                                    const std::string& what, ResolveContext& context,
                                    v1::WatermarkSpec* watermark) {
  const auto index = FindColumn(schema, spec.column, what + ": 'watermark'", context.diagnostics);
  if (!index) return std::nullopt;
  const DataType type = schema.field(*index).type;
  if (type.kind != TypeKind::kTimestampMs) {
    context.diagnostics.Error(
        spec.column.mark, "{}: 'watermark': column '{}' is a {}; event time must be a timestamp",
        what, spec.column.value, NameOf(type));
    return std::nullopt;
  }
  watermark->set_column(spec.column.value);
  watermark->set_delay_ms(spec.delay_ms);
  if (spec.idle_timeout_ms) watermark->set_idle_timeout_ms(*spec.idle_timeout_ms);
  if (spec.max_drift_ms) watermark->set_max_drift_ms(*spec.max_drift_ms);
  return index;
}

// Sources of typed rows make certain columns only.
void CheckTypedColumns(const SourceSpec& spec, const ConnectorSpec& connector,
                       ResolveContext& context) {
  if (connector.source_columns.empty()) return;
  std::vector<std::string_view> names;
  names.reserve(connector.source_columns.size());
  for (const TypedColumn& column : connector.source_columns) names.push_back(column.name);
  for (const ColumnSpec& column : spec.columns) {
    const auto known = std::find(names.begin(), names.end(), column.name.value);
    if (known == names.end()) {
      context.diagnostics.Error(
          column.name.mark, "source '{}': connector '{}' has no column '{}'{}", spec.name.value,
          connector.name, column.name.value, Suggestion(column.name.value, names));
      continue;
    }
    const DataType type = connector.source_columns[static_cast<size_t>(known - names.begin())].type;
    const std::optional<DataType> declared = DataTypeFromName(column.type.value);
    if (!declared || *declared == type) continue;
    context.diagnostics.Error(column.type.mark,
                              "source '{}': column '{}' of connector '{}' is a {}", spec.name.value,
                              column.name.value, connector.name, NameOf(type));
  }
}

v1::OnError::Action OnErrorOf(const SourceSpec& spec) {
  if (!spec.on_error) return v1::OnError::FAIL;
  switch (spec.on_error->action) {
    case OnErrorAction::kSkip:
      return v1::OnError::SKIP;
    case OnErrorAction::kDeadLetter:
      return v1::OnError::DEAD_LETTER;
    case OnErrorAction::kFail:
      break;
  }
  return v1::OnError::FAIL;
}

void ResolveConnector(const SourceSpec& spec, ResolveContext& context, v1::SourceNode* node) {
  const ConnectorSpec* connector = CheckConnector(spec.connector, ConnectorUse::kSource,
                                                  context.connectors, context.diagnostics);
  if (connector == nullptr) return;
  CheckConnectorOptions(*connector, ConnectorUse::kSource, spec.name, spec.options,
                        context.diagnostics, node->mutable_connector());
  ResolveFormat(spec.format, *connector, ConnectorUse::kSource, spec.name, context,
                node->mutable_format());
  CheckTypedColumns(spec, *connector, context);
  if (spec.on_error && !connector->needs_format) {
    context.diagnostics.Error(spec.on_error->mark,
                              "source '{}': 'on-error' is about records that cannot be decoded; "
                              "connector '{}' has none",
                              spec.name.value, connector->name);
  }
}

}  // namespace

void ResolveSource(const SourceSpec& spec, ResolveContext& context, v1::SourceNode* node) {
  const std::string what = fmt::format("source '{}'", spec.name.value);
  node->set_name(spec.name.value);
  if (spec.parallelism) node->set_parallelism(*spec.parallelism);
  if (spec.format) node->mutable_format()->set_name(spec.format->name.value);
  ResolveConnector(spec, context, node);
  node->mutable_on_error()->set_action(OnErrorOf(spec));
  std::optional<std::vector<Field>> fields = ResolveColumns(spec, context, node->mutable_format());
  if (!fields || spec.incomplete) return;
  std::optional<int> event_time;
  if (spec.watermark) {
    event_time = ResolveWatermark(*spec.watermark, Schema(*fields), what, context,
                                  node->mutable_watermark());
    if (!event_time) return;
    // A row without event time has no place in any window.
    (*fields)[static_cast<size_t>(*event_time)].not_null = true;
  }
  Schema schema(std::move(*fields), event_time);
  SchemaToProto(schema, node->mutable_schema());
  context.streams.SetSchema(spec.name.value, std::move(schema));
}

}  // namespace watershed
