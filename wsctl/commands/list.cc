#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/status/job_status.h"
#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_json.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

void PrintTable(std::ostream& out, const std::vector<v1::JobSummary>& jobs, int64_t now_ms) {
  Table table({{"JOB ID"},
               {"NAME"},
               {"STATE"},
               {"STARTED (UTC)"},
               {"DURATION", Align::kRight},
               {"TASKS", Align::kRight},
               {"REASON"}});
  for (const v1::JobSummary& job : jobs) {
    std::string started =
        job.start_time_ms() > 0 ? IsoTime(job.start_time_ms()).substr(0, 19) : "–";
    if (started.size() > 10) started[10] = ' ';
    table.AddRow({job.job_id(), job.name(), std::string(NameOf(job.state())), started,
                  HumanDuration(DurationMs(job, now_ms)),
                  fmt::format("{}/{}", job.tasks_running(), job.tasks_total()),
                  job.status_reason()});
  }
  table.Print(out);
}

}  // namespace

Outcome<void> ListCommand(const CommandContext& context, bool all) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(std::vector<v1::JobSummary> jobs, client->List(all));
  int64_t now_ms = context.clock->NowMs();
  std::ostream& out = *context.console.out;
  if (context.options.output == OutputFormat::kJson) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const v1::JobSummary& job : jobs) list.push_back(JobSummaryToJson(job, now_ms));
    out << ToText({{"jobs", std::move(list)}});
  } else if (jobs.empty()) {
    out << (all ? "No jobs.\n" : "No running jobs; ended ones: wsctl list -a\n");
  } else {
    PrintTable(out, jobs, now_ms);
  }
  return {};
}

}  // namespace watershed
