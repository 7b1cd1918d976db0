#include "runtime/operators/aggregate_schema.h"

#include <string>
#include <vector>

#include "watershed/v1/job_graph.pb.h"

namespace watershed {
namespace {

constexpr DataType kInt64{TypeKind::kInt64};

bool IsNumeric(TypeKind kind) {
  return kind == TypeKind::kInt32 || kind == TypeKind::kInt64 || kind == TypeKind::kDouble;
}

tl::unexpected<Error> TypeNotTaken(int function, DataType input, std::string_view taken) {
  return UserError("{} does not take a column of type {}; it takes {}", AggregateName(function),
                   NameOf(input), taken);
}

// Integers are summed in 64 bits (which wraps to the same 32 bits), doubles as they are.
DataType SumType(DataType input) { return input.kind == TypeKind::kDouble ? input : kInt64; }

Result<DataType> InputType(const v1::AggregateCall& call, const Schema& input) {
  const auto index = input.IndexOf(call.input_column());
  if (!index) {
    return UserError("{} ({}): the input has no column '{}'", call.output_column(),
                     AggregateName(call.function()), call.input_column());
  }
  return input.field(*index).type;
}

Status AppendPartialFields(const v1::AggregateCall& call, const std::string& name,
                           const Schema& input, std::vector<Field>& fields) {
  if (call.function() == v1::AggregateCall::COUNT_STAR) return Ok();  // "$rows" says it
  WS_ASSIGN_OR_RETURN(const DataType type, InputType(call, input));
  WS_RETURN_IF_ERROR(AggregateOutputType(call.function(), type));
  switch (call.function()) {
    case v1::AggregateCall::COUNT:
      fields.push_back({name, kInt64, true});
      break;
    case v1::AggregateCall::SUM:
      fields.push_back({name, SumType(type), false});
      break;
    case v1::AggregateCall::AVG:
      fields.push_back({name + "_sum", SumType(type), true});
      fields.push_back({name + "_count", kInt64, true});
      break;
    default:  // MIN, MAX
      fields.push_back({name, type, false});
  }
  return Ok();
}

}  // namespace

std::string AggregateName(int function) {
  switch (function) {
    case v1::AggregateCall::COUNT_STAR:
    case v1::AggregateCall::COUNT:
      return "count";
    case v1::AggregateCall::SUM:
      return "sum";
    case v1::AggregateCall::MIN:
      return "min";
    case v1::AggregateCall::MAX:
      return "max";
    case v1::AggregateCall::AVG:
      return "avg";
    default:
      return fmt::format("aggregate function {}", function);
  }
}

Result<DataType> AggregateOutputType(int function, std::optional<DataType> input) {
  if (function == v1::AggregateCall::COUNT_STAR) return kInt64;
  if (!input) return UserError("{} needs a column", AggregateName(function));
  switch (function) {
    case v1::AggregateCall::COUNT:
      return kInt64;
    case v1::AggregateCall::SUM:
    case v1::AggregateCall::AVG:
      if (!IsNumeric(input->kind)) return TypeNotTaken(function, *input, "int, bigint, double");
      return *input;
    case v1::AggregateCall::MIN:
    case v1::AggregateCall::MAX:
      if (!IsNumeric(input->kind) && input->kind != TypeKind::kTimestampMs) {
        return TypeNotTaken(function, *input, "int, bigint, double, timestamp");
      }
      return *input;
    default:
      return UserError("{} is not known; count, sum, min, max and avg are",
                       AggregateName(function));
  }
}

Result<Schema> PartialAggregateSchema(const v1::WindowAggregate& aggregate, const Schema& input) {
  std::vector<Field> fields;
  for (const std::string& key : aggregate.keys()) {
    const auto index = input.IndexOf(key);
    if (!index) return UserError("the input has no key column '{}'", key);
    fields.push_back(input.field(*index));
  }
  fields.push_back({"$window_end", {TypeKind::kTimestampMs}, true});
  fields.push_back({"$rows", kInt64, true});
  for (int i = 0; i < aggregate.aggregates_size(); ++i) {
    WS_RETURN_IF_ERROR(
        AppendPartialFields(aggregate.aggregates(i), fmt::format("$agg{}", i), input, fields));
  }
  return Schema(std::move(fields));
}

}  // namespace watershed
