// A source, as doctor examines it: can it be reached, and do its records fit the columns?
#pragma once

#include <set>
#include <string>
#include <vector>

#include "wsctl/doctor/findings.h"

namespace watershed {

// `keys`: columns by which the job groups rows.
void ExamineSource(const std::string& job_name, const v1::PlanNode& node,
                   const std::set<std::string>& keys, std::vector<Finding>& findings);

}  // namespace watershed
