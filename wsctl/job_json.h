// `-o json`: shapes that scripts rely on, described in wsctl/README.md. Pure functions. Times are
// ISO 8601 UTC with milliseconds; what is not known (yet) is null, never left out.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "watershed/v1/control.pb.h"

namespace watershed {

nlohmann::ordered_json JobSummaryToJson(const v1::JobSummary& job, int64_t now_ms);
nlohmann::ordered_json JobDetailsToJson(const v1::JobDetails& job, int64_t now_ms);

// Indented, with a newline at the end; bytes that are not UTF-8 are replaced.
std::string ToText(const nlohmann::ordered_json& json);

// Since the start until the end, or until now; -1 when it has not started.
int64_t DurationMs(const v1::JobSummary& job, int64_t now_ms);

}  // namespace watershed
