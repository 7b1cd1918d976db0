// How people name a job on the command line.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "watershed/v1/control.pb.h"
#include "wsctl/exit_code.h"

namespace watershed {

class JobClient;

// What the job is wanted for: where all jobs of a name have ended, the newest of them can be looked
// at, but none can be changed.
enum class JobPurpose : uint8_t { kLook, kChange };

// The id of the job meant by `reference`, in this order: a whole id; the name of the only job of
// that name (of several, the one that has not ended, else as the purpose says); a prefix of exactly
// one id. A failure (kFailed) says that there is none, or lists the candidates.
// `jobs`: the newest first.
Outcome<std::string> ResolveJob(std::string_view reference, std::span<const v1::JobSummary> jobs,
                                JobPurpose purpose);

// The same, asking the JobManager for its jobs.
Outcome<std::string> FindJobId(JobClient& client, const std::string& reference,
                               JobPurpose purpose = JobPurpose::kLook);

// The TaskManager of this id, or the only one whose id begins so.
Outcome<v1::TaskManagerDetails> ResolveTaskManager(
    std::string_view reference, std::span<const v1::TaskManagerDetails> task_managers);

}  // namespace watershed
