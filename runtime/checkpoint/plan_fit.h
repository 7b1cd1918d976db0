// Whether what a checkpoint holds can be taken over by a plan: the state of an operator means
// something only together with its keys, window and aggregates.
#pragma once

#include "runtime/types/result.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

// A user error lists everything that does not fit, as "operator 'sessions': key: [ip STRING] ->
// [host STRING]". What holds nothing may change or go; what is new begins empty. With
// allow_non_restored_state operators that hold something may go too.
Status CheckPlanFits(const v1::CheckpointManifest& manifest, const v1::PhysicalPlan& plan,
                     const v1::RestoreOptions& options = {});

}  // namespace watershed
