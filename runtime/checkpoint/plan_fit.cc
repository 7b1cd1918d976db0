#include "runtime/checkpoint/plan_fit.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connectors/option_values.h"
#include "runtime/job/nearest_name.h"

namespace watershed {
namespace {

using Nodes = std::map<std::string, const v1::PlanNode*>;
// Aspects of an operator that its state depends on, as texts that can be compared and shown.
using Traits = std::vector<std::pair<std::string, std::string>>;

Nodes NodesById(const v1::PhysicalPlan& plan) {
  Nodes nodes;
  for (const v1::Vertex& vertex : plan.vertices()) {
    for (const v1::PlanNode& node : vertex.nodes()) nodes[node.id()] = &node;
  }
  return nodes;
}

std::string TypeText(const v1::DataType& type) { return v1::DataType::Kind_Name(type.kind()); }

std::string ColumnText(const v1::Schema& schema, const std::string& name) {
  for (const v1::Field& field : schema.fields()) {
    if (field.name() == name) return name + " " + TypeText(field.type());
  }
  return name;
}

std::string WindowText(const v1::Window& window) {
  if (window.has_session()) return fmt::format("session, gap {} ms", window.session().gap_ms());
  return fmt::format("tumbling, size {} ms, offset {} ms", window.tumbling().size_ms(),
                     window.tumbling().offset_ms());
}

Traits WindowTraits(const v1::WindowAggregate& aggregate, const v1::Schema& input) {
  std::vector<std::string> keys, calls;
  for (const std::string& key : aggregate.keys()) keys.push_back(ColumnText(input, key));
  for (const v1::AggregateCall& call : aggregate.aggregates()) {
    calls.push_back(fmt::format("{}({}) {}", v1::AggregateCall::Function_Name(call.function()),
                                call.input_column(), TypeText(call.output_type())));
  }
  return {{"key", fmt::format("[{}]", fmt::join(keys, ", "))},
          {"window", WindowText(aggregate.window())},
          {"aggregates", fmt::format("[{}]", fmt::join(calls, ", "))}};
}

Traits SinkTraits(const v1::PlanNode& node) {
  std::vector<std::string> columns;
  for (const v1::Field& field : node.input_schema().fields()) {
    columns.push_back(field.name() + " " + TypeText(field.type()));
  }
  return {{"connector", node.sink().connector().name()},
          {"columns", fmt::format("[{}]", fmt::join(columns, ", "))}};
}

Traits TraitsOf(const v1::PlanNode& node) {
  switch (node.kind_case()) {
    case v1::PlanNode::kGlobalWindowAggregate:
      return WindowTraits(node.global_window_aggregate().aggregate(), node.input_schema());
    case v1::PlanNode::kWindowAggregate:
      return WindowTraits(node.window_aggregate().aggregate(), node.input_schema());
    case v1::PlanNode::kSink:
      return SinkTraits(node);
    case v1::PlanNode::kTableSourceScan:
      return {{"connector", node.table_source_scan().connector().name()}};
    default:
      return {{"kind", node.name().substr(0, node.name().find('('))}};
  }
}

// What one operator holds, over all its subtasks.
struct Held {
  bool segments = false;         // unconfirmed ones of a sink
  int64_t unconfirmed_rows = 0;  // in those
  std::set<std::string> topics;  // of a source's splits
};

std::map<std::string, Held> HeldByOperator(const v1::CheckpointManifest& manifest) {
  std::map<std::string, Held> held;
  std::map<std::string, std::string> heads;  // of vertices
  for (const v1::Vertex& vertex : manifest.plan().vertices()) {
    if (vertex.nodes_size() > 0) heads[vertex.id()] = vertex.nodes(0).id();
  }
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    for (const v1::OperatorSnapshot& op : part.operators()) held[op.operator_id()];
    for (const v1::SinkSnapshot& sink : part.sinks()) {
      Held& of_sink = held[sink.operator_id()];
      of_sink.segments |= sink.unconfirmed_size() > 0;
      for (const v1::SegmentRef& segment : sink.unconfirmed()) {
        of_sink.unconfirmed_rows += segment.rows();
      }
    }
    for (const v1::SplitSnapshot& split : part.splits()) {
      held[heads[part.vertex_id()]].topics.insert(split.topic());
    }
  }
  return held;
}

// What the job calls it now, if it was only given another name: a new operator of its kind.
std::string NewNameOf(const v1::PlanNode& absent, const Nodes& before, const Nodes& after) {
  std::vector<std::string_view> added;
  for (const auto& [id, node] : after) {
    const bool is_alike = node->kind_case() == absent.kind_case();
    if (is_alike && !before.contains(id)) added.push_back(id);
  }
  const std::string_view nearest = NearestName(absent.id(), added);
  if (nearest.empty() && added.size() == 1) return std::string(added.front());
  return std::string(nearest);
}

std::string AbsentText(const std::string& id, const Held& held, const std::string& new_name) {
  std::string text = fmt::format("operator '{}': the job does not have it any more", id);
  if (held.segments) {
    text +=
        fmt::format(", and {} rows that are not written yet would be lost", held.unconfirmed_rows);
  }
  if (!new_name.empty()) {
    text += fmt::format("; '{}' is new: state belongs to a name, and is lost with it", new_name);
  }
  return text;
}

void CompareTraits(const std::string& id, const Held& held, const v1::PlanNode& before,
                   const v1::PlanNode& after, std::vector<std::string>* problems) {
  const Traits old_traits = TraitsOf(before), new_traits = TraitsOf(after);
  if (old_traits.size() != new_traits.size() || before.has_sink() != after.has_sink()) {
    problems->push_back(fmt::format("operator '{}': {} -> {}", id, before.name(), after.name()));
    return;
  }
  for (size_t i = 0; i < old_traits.size(); ++i) {
    const auto& [aspect, text] = old_traits[i];
    // Only rows that are still to be written tie a sink to its columns.
    if (aspect == "columns" && !held.segments) continue;
    if (new_traits[i] == old_traits[i]) continue;
    problems->push_back(
        fmt::format("operator '{}': {}: {} -> {}", id, aspect, text, new_traits[i].second));
  }
}

// Positions in a topic that the source reads no longer would be lost without a word.
void CheckTopics(const std::string& id, const Held& held, const v1::PlanNode& after,
                 std::vector<std::string>* problems) {
  const auto& options = after.table_source_scan().connector().options();
  const auto option = options.find("topic");
  if (option == options.end()) return;
  const std::vector<std::string> topics = SplitList(option->second, ';');
  for (const std::string& topic : held.topics) {
    if (topic.empty() || std::ranges::find(topics, topic) != topics.end()) continue;
    problems->push_back(
        fmt::format("operator '{}': topic: '{}' -> [{}]", id, topic, fmt::join(topics, ", ")));
  }
}

}  // namespace

