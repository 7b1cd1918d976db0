// Job graph → physical plan. A pure function: the same graph gives the same plan, ids included.
//
// - A vertex begins at each source and at each window operator; all that needs no exchange is
// chained
//   behind it (a tree when the job branches). Projections and sinks run with their input's
//   parallelism.
// - Projection pushdown: a source reads only the columns that something downstream uses, and its
// event
//   time; an edge carries only the columns that its target needs.
// - Tumbling windows are split into a local part before the exchange and a global one behind it (as
//   Flink's two-phase aggregation), unless their late rows have an output of their own. Sessions
//   are not.
// The shape of the result is described in proto/watershed/v1/physical_plan.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/types/key_group.h"
#include "runtime/types/result.h"
#include "watershed/v1/job_graph.pb.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

struct PlanOptions {
  int32_t default_parallelism = 1;                   // parallelism.default of the cluster
  int32_t max_parallelism = kDefaultMaxParallelism;  // unless the graph says otherwise
  std::optional<int32_t> parallelism;  // -p N: replaces the job's, not a single node's
};

// A graph that refers to what it does not contain is a user error that names the node: graphs come
// over the wire too.
Result<v1::PhysicalPlan> PlanJob(const v1::JobGraph& graph, const PlanOptions& options);

// The plan as text for people and golden tests: vertices, chains, schemas, edges. Secrets redacted.
std::string ToText(const v1::PhysicalPlan& plan);

}  // namespace watershed
