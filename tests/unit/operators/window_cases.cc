#include "tests/unit/operators/window_cases.h"

#include <gtest/gtest.h>

#include "runtime/operators/aggregate_schema.h"
#include "runtime/operators/local_window_aggregate.h"
#include "runtime/operators/window_aggregate.h"

namespace watershed::test {
namespace {

constexpr DataType kTimestamp{TypeKind::kTimestampMs};

OperatorCase::MakeOperator Single(const v1::WindowAggregate& aggregate, WindowInput kind,
                                  SchemaPtr input) {
  return [=]() -> Result<std::unique_ptr<Operator>> {
    WS_ASSIGN_OR_RETURN(WindowSpec spec,
                        MakeWindowSpec(aggregate, kind, *input, OutputSchemaOf(aggregate)));
    spec.fire_slice_keys = 2;
    spec.emit_rows = 3;
    return MakeWindowAggregate(std::move(spec), kind);
  };
}

std::vector<int> KeyColumns(const v1::WindowAggregate& aggregate) {
  std::vector<int> columns;
  for (const std::string& key : aggregate.keys()) columns.push_back(*EventSchema()->IndexOf(key));
  return columns;
}

}  // namespace

SchemaPtr EventSchema() {
  static const auto schema =
      std::make_shared<const Schema>(std::vector<Field>{{"ip", {TypeKind::kString}},
                                                        {"host", {TypeKind::kString}},
                                                        {"t", kTimestamp, true},
                                                        {"i", {TypeKind::kInt32}},
                                                        {"l", {TypeKind::kInt64}},
                                                        {"d", {TypeKind::kDouble}}},
                                     2);
  return schema;
}

v1::WindowAggregate SessionBy(std::vector<std::string> keys, int64_t gap_ms) {
  v1::WindowAggregate aggregate;
  aggregate.mutable_window()->mutable_session()->set_gap_ms(gap_ms);
  for (std::string& key : keys) aggregate.add_keys(std::move(key));
  aggregate.set_window_start_column("s");
  aggregate.set_window_end_column("e");
  return aggregate;
}

v1::WindowAggregate TumbleBy(std::vector<std::string> keys, int64_t size_ms, int64_t offset_ms) {
  v1::WindowAggregate aggregate = SessionBy(std::move(keys), 1);
  auto* tumbling = aggregate.mutable_window()->mutable_tumbling();
  tumbling->set_size_ms(size_ms);
  tumbling->set_offset_ms(offset_ms);
  return aggregate;
}

void AddCall(v1::WindowAggregate& aggregate, v1::AggregateCall::Function function,
             const std::string& column) {
  const int index = aggregate.aggregates_size();
  v1::AggregateCall& call = *aggregate.add_aggregates();
  call.set_function(function);
  call.set_input_column(column);
  call.set_output_column(fmt::format("a{}", index));
}

void AddEveryCall(v1::WindowAggregate& aggregate) {
  AddCall(aggregate, v1::AggregateCall::COUNT_STAR);
  for (const char* column : {"i", "l", "d"}) {
    AddCall(aggregate, v1::AggregateCall::COUNT, column);
    AddCall(aggregate, v1::AggregateCall::SUM, column);
    AddCall(aggregate, v1::AggregateCall::MIN, column);
    AddCall(aggregate, v1::AggregateCall::MAX, column);
    AddCall(aggregate, v1::AggregateCall::AVG, column);
  }
  AddCall(aggregate, v1::AggregateCall::MIN, "t");
  AddCall(aggregate, v1::AggregateCall::MAX, "t");
  AddCall(aggregate, v1::AggregateCall::COUNT, "host");
}

SchemaPtr OutputSchemaOf(const v1::WindowAggregate& aggregate) {
  std::vector<Field> fields;
  for (const std::string& key : aggregate.keys()) {
    fields.push_back(EventSchema()->field(*EventSchema()->IndexOf(key)));
  }
  if (!aggregate.window_start_column().empty()) fields.push_back({"s", kTimestamp, true});
  if (!aggregate.window_end_column().empty()) fields.push_back({"e", kTimestamp, true});
  for (const v1::AggregateCall& call : aggregate.aggregates()) {
    std::optional<DataType> input;
    if (const auto index = EventSchema()->IndexOf(call.input_column())) {
      input = EventSchema()->field(*index).type;
    }
    fields.push_back({call.output_column(), AggregateOutputType(call.function(), input).value()});
  }
  return std::make_shared<const Schema>(std::move(fields));
}

OperatorCase SingleCase(const v1::WindowAggregate& aggregate) {
  OperatorCase made;
  made.chain = {Single(aggregate, WindowInput::kRows, EventSchema())};
  made.key_columns = KeyColumns(aggregate);
  made.side_output_connected = aggregate.late_to_side_output();
  return made;
}

OperatorCase LocalGlobalCase(const v1::WindowAggregate& aggregate) {
  OperatorCase made;
  const auto partials =
      std::make_shared<const Schema>(PartialAggregateSchema(aggregate, *EventSchema()).value());
  made.chain = {[=]() -> Result<std::unique_ptr<Operator>> {
                  WS_ASSIGN_OR_RETURN(WindowSpec spec,
                                      MakeLocalWindowSpec(aggregate, *EventSchema()));
                  return MakeLocalWindowAggregate(std::move(spec));
                },
                Single(aggregate, WindowInput::kPartials, partials)};
  made.key_columns = KeyColumns(aggregate);
  return made;
}

}  // namespace watershed::test
