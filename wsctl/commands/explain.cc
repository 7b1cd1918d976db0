#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/config/units.h"
#include "runtime/job/physical_planner.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_file.h"
#include "wsctl/output.h"
#include "wsctl/sink_guarantee.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

std::string Duration(int64_t ms) { return FormatDuration(std::chrono::milliseconds(ms)); }

// From 1, in the plan's order.
std::map<std::string, int> NumbersOf(const v1::PhysicalPlan& plan) {
  std::map<std::string, int> numbers;
  for (const v1::Vertex& vertex : plan.vertices()) {
    numbers.emplace(vertex.id(), static_cast<int>(numbers.size()) + 1);
  }
  return numbers;
}

std::vector<std::string> KeyOf(const v1::Edge& edge) {
  std::vector<std::string> key;
  for (const int32_t column : edge.key_columns()) {
    key.push_back(edge.schema().fields(column).name());
  }
  return key;
}

Json VertexToJson(const v1::PhysicalPlan& plan, const v1::Vertex& vertex) {
  Json nodes = Json::array();
  for (const v1::PlanNode& node : vertex.nodes()) {
    nodes.push_back({{"id", node.id()}, {"name", node.name()}});
  }
  Json inputs = Json::array();
  for (const v1::Edge& edge : plan.edges()) {
    if (edge.target_vertex_id() != vertex.id()) continue;
    inputs.push_back({{"vertex", edge.source_vertex_id()}, {"key", KeyOf(edge)}});
  }
  return {{"id", vertex.id()},
          {"name", vertex.name()},
          {"parallelism", vertex.parallelism()},
          {"inputs", std::move(inputs)},
          {"nodes", std::move(nodes)}};
}

Json SinkToJson(const v1::JobGraph& graph, const v1::SinkNode& sink) {
  const SinkGuarantee guarantee = GuaranteeOf(graph, sink);
  return {{"name", sink.name()},
          {"connector", sink.connector().name()},
          {"delivery", guarantee.delivery},
          {"delivery-meaning", guarantee.meaning},
          {"visible", LatencyOf(graph, guarantee)}};
}

Json ToJson(const v1::JobGraph& graph, const v1::PhysicalPlan& plan) {
  Json vertices = Json::array();
  for (const v1::Vertex& vertex : plan.vertices()) vertices.push_back(VertexToJson(plan, vertex));
  Json sinks = Json::array();
  for (const v1::SinkNode& sink : graph.sinks()) sinks.push_back(SinkToJson(graph, sink));
  return {{"name", graph.name()},
          {"checkpoint-interval-ms", graph.checkpointing().interval_ms()},
          {"vertices", std::move(vertices)},
          {"sinks", std::move(sinks)}};
}

void PrintVertices(std::ostream& out, const v1::PhysicalPlan& plan) {
  const std::map<std::string, int> numbers = NumbersOf(plan);
  for (const v1::Vertex& vertex : plan.vertices()) {
    out << fmt::format("\n{}. {}, parallelism {}\n", numbers.at(vertex.id()), vertex.name(),
                       vertex.parallelism());
    for (const v1::Edge& edge : plan.edges()) {
      if (edge.target_vertex_id() != vertex.id()) continue;
      const std::vector<std::string> key = KeyOf(edge);
      out << fmt::format(
          "   rows of {} by {}\n", numbers.at(edge.source_vertex_id()),
          key.empty() ? "no key: to one subtask" : fmt::format("hash of {}", fmt::join(key, ", ")));
    }
    for (const v1::PlanNode& node : vertex.nodes()) {
      out << fmt::format("   - {}: {}\n", node.id(), node.name());
    }
  }
}

void PrintSinks(std::ostream& out, const v1::JobGraph& graph) {
  for (const v1::SinkNode& sink : graph.sinks()) {
    const SinkGuarantee guarantee = GuaranteeOf(graph, sink);
    out << fmt::format("\nsink '{}' ({}): delivery {}\n   {}\n   a row can be seen {}\n",
                       sink.name(), sink.connector().name(), guarantee.delivery, guarantee.meaning,
                       LatencyOf(graph, guarantee));
  }
}

}  // namespace

Outcome<void> ExplainCommand(const CommandContext& context, const std::string& path) {
  WS_ASSIGN_OR_RETURN(const v1::JobGraph graph, LoadJob(context, path));
  PlanOptions options;
  options.parallelism = context.options.parallelism;
  const auto plan = PlanJob(graph, options);
  if (!plan) return Fail(ExitCode::kUsage, plan.error().message);
  Answer answer{.json = ToJson(graph, *plan), .names = {graph.name()}};
  answer.text = [&](std::ostream& out, bool) {
    const int64_t interval_ms = graph.checkpointing().interval_ms();
    out << fmt::format(
        "job '{}': {}\n", graph.name(),
        interval_ms == 0 ? "no checkpoints" : "a checkpoint every " + Duration(interval_ms));
    PrintVertices(out, *plan);
    PrintSinks(out, graph);
  };
  Print(context, answer);
  return {};
}

}  // namespace watershed
