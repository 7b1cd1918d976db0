// A sink, as doctor examines it: can it be reached, do its rows fit, may they be written?
#pragma once

#include <string>
#include <vector>

#include "wsctl/doctor/findings.h"

namespace watershed {

void ExamineSink(const std::string& job_name, const v1::PlanNode& node,
                 std::vector<Finding>& findings);

}  // namespace watershed
