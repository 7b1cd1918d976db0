#include "wsctl/doctor/world.h"

#include "wsctl/doctor/sample.h"
#include "wsctl/doctor/target.h"

namespace watershed {

std::vector<Finding> ExamineWorld(const v1::PhysicalPlan& plan) {
  std::vector<Finding> findings;
  for (const v1::Vertex& vertex : plan.vertices()) {
    for (const v1::PlanNode& node : vertex.nodes()) {
      if (node.has_table_source_scan()) ExamineSource(plan.job_name(), node, findings);
      if (node.has_sink()) ExamineSink(plan.job_name(), node, findings);
    }
  }
  return findings;
}

}  // namespace watershed
