#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/status/job_status.h"
#include "wsctl/commands/await.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_json.h"
#include "wsctl/job_reference.h"
#include "wsctl/output.h"
#include "wsctl/table.h"

namespace watershed {

void PrintJobState(const CommandContext& context, const v1::JobSummary& job, bool with_reason) {
  const bool is_told = with_reason && !job.status_reason().empty();
  Print(context, {.json = JobSummaryToJson(job, context.clock->NowMs()),
                  .names = {job.job_id()},
                  .text = [&](std::ostream& out, bool) {
                    out << fmt::format("Job {} ({}) is {}{}.\n", job.job_id(),
                                       Printable(job.name()), NameOf(job.state()),
                                       is_told ? ": " + Printable(job.status_reason()) : "");
                  }});
}

Outcome<void> CancelCommand(const CommandContext& context, const std::string& reference,
                            bool wait) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(std::string job_id, FindJobId(*client, reference, JobPurpose::kChange));
  WS_ASSIGN_OR_RETURN(v1::JobDetails before, client->Get(job_id));
  v1::JobState state = before.summary().state();
  if (state == v1::FINISHED || state == v1::FAILED) {
    return Fail(ExitCode::kFailed,
                fmt::format("job {} can no longer be cancelled: it is {}", job_id, NameOf(state)));
  }
  if (state == v1::CANCELED) {
    PrintJobState(context, before.summary());
    return {};
  }
  WS_RETURN_IF_ERROR(client->Cancel(job_id));
  if (!wait) {
    WS_ASSIGN_OR_RETURN(v1::JobDetails now, client->Get(job_id));
    PrintJobState(context, now.summary());
    return {};
  }
  const auto has_ended = [](const v1::JobDetails& job) { return IsEnded(job.summary().state()); };
  WS_ASSIGN_OR_RETURN(const v1::JobDetails end,
                      AwaitJob(*client, job_id, has_ended, "it goes on cancelling"));
  PrintJobState(context, end.summary());
  if (end.summary().state() == v1::FAILED) {
    return Fail(ExitCode::kFailed, end.summary().status_reason());
  }
  return {};
}

}  // namespace watershed
