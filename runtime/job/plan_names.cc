#include "runtime/job/plan_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/operators/aggregate_schema.h"

namespace watershed {
namespace {

// "5 min", "1 h", "1500 ms": the largest unit that divides it.
std::string DurationText(int64_t duration_ms) {
  constexpr std::pair<int64_t, std::string_view> kUnits[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1'000, "s"}};
  for (const auto& [unit_ms, name] : kUnits) {
    if (duration_ms != 0 && duration_ms % unit_ms == 0) {
      return fmt::format("{} {}", duration_ms / unit_ms, name);
    }
  }
  return duration_ms == 0 ? "0 s" : fmt::format("{} ms", duration_ms);
}

// As Flink's plans have it.
std::string UpperCase(std::string name) {
  for (char& letter : name) letter = static_cast<char>(std::toupper(letter));
  return name;
}

std::string DescribeWindow(const v1::Window& window) {
  if (window.has_session()) {
    return fmt::format("SESSION(gap=[{}])", DurationText(window.session().gap_ms()));
  }
  const v1::Window::Tumbling& tumbling = window.tumbling();
  const std::string offset = tumbling.offset_ms() == 0
                                 ? ""
                                 : fmt::format(", offset=[{}]", DurationText(tumbling.offset_ms()));
  return fmt::format("TUMBLE(size=[{}]{})", DurationText(tumbling.size_ms()), offset);
}

std::string DescribeAggregate(std::string_view kind, const v1::WindowAggregate& aggregate) {
  std::vector<std::string> calls;
  for (const v1::AggregateCall& call : aggregate.aggregates()) {
    const bool star = call.function() == v1::AggregateCall::COUNT_STAR;
    calls.push_back(fmt::format("{}({}) AS {}", UpperCase(AggregateName(call.function())),
                                star ? "*" : call.input_column(), call.output_column()));
  }
  return fmt::format("{}(window=[{}], groupBy=[{}], select=[{}]{})", kind,
                     DescribeWindow(aggregate.window()), fmt::join(aggregate.keys(), ", "),
                     fmt::join(calls, ", "),
                     aggregate.late_to_side_output() ? ", late=[output]" : "");
}

std::string FieldNames(const v1::Schema& schema) {
  std::vector<std::string_view> names;
  for (const v1::Field& field : schema.fields()) names.push_back(field.name());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string DescribeCalc(const v1::PlanNode& node) {
  std::vector<std::string> columns;
  for (int i = 0; i < node.calc().columns_size(); ++i) {
    const std::string& input = node.input_schema().fields(node.calc().columns(i)).name();
    const std::string& output = node.output_schema().fields(i).name();
    columns.push_back(input == output ? input : fmt::format("{} AS {}", input, output));
  }
  return fmt::format("Calc(select=[{}])", fmt::join(columns, ", "));
}

// One node of a vertex's name.
std::string ShortName(const v1::PlanNode& node) {
  // Generated nodes belong to the operator before the slash.
  const std::string owner = node.id().substr(0, node.id().find('/'));
  switch (node.kind_case()) {
    case v1::PlanNode::kTableSourceScan:
      return "Source: " + node.id();
    case v1::PlanNode::kWatermarkAssigner:
      return "WatermarkAssigner";
    case v1::PlanNode::kCalc:
      return "Calc";
    case v1::PlanNode::kLocalWindowAggregate:
      return fmt::format("LocalWindowAggregate[{}]", owner);
    case v1::PlanNode::kGlobalWindowAggregate:
      return fmt::format("GlobalWindowAggregate[{}]", owner);
    case v1::PlanNode::kWindowAggregate:
      return fmt::format("WindowAggregate[{}]", owner);
    case v1::PlanNode::kSink:
      return "Sink: " + node.id();
    default:
      return node.id();
  }
}

std::string ChainName(const v1::Vertex& vertex, const v1::PlanNode& node) {
  std::vector<std::string> branches;
  for (const v1::PlanNode& next : vertex.nodes()) {
    if (next.inputs_size() > 0 && next.inputs(0).node_id() == node.id()) {
      branches.push_back(ChainName(vertex, next));
    }
  }
  std::string name = ShortName(node);
  if (branches.size() == 1) name += " -> " + branches[0];
  if (branches.size() > 1) name += fmt::format(" -> ({})", fmt::join(branches, ", "));
  return name;
}

}  // namespace

std::string DescribeNode(const v1::PlanNode& node) {
  switch (node.kind_case()) {
    case v1::PlanNode::kTableSourceScan:
      return fmt::format("TableSourceScan(table=[{}], fields=[{}])", node.id(),
                         FieldNames(node.output_schema()));
    case v1::PlanNode::kWatermarkAssigner: {
      const v1::WatermarkSpec& watermark = node.watermark_assigner().watermark();
      return fmt::format("WatermarkAssigner(rowtime=[{0}], watermark=[{0} - {1}])",
                         watermark.column(), DurationText(watermark.delay_ms()));
    }
    case v1::PlanNode::kCalc:
      return DescribeCalc(node);
    case v1::PlanNode::kLocalWindowAggregate:
      return DescribeAggregate("LocalWindowAggregate", node.local_window_aggregate().aggregate());
    case v1::PlanNode::kGlobalWindowAggregate:
      return DescribeAggregate("GlobalWindowAggregate", node.global_window_aggregate().aggregate());
    case v1::PlanNode::kWindowAggregate:
      return DescribeAggregate("WindowAggregate", node.window_aggregate().aggregate());
    case v1::PlanNode::kSink:
      return fmt::format("Sink(table=[{}], fields=[{}])", node.id(),
                         FieldNames(node.input_schema()));
    default:
      return node.id();
  }
}

std::string VertexName(const v1::Vertex& vertex) { return ChainName(vertex, vertex.nodes(0)); }

}  // namespace watershed
