#include <algorithm>
#include <utility>

#include "runtime/job/node_resolver.h"
#include "runtime/operators/aggregate_schema.h"
#include "runtime/types/schema_proto.h"

namespace watershed {
namespace {

// Collects output fields; two of one name are an error.
class OutputFields {
 public:
  OutputFields(std::string what, DiagnosticList& diagnostics)
      : what_(std::move(what)), diagnostics_(diagnostics) {}

  void Add(const MarkedText& name, DataType type, bool not_null) {
    const auto same = [&](const Field& field) { return field.name == name.value; };
    if (std::any_of(fields_.begin(), fields_.end(), same)) {
      diagnostics_.Error(name.mark, "{}: two output columns are named '{}'", what_, name.value);
    }
    fields_.push_back({name.value, type, not_null});
  }
  std::vector<Field> Take() { return std::move(fields_); }

 private:
  std::string what_;
  DiagnosticList& diagnostics_;
  std::vector<Field> fields_;
};

v1::AggregateCall::Function FunctionOf(const AggregateSpec& spec) {
  if (!spec.column) return v1::AggregateCall::COUNT_STAR;
  if (spec.function.value == "count") return v1::AggregateCall::COUNT;
  if (spec.function.value == "sum") return v1::AggregateCall::SUM;
  if (spec.function.value == "min") return v1::AggregateCall::MIN;
  if (spec.function.value == "max") return v1::AggregateCall::MAX;
  return v1::AggregateCall::AVG;
}

std::optional<Schema> ResolveProject(const OperatorSpec& spec, const std::string& what,
                                     const Schema& input, ResolveContext& context,
                                     v1::Project* project) {
  const int errors_before = context.diagnostics.errors();
  OutputFields fields(what, context.diagnostics);
  std::optional<int> event_time;
  for (const ProjectedColumn& column : spec.columns) {
    const auto index = FindColumn(input, column.input, what, context.diagnostics);
    if (!index) continue;
    v1::Project::Column* out = project->add_columns();
    out->set_output(column.output.value);
    out->set_input(column.input.value);
    if (index == input.event_time_index() && !event_time) event_time = project->columns_size() - 1;
    fields.Add(column.output, input.field(*index).type, input.field(*index).not_null);
  }
  if (context.diagnostics.errors() > errors_before) return std::nullopt;
  return Schema(fields.Take(), event_time);
}

void ResolveAggregates(const OperatorSpec& spec, const std::string& what, const Schema& input,
                       ResolveContext& context, v1::WindowAggregate* window, OutputFields& fields) {
  for (const AggregateSpec& aggregate : spec.aggregates) {
    std::optional<DataType> input_type;
    if (aggregate.column) {
      const auto index = FindColumn(input, *aggregate.column, what, context.diagnostics);
      if (!index) continue;
      input_type = input.field(*index).type;
    }
    const v1::AggregateCall::Function function = FunctionOf(aggregate);
    const Result<DataType> type = AggregateOutputType(function, input_type);
    if (!type) {
      context.diagnostics.Error(aggregate.function.mark, "{}: aggregate '{}': {}", what,
                                aggregate.output.value, type.error().message);
      continue;
    }
    v1::AggregateCall* call = window->add_aggregates();
    call->set_function(function);
    if (aggregate.column) call->set_input_column(aggregate.column->value);
    call->set_output_column(aggregate.output.value);
    DataTypeToProto(*type, call->mutable_output_type());
    const bool is_count =
        function == v1::AggregateCall::COUNT_STAR || function == v1::AggregateCall::COUNT;
    fields.Add(aggregate.output, *type, is_count);
  }
}

void ResolveKeys(const OperatorSpec& spec, const std::string& what, const Schema& input,
                 ResolveContext& context, v1::WindowAggregate* window, OutputFields& fields) {
  for (const MarkedText& key : spec.keys) {
    const auto index = FindColumn(input, key, what, context.diagnostics);
    if (!index) continue;
    window->add_keys(key.value);
    fields.Add(key, input.field(*index).type, input.field(*index).not_null);
  }
}

std::optional<Schema> ResolveWindow(const OperatorSpec& spec, const std::string& what,
                                    const Stream& input, ResolveContext& context,
                                    v1::WindowAggregate* window) {
  const int errors_before = context.diagnostics.errors();
  if (!input.schema->event_time_index()) {
    context.diagnostics.Error(spec.input.mark,
                              "{}: a window needs an event time, but {} has none: {}", what,
                              input.what, input.why_no_event_time);
  }
  if (spec.type == OperatorType::kTumblingWindow) {
    window->mutable_window()->mutable_tumbling()->set_size_ms(spec.size_ms);
    window->mutable_window()->mutable_tumbling()->set_offset_ms(spec.offset_ms);
  } else {
    window->mutable_window()->mutable_session()->set_gap_ms(spec.gap_ms);
  }
  constexpr DataType kTimestamp{TypeKind::kTimestampMs};
  OutputFields fields(what, context.diagnostics);
  ResolveKeys(spec, what, *input.schema, context, window, fields);
  window->set_window_start_column(spec.window_start.value);
  window->set_window_end_column(spec.window_end.value);
  fields.Add(spec.window_start, kTimestamp, true);
  fields.Add(spec.window_end, kTimestamp, true);
  ResolveAggregates(spec, what, *input.schema, context, window, fields);
  window->set_late_to_side_output(spec.late_output.has_value());
  if (context.diagnostics.errors() > errors_before) return std::nullopt;
  return Schema(fields.Take());
}

}  // namespace

void ResolveOperator(const OperatorSpec& spec, ResolveContext& context, v1::OperatorNode* node) {
  const std::string what = fmt::format("operator '{}'", spec.name.value);
  node->set_name(spec.name.value);
  if (spec.parallelism) node->set_parallelism(*spec.parallelism);
  const Stream* input = context.streams.Use(spec.input, what);
  if (input == nullptr || !input->schema) return;
  *node->mutable_input() = input->ref;
  const bool project = spec.type == OperatorType::kProject;
  std::optional<Schema> output =
      project ? ResolveProject(spec, what, *input->schema, context, node->mutable_project())
              : ResolveWindow(spec, what, *input, context, node->mutable_window_aggregate());
  if (!output || spec.incomplete) return;
  SchemaToProto(*output, node->mutable_output_schema());
  context.streams.SetSchema(spec.name.value, std::move(*output));
  if (spec.late_output) context.streams.SetSchema(spec.late_output->value, *input->schema);
}

}  // namespace watershed
