#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "runtime/config/units.h"
#include "runtime/status/job_status.h"
#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_json.h"
#include "wsctl/job_reference.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

// Asks until the job has ended.
Outcome<v1::JobSummary> AwaitEnd(const CommandContext& context, JobClient& client,
                                 const std::string& job_id) {
  while (true) {
    Outcome<v1::JobDetails> job = client.Get(job_id);
    if (!job) return tl::make_unexpected(job.error());
    if (IsEnded(job->summary().state())) return job->summary();
    if (std::chrono::steady_clock::now() + kPollInterval >= client.deadline()) {
      return Fail(
          ExitCode::kTimedOut,
          fmt::format("job {} is still {} after {}; it goes on cancelling. See: wsctl get "
                      "{:.8}",
                      job_id, NameOf(job->summary().state()),
                      FormatDuration(context.options.timeout.value_or(kDefaultTimeout)), job_id));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

void Print(const CommandContext& context, const v1::JobSummary& job) {
  if (context.options.output == OutputFormat::kJson) {
    *context.console.out << ToText(JobSummaryToJson(job, context.clock->NowMs()));
  } else {
    *context.console.out << fmt::format("Job {} ({}) is {}.\n", job.job_id(), Printable(job.name()),
                                        NameOf(job.state()));
  }
}

}  // namespace

Outcome<void> CancelCommand(const CommandContext& context, const std::string& reference,
                            bool detached) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(std::string job_id, FindJobId(*client, reference));
  WS_ASSIGN_OR_RETURN(v1::JobDetails before, client->Get(job_id));
  v1::JobState state = before.summary().state();
  if (state == v1::FINISHED || state == v1::FAILED) {
    return Fail(ExitCode::kFailed,
                fmt::format("job {} can no longer be cancelled: it is {}", job_id, NameOf(state)));
  }
  if (state == v1::CANCELED) {
    Print(context, before.summary());
    return {};
  }
  WS_RETURN_IF_ERROR(client->Cancel(job_id));
  if (detached) {
    WS_ASSIGN_OR_RETURN(v1::JobDetails now, client->Get(job_id));
    Print(context, now.summary());
    return {};
  }
  WS_ASSIGN_OR_RETURN(v1::JobSummary end, AwaitEnd(context, *client, job_id));
  Print(context, end);
  if (end.state() == v1::FAILED) return Fail(ExitCode::kFailed, end.status_reason());
  return {};
}

}  // namespace watershed
