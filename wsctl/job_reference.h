// How people name a job on the command line.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "watershed/v1/control.pb.h"
#include "wsctl/exit_code.h"

namespace watershed {

class JobClient;

// The id of the job meant by `reference`, in this order: a whole id; the name of the only job of
// that name (of those that have not ended, if any has not); a prefix of exactly one id. A failure
// (kFailed) says that there is none, or lists the candidates.
Outcome<std::string> ResolveJob(std::string_view reference, std::span<const v1::JobSummary> jobs);

// The same, asking the JobManager for its jobs.
Outcome<std::string> FindJobId(JobClient& client, const std::string& reference);

// The TaskManager of this id, or the only one whose id begins so.
Outcome<v1::TaskManagerDetails> ResolveTaskManager(
    std::string_view reference, std::span<const v1::TaskManagerDetails> task_managers);

}  // namespace watershed
