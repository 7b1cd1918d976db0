#include "runtime/operators/window_spec.h"

#include <utility>

#include "runtime/operators/aggregate_schema.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {
namespace {

Result<AggregateFunction> FunctionFromProto(int function) {
  switch (function) {
    case v1::AggregateCall::COUNT_STAR:
      return AggregateFunction::kCountStar;
    case v1::AggregateCall::COUNT:
      return AggregateFunction::kCount;
    case v1::AggregateCall::SUM:
      return AggregateFunction::kSum;
    case v1::AggregateCall::MIN:
      return AggregateFunction::kMin;
    case v1::AggregateCall::MAX:
      return AggregateFunction::kMax;
    case v1::AggregateCall::AVG:
      return AggregateFunction::kAvg;
    default:
      return InternalError("aggregate function {} is not known", function);
  }
}

Result<int> ColumnOf(const Schema& schema, const std::string& name) {
  const auto index = schema.IndexOf(name);
  if (!index) return InternalError("the input has no column '{}'", name);
  return *index;
}

Status SetWindow(const v1::Window& window, WindowSpec& spec) {
  if (window.has_session()) {
    spec.session = true;
    spec.gap_ms = window.session().gap_ms();
    if (spec.gap_ms <= 0) return UserError("a session's gap must be positive");
    spec.description = fmt::format("SESSION(gap={} ms)", spec.gap_ms);
  } else if (window.has_tumbling()) {
    spec.size_ms = window.tumbling().size_ms();
    spec.offset_ms = window.tumbling().offset_ms();
    if (spec.size_ms <= 0) return UserError("a tumbling window's size must be positive");
    spec.description =
        fmt::format("TUMBLE(size={} ms, offset={} ms)", spec.size_ms, spec.offset_ms);
  } else {
    return InternalError("a window aggregate without a window");
  }
  return Ok();
}

Status SetKeys(const v1::WindowAggregate& aggregate, const Schema& input, WindowSpec& spec) {
  spec.description += " KEYS(";
  for (const std::string& key : aggregate.keys()) {
    WS_ASSIGN_OR_RETURN(const int column, ColumnOf(input, key));
    spec.key_columns.push_back(column);
    spec.key_types.push_back(input.field(column).type);
    spec.description += fmt::format("{} {},", key, NameOf(spec.key_types.back()));
  }
  spec.description += ")";
  return Ok();
}

// A call over values finds its column by name; over partials by position, behind "$rows".
Status SetAggregates(const v1::WindowAggregate& aggregate, WindowInput kind, const Schema& input,
                     WindowSpec& spec) {
  std::vector<AggregateCallSpec> calls;
  const int rows_column = static_cast<int>(spec.key_columns.size()) + 1;
  int partial = rows_column + 1;
  for (const v1::AggregateCall& proto : aggregate.aggregates()) {
    AggregateCallSpec call;
    WS_ASSIGN_OR_RETURN(call.function, FunctionFromProto(proto.function()));
    if (call.function != AggregateFunction::kCountStar) {
      if (kind == WindowInput::kRows) {
        WS_ASSIGN_OR_RETURN(call.column, ColumnOf(input, proto.input_column()));
        WS_RETURN_IF_ERROR(AggregateOutputType(proto.function(), input.field(call.column).type));
      } else {
        call.column = partial;
        partial += call.function == AggregateFunction::kAvg ? 2 : 1;
        if (partial > input.num_fields()) return InternalError("a partial column is missing");
      }
      call.input = input.field(call.column).type;
    }
    spec.description += fmt::format(" {}({})", v1::AggregateCall::Function_Name(proto.function()),
                                    proto.input_column());
    calls.push_back(call);
  }
  spec.aggregates = kind == WindowInput::kRows
                        ? Aggregates::OverRows(std::move(calls))
                        : Aggregates::OverPartials(std::move(calls), rows_column);
  return Ok();
}

Status CheckField(const Schema& output, int index, DataType type, std::string_view what) {
  if (output.field(index).type == type) return Ok();
  return InternalError("output column '{}' is {}, but {} is {}", output.field(index).name,
                       NameOf(output.field(index).type), what, NameOf(type));
}

bool SumsInto(DataType input, DataType output) {
  const auto integer = [](DataType type) {
    return type.kind == TypeKind::kInt32 || type.kind == TypeKind::kInt64;
  };
  return input == output || (integer(input) && integer(output));
}

Status SetOutput(const v1::WindowAggregate& aggregate, SchemaPtr output, WindowSpec& spec) {
  spec.emits_start = !aggregate.window_start_column().empty();
  spec.emits_end = !aggregate.window_end_column().empty();
  const auto keys = static_cast<int>(spec.key_types.size());
  int at = keys + (spec.emits_start ? 1 : 0) + (spec.emits_end ? 1 : 0);
  const auto& calls = spec.aggregates.calls();
  if (output->num_fields() != at + static_cast<int>(calls.size())) {
    return InternalError("the output has {} columns instead of {}", output->num_fields(),
                         at + static_cast<int>(calls.size()));
  }
  for (int i = 0; i < keys; ++i) {
    WS_RETURN_IF_ERROR(CheckField(*output, i, spec.key_types[static_cast<size_t>(i)], "the key"));
  }
  for (int i = keys; i < at; ++i) {
    WS_RETURN_IF_ERROR(CheckField(*output, i, {TypeKind::kTimestampMs}, "a window's bound"));
  }
  for (const AggregateCallSpec& call : calls) {
    const bool count = call.function == AggregateFunction::kCountStar ||
                       call.function == AggregateFunction::kCount;
    const DataType expected = count ? DataType{TypeKind::kInt64} : call.input;
    if (count || !SumsInto(expected, output->field(at).type)) {
      WS_RETURN_IF_ERROR(CheckField(*output, at, expected, "the aggregate"));
    }
    ++at;
  }
  spec.output = std::move(output);
  return Ok();
}

}  // namespace

Result<WindowSpec> MakeWindowSpec(const v1::WindowAggregate& aggregate, WindowInput kind,
                                  const Schema& input, SchemaPtr output) {
  WindowSpec spec;
  WS_RETURN_IF_ERROR(SetWindow(aggregate.window(), spec));
  if (spec.session && kind == WindowInput::kPartials) {
    return InternalError("session windows have no partials");
  }
  if (kind == WindowInput::kRows && !input.event_time_index()) {
    return InternalError("the input has no event time");
  }
  WS_RETURN_IF_ERROR(SetKeys(aggregate, input, spec));
  WS_RETURN_IF_ERROR(SetAggregates(aggregate, kind, input, spec));
  WS_RETURN_IF_ERROR(SetOutput(aggregate, std::move(output), spec));
  spec.late_to_side_output = aggregate.late_to_side_output();
  return spec;
}

Result<WindowSpec> MakeLocalWindowSpec(const v1::WindowAggregate& aggregate, const Schema& input) {
  WindowSpec spec;
  WS_RETURN_IF_ERROR(SetWindow(aggregate.window(), spec));
  if (spec.session) return InternalError("session windows have no local part");
  if (!input.event_time_index()) return InternalError("the input has no event time");
  WS_RETURN_IF_ERROR(SetKeys(aggregate, input, spec));
  WS_RETURN_IF_ERROR(SetAggregates(aggregate, WindowInput::kRows, input, spec));
  WS_ASSIGN_OR_RETURN(Schema partials, PartialAggregateSchema(aggregate, input));
  spec.output = std::make_shared<const Schema>(std::move(partials));
  return spec;
}

}  // namespace watershed
