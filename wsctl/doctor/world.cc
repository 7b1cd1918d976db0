#include "wsctl/doctor/world.h"

#include <set>

#include "wsctl/doctor/sample.h"
#include "wsctl/doctor/target.h"

namespace watershed {

namespace {

const v1::WindowAggregate* AggregateOf(const v1::PlanNode& node) {
  if (node.has_local_window_aggregate()) return &node.local_window_aggregate().aggregate();
  if (node.has_global_window_aggregate()) return &node.global_window_aggregate().aggregate();
  return node.has_window_aggregate() ? &node.window_aggregate().aggregate() : nullptr;
}

// Nothing in a plan gives a column another name.
std::set<std::string> KeysOf(const v1::PhysicalPlan& plan) {
  std::set<std::string> keys;
  for (const v1::Vertex& vertex : plan.vertices()) {
    for (const v1::PlanNode& node : vertex.nodes()) {
      const v1::WindowAggregate* const aggregate = AggregateOf(node);
      if (aggregate != nullptr) keys.insert(aggregate->keys().begin(), aggregate->keys().end());
    }
  }
  return keys;
}

}  // namespace

std::vector<Finding> ExamineWorld(const v1::PhysicalPlan& plan) {
  const std::set<std::string> keys = KeysOf(plan);
  std::vector<Finding> findings;
  for (const v1::Vertex& vertex : plan.vertices()) {
    for (const v1::PlanNode& node : vertex.nodes()) {
      if (node.has_table_source_scan()) ExamineSource(plan.job_name(), node, keys, findings);
      if (node.has_sink()) ExamineSink(plan.job_name(), node, findings);
    }
  }
  return findings;
}

}  // namespace watershed
