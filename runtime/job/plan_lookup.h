// Finding things in a plan.
#pragma once

#include <string_view>

#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

// nullptr: the plan has none of that id.
inline const v1::Vertex* FindVertex(const v1::PhysicalPlan& plan, std::string_view vertex_id) {
  for (const v1::Vertex& vertex : plan.vertices()) {
    if (vertex.id() == vertex_id) return &vertex;
  }
  return nullptr;
}

// nullptr: the vertex reads no source.
inline const v1::PlanNode* SourceNode(const v1::Vertex& vertex) {
  for (const v1::PlanNode& node : vertex.nodes()) {
    if (node.has_table_source_scan()) return &node;
  }
  return nullptr;
}

}  // namespace watershed
