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
  // By source vertex and subtask: splits with their positions, as AssignSplits deals them out in
  // the order of topic, partition and id. SubtaskRestore.splits says the watermarks of the same
  // ones.
  std::map<std::string, std::vector<std::vector<v1::Split>>> splits;
  // Every subtask takes over what the same subtask had and nothing else, so that some may begin
  // with it while the others go on.
  bool keeps_places = false;
};

// - Operators are known by their ids, in whichever vertex they were and are.
// - Keyed state: a new subtask gets every former one whose key groups overlap its own. What an
//   operator holds without keys stays whole, with one subtask (former subtask % parallelism).
// - Watermark: the minimum over the former subtasks of the vertex; of a source's, those with
// splits.
// - Splits keep their positions and watermarks.
// - Sinks: every former writer goes to exactly one subtask (writer % parallelism); with `fork` to
//   none: this is another lineage, whose writers begin anew.
// Refused, as a user error that says what no longer fits (plan_fit.h): another number of key
// groups, operators of the checkpoint that the plan does not have (unless the options allow that),
// and those whose key, window or aggregates changed. A manifest that contradicts itself, or lacks a
// subtask or a key group, is an internal error.
Result<RestoreAssignment> AssignRestore(const v1::CheckpointManifest& manifest,
                                        const v1::PhysicalPlan& plan,
                                        const v1::RestoreOptions& options = {});

}  // namespace watershed
