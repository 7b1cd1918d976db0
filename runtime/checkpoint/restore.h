// Gives what a checkpoint holds to the subtasks of a plan, also at another parallelism. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/types/result.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/control.pb.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

struct RestoreAssignment {
  using SubtaskKey = std::pair<std::string, int32_t>;  // vertex id, subtask
  std::map<SubtaskKey, v1::SubtaskRestore> subtasks;   // those that take anything over
  // By source vertex: splits with their positions, in the order of the manifest; AssignSplits deals
  // them out, and SubtaskRestore.splits says the watermarks of those that a subtask got.
  std::map<std::string, std::vector<std::vector<v1::Split>>> splits;
};

// - Keyed state: a new subtask gets every former one whose key groups overlap its own.
// - Watermark: the minimum over the former subtasks of the vertex.
// - Splits keep their positions and watermarks.
// - Sinks: every former writer goes to exactly one subtask (writer % parallelism).
// Refused, as a user error that says what no longer fits: another number of key groups, operators
// of the checkpoint that the plan does not have, and those whose key, window or aggregates changed.
Result<RestoreAssignment> AssignRestore(const v1::CheckpointManifest& manifest,
                                        const v1::PhysicalPlan& plan);

}  // namespace watershed
