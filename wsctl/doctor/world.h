// The examiner that asks the real world, with the connectors that the job would use.
#pragma once

#include "wsctl/doctor/findings.h"

namespace watershed {

// Blocks. An outside system that does not answer is a finding, like all that is wrong.
std::vector<Finding> ExamineWorld(const v1::PhysicalPlan& plan);

}  // namespace watershed
