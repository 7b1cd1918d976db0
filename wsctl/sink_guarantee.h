// What a job's sinks promise, for those who decide whether to rely on it.
#pragma once

#include <string>

#include "runtime/connectors/connector.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

// Of this sink in this job: without checkpoints no sink promises anything.
SinkGuarantee GuaranteeOf(const v1::JobGraph& graph, const v1::SinkNode& sink);

// When a row that has left the last operator can be seen: "within 10s and a checkpoint's own time".
std::string LatencyOf(const v1::JobGraph& graph, const SinkGuarantee& guarantee);

}  // namespace watershed
