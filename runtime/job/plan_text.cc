#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/job/physical_planner.h"
#include "runtime/job/redact.h"
#include "runtime/types/schema_proto.h"

namespace watershed {
namespace {

// "[ip string, event_time timestamp not null (event time)]"
std::string SchemaText(const v1::Schema& schema) {
  std::vector<std::string> fields;
  for (int i = 0; i < schema.fields_size(); ++i) {
    const v1::Field& field = schema.fields(i);
    const Result<DataType> type = DataTypeFromProto(field.type());
    const bool event_time = schema.has_event_time_index() && schema.event_time_index() == i;
    fields.push_back(fmt::format("{} {}{}{}", field.name(), type ? NameOf(*type) : "?",
                                 field.not_null() ? " not null" : "",
                                 event_time ? " (event time)" : ""));
  }
  return fmt::format("[{}]", fmt::join(fields, ", "));
}

std::string OptionsText(const google::protobuf::Map<std::string, std::string>& options) {
  const std::map<std::string, std::string> sorted(options.begin(), options.end());
  std::string text;
  for (const auto& [name, value] : sorted) text += fmt::format(" {}={}", name, value);
  return text;
}

std::string FormatText(const v1::Format& format) {
  if (format.name().empty()) return "";
  std::string text = fmt::format("      format {}{}", format.name(), OptionsText(format.options()));
  for (const v1::FormatColumn& column : format.columns()) {
    text += fmt::format(" {}:", column.column());
    if (!column.path().empty()) text += fmt::format(" path={}", column.path());
    const v1::TimestampFormat& timestamp = column.timestamp();
    if (timestamp.has_pattern()) text += fmt::format(" pattern={}", timestamp.pattern());
    if (timestamp.has_epoch()) {
      text += fmt::format(" epoch={}", v1::TimestampFormat::EpochUnit_Name(timestamp.epoch()));
    }
  }
  return text + "\n";
}

std::string NodeText(const v1::PlanNode& node) {
  std::string text = "  " + node.id();
  for (const v1::NodeInput& input : node.inputs()) {
    text += fmt::format(" <- {}{}{}", input.node_id(), input.side_output().empty() ? "" : ".",
                        input.side_output());
  }
  text += fmt::format("\n      {}\n", node.name());
  if (node.has_table_source_scan()) {
    const v1::TableSourceScan& scan = node.table_source_scan();
    text += fmt::format("      {}{} on-error={}\n", scan.connector().name(),
                        OptionsText(scan.connector().options()),
                        v1::OnError::Action_Name(scan.on_error().action()));
    text += FormatText(scan.format());
  }
  if (node.has_sink()) {
    text += fmt::format("      {}{}\n", node.sink().connector().name(),
                        OptionsText(node.sink().connector().options()));
    text += FormatText(node.sink().format());
    return text;
  }
  return text + fmt::format("      {}\n", SchemaText(node.output_schema()));
}

}  // namespace

std::string ToText(const v1::PhysicalPlan& plan) {
  const v1::PhysicalPlan shown = Redact(plan);
  std::string text =
      fmt::format("Job {}, max parallelism {}\n", shown.job_name(), shown.max_parallelism());
  for (const v1::Vertex& vertex : shown.vertices()) {
    text += fmt::format("Vertex {} x{}: {}\n", vertex.id(), vertex.parallelism(), vertex.name());
    for (const v1::PlanNode& node : vertex.nodes()) text += NodeText(node);
  }
  for (const v1::Edge& edge : shown.edges()) {
    text += fmt::format("Edge {}{}{} => {} by columns [{}] of {}\n", edge.source_node_id(),
                        edge.side_output().empty() ? "" : ".", edge.side_output(),
                        edge.target_node_id(), fmt::join(edge.key_columns(), ", "),
                        SchemaText(edge.schema()));
  }
  return text;
}

}  // namespace watershed
