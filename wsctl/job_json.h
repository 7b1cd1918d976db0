// `-o json`: shapes that scripts rely on, described in wsctl/README.md. Pure functions. Times are
// ISO 8601 UTC with milliseconds; what is not known (yet) is null, never left out.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "runtime/status/job_status.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

nlohmann::ordered_json JobSummaryToJson(const v1::JobSummary& job, int64_t now_ms);
nlohmann::ordered_json JobDetailsToJson(const v1::JobDetails& job, int64_t now_ms);
nlohmann::ordered_json VertexToJson(const VertexTotals& totals);
nlohmann::ordered_json SubtaskToJson(const v1::SubtaskStatus& subtask);
// null when there is none (id 0).
nlohmann::ordered_json CheckpointToJson(const v1::CheckpointSummary& checkpoint);
nlohmann::ordered_json TaskManagerToJson(const v1::TaskManagerDetails& task_manager);

// Flink's: IN_PROGRESS, COMPLETED, FAILED.
std::string_view NameOf(v1::CheckpointSummary::Status status);

// Indented, with a newline at the end; bytes that are not UTF-8 are replaced.
std::string ToText(const nlohmann::ordered_json& json);

// Since the start until the end, or until now; -1 when it has not started.
int64_t DurationMs(const v1::JobSummary& job, int64_t now_ms);

}  // namespace watershed