Status CheckPlanFits(const v1::CheckpointManifest& manifest, const v1::PhysicalPlan& plan,
                     const v1::RestoreOptions& options) {
  std::vector<std::string> problems;
  bool only_absent = true;
  if (manifest.plan().max_parallelism() != plan.max_parallelism()) {
    problems.push_back(fmt::format("number of key groups (max-parallelism): {} -> {}",
                                   manifest.plan().max_parallelism(), plan.max_parallelism()));
    only_absent = false;
  }
  const Nodes before = NodesById(manifest.plan()), after = NodesById(plan);
  for (const auto& [id, held] : HeldByOperator(manifest)) {
    const auto old_node = before.find(id), new_node = after.find(id);
    if (old_node == before.end()) {
      return InternalError(
          "the manifest of checkpoint {} has state of operator '{}', which its own "
          "plan does not have",
          manifest.checkpoint_id(), id);
    }
    if (new_node == after.end()) {
      if (!options.allow_non_restored_state()) {
        problems.push_back(AbsentText(id, held, NewNameOf(*old_node->second, before, after)));
      }
      continue;
    }
    const size_t before_it = problems.size();
    CompareTraits(id, held, *old_node->second, *new_node->second, &problems);
    CheckTopics(id, held, *new_node->second, &problems);
    only_absent &= problems.size() == before_it;
  }
  if (problems.empty()) return Ok();
  return UserError(
      "the state of job {} at checkpoint {} does not fit this job (then -> now):\n  {}\n"
      "change these back, {}",
      manifest.job_id(), manifest.checkpoint_id(), fmt::join(problems, "\n  "),
      only_absent ? "or give up what they hold with --allow-non-restored-state"
                  : "or start the job without this state");
}

}  // namespace watershed
