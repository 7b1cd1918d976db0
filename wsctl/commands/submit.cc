#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/status/job_status.h"
#include "wsctl/commands/await.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_file.h"
#include "wsctl/output.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

// A start that takes longer waits for something that somebody has to do.
constexpr std::chrono::milliseconds kStartTimeout{300'000};

std::chrono::milliseconds TimeoutFor(SubmitWait wait) {
  switch (wait) {
    case SubmitWait::kNo:
      return kDefaultTimeout;
    case SubmitWait::kRunning:
      return kStartTimeout;
    case SubmitWait::kFinished:
      return kNoTimeout;
  }
  return kDefaultTimeout;
}

bool HasStarted(const v1::JobDetails& job) {
  const v1::JobSummary& summary = job.summary();
  return IsEnded(summary.state()) ||
         (summary.state() == v1::RUNNING && summary.tasks_running() == summary.tasks_total());
}

Outcome<void> OutcomeOf(const v1::JobSummary& job, SubmitWait wait) {
  const bool as_wished =
      job.state() == v1::FINISHED || (wait == SubmitWait::kRunning && job.state() == v1::RUNNING);
  if (as_wished) return {};
  return Fail(ExitCode::kFailed,
              fmt::format("job {} is {}{}{}", job.job_id(), NameOf(job.state()),
                          job.status_reason().empty() ? "" : ": ", job.status_reason()));
}

// The answer, which is complete when the job is where it was waited for.
Answer Submitted(const v1::SubmitJobResponse& response, const std::string& name,
                 const v1::JobSummary* reached) {
  nlohmann::ordered_json warnings = nlohmann::ordered_json::array();
  for (const std::string& warning : response.warnings()) warnings.push_back(warning);
  Answer answer{
      .json = {{"job-id", response.job_id()}, {"name", name}, {"warnings", std::move(warnings)}},
      .names = {response.job_id()}};
  if (reached != nullptr) answer.json["state"] = NameOf(reached->state());
  answer.text = [](std::ostream&, bool) {};
  return answer;
}

}  // namespace

Outcome<void> SubmitCommand(const CommandContext& context, const std::string& file,
                            const RestoreFrom& from, SubmitWait wait) {
  v1::SubmitJobRequest request;
  WS_ASSIGN_OR_RETURN(*request.mutable_graph(), LoadJob(context, file));
  const std::string name = request.graph().name();
  request.set_restore_path(from.path);
  request.mutable_restore_options()->set_fork(from.fork);
  request.mutable_restore_options()->set_allow_drained(from.allow_drained);
  request.mutable_restore_options()->set_allow_non_restored_state(from.allow_non_restored_state);
  request.mutable_restore_options()->set_allow_duplicates(from.allow_duplicates);
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context, TimeoutFor(wait)));
  WS_ASSIGN_OR_RETURN(v1::SubmitJobResponse response, client->Submit(request));
  for (const std::string& warning : response.warnings()) {
    *context.console.err << fmt::format("warning: {}\n", warning);
  }
  const bool for_people = !IsForPrograms(context.options.output);
  if (for_people) {
    // Flink's words: scripts look for them. At once: the wait may be long.
    *context.console.out << fmt::format("Job has been submitted with JobID {}\n", response.job_id())
                         << std::flush;
  }
  if (wait == SubmitWait::kNo) {
    Print(context, Submitted(response, name, nullptr));
    return {};
  }
  const auto is_there = [wait](const v1::JobDetails& job) {
    return wait == SubmitWait::kRunning ? HasStarted(job) : IsEnded(job.summary().state());
  };
  WS_ASSIGN_OR_RETURN(const v1::JobDetails job,
                      AwaitJob(*client, response.job_id(), is_there, "it goes on"));
  Print(context, Submitted(response, name, &job.summary()));
  if (for_people) PrintJobState(context, job.summary());
  return OutcomeOf(job.summary(), wait);
}

}  // namespace watershed
