// The engine inside wsctl, for `run`: keyed state, temporary directory and metrics of one job.
#pragma once

#include <memory>

#include "runtime/engine/job_runner.h"
#include "runtime/types/result.h"

namespace watershed {

// The returned runner owns all it needs; its temporary directory (below $TMPDIR or /tmp) goes with
// it.
Result<std::unique_ptr<JobRunner>> MakeLocalJob(std::shared_ptr<const v1::PhysicalPlan> plan);

}  // namespace watershed
