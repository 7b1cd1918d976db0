// How nodes and vertices are called for people, in the manner of Flink's plans.
#pragma once

#include <string>

#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

// "GlobalWindowAggregate(window=[TUMBLE(size=[5 min])], groupBy=[host], select=[COUNT(*) AS n])"
std::string DescribeNode(const v1::PlanNode& node);

// "Source: events -> WatermarkAssigner -> (LocalWindowAggregate[a], Calc -> Sink: raw)"
std::string VertexName(const v1::Vertex& vertex);

}  // namespace watershed
