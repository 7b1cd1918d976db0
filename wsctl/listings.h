// What `get` shows of each kind of thing. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/status/job_status.h"
#include "watershed/v1/control.pb.h"
#include "wsctl/listing.h"

namespace watershed {

Listing ListJobs(std::span<const v1::JobSummary> jobs, bool with_ended, int64_t now_ms);
// One job as a line, for a watch.
Listing ListJob(const v1::JobDetails& job, int64_t now_ms);
// These are over when the job is.
Listing ListCheckpoints(const v1::JobDetails& job);
Listing ListVertices(const v1::JobDetails& job);
Listing ListSubtasks(const v1::JobDetails& job);
Listing ListTaskManagers(std::span<const v1::TaskManagerDetails> task_managers);

// For people: "1,234", "1,234+" when some subtasks have not told theirs, "–" when none has.
std::string CountText(const PartialSum& sum);
std::string WatermarkOrDash(int64_t watermark_ms);
// "2026-11-21 10:30:00", UTC; "–" for none.
std::string ShortTime(int64_t epoch_ms);
// "12.3 MB"
std::string HumanBytes(int64_t bytes);

}  // namespace watershed
