// A source, as doctor examines it: can it be reached, and do its records fit the columns?
#pragma once

#include <string>
#include <vector>

#include "wsctl/doctor/findings.h"

namespace watershed {

void ExamineSource(const std::string& job_name, const v1::PlanNode& node,
                   std::vector<Finding>& findings);

}  // namespace watershed
