// JobSpec → JobGraph: names, types and options are checked against each other, operators are put
// into topological order.
#pragma once

#include <span>

#include "runtime/connectors/connector.h"
#include "runtime/job/diagnostic_list.h"
#include "runtime/job/job_spec.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

// Reports every error it finds; the graph is of use only if there was none.
v1::JobGraph ResolveJob(const JobSpec& spec, std::span<const ConnectorSpec> connectors,
                        DiagnosticList& diagnostics);

}  // namespace watershed
