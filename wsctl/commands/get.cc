#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/status/job_status.h"
#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_json.h"
#include "wsctl/job_reference.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

std::string Count(const PartialSum& sum) {
  if (!sum.known) return "–";
  return GroupDigits(sum.value) + (sum.complete ? "" : "+");
}

std::string Watermark(int64_t watermark_ms) {
  std::string text = WatermarkText(watermark_ms);
  return text.empty() ? "–" : text;
}

void PrintSummary(std::ostream& out, const v1::JobDetails& job, const JobTotals& totals,
                  int64_t now_ms) {
  const v1::JobSummary& summary = job.summary();
  out << fmt::format("Job       {}  {}\n", Printable(summary.name()), summary.job_id());
  out << fmt::format("State     {}, attempt {}\n", NameOf(summary.state()), job.attempt());
  if (!summary.status_reason().empty()) {
    out << fmt::format("Reason    {}\n", Printable(summary.status_reason()));
  }
  if (summary.start_time_ms() > 0) {
    out << fmt::format("Started   {}, {} {}\n", IsoTime(summary.start_time_ms()),
                       IsEnded(summary.state()) ? "ran" : "running for",
                       HumanDuration(DurationMs(summary, now_ms)));
  }
  out << fmt::format("Tasks     {} of {} running\n", summary.tasks_running(),
                     summary.tasks_total());
  out << fmt::format("Records   in {}, out {}, late {}, skipped {}, lag {}\n",
                     Count(totals.records_in), Count(totals.records_out),
                     Count(totals.late_records), Count(totals.skipped_records),
                     totals.source_lag_records.known ? Count(totals.source_lag_records) : "–");
}

// Only of jobs that have something to tell.
void PrintRecovery(std::ostream& out, const v1::JobDetails& job) {
  if (job.restarts() > 0) {
    out << fmt::format(
        "Restarts  {}{}\n", job.restarts(),
        job.last_restart_reason().empty() ? "" : ", last: " + Printable(job.last_restart_reason()));
  }
  if (!job.has_checkpoints()) return;
  const v1::CheckpointStatistics& checkpoints = job.checkpoints();
  out << fmt::format("Checkpoints {} completed, {} failed, {} in progress\n",
                     checkpoints.completed(), checkpoints.failed(), checkpoints.in_progress());
  if (const auto& last = checkpoints.latest_completed(); last.id() > 0) {
    out << fmt::format(
        "  last    {} at {}, took {}, {} B written of {} B\n          {}\n", last.id(),
        IsoTime(last.end_time_ms()), HumanDuration(last.end_time_ms() - last.trigger_time_ms()),
        GroupDigits(last.written_bytes()), GroupDigits(last.state_bytes()), Printable(last.path()));
  }
  if (const auto& failed = checkpoints.latest_failed(); failed.id() > 0) {
    out << fmt::format("  failed  {} at {}: {}\n", failed.id(), IsoTime(failed.end_time_ms()),
                       Printable(failed.failure()));
  }
  if (const auto& restored = checkpoints.restored(); restored.id() > 0) {
    out << fmt::format("  begun with {}, {}\n", restored.id(), Printable(restored.path()));
  }
  if (checkpoints.damaged() > 0) {
    out << fmt::format("  damaged {}, last: {}\n", checkpoints.damaged(),
                       Printable(checkpoints.last_damage()));
  }
}

void PrintVertices(std::ostream& out, const std::vector<VertexTotals>& vertices) {
  Table table({{"VERTEX"},
               {"STATE"},
               {"PARALLELISM", Align::kRight},
               {"IN", Align::kRight},
               {"OUT", Align::kRight},
               {"LATE", Align::kRight},
               {"LAG", Align::kRight},
               {"WATERMARK"}});
  for (const VertexTotals& vertex : vertices) {
    table.AddRow({vertex.vertex->name(), std::string(NameOf(vertex.state)),
                  std::to_string(vertex.vertex->parallelism()), Count(vertex.records_in),
                  Count(vertex.records_out), Count(vertex.late_records),
                  Count(vertex.source_lag_records), Watermark(vertex.watermark_ms)});
  }
  out << '\n';
  table.Print(out);
  bool first = true;
  for (const VertexTotals& vertex : vertices) {
    if (vertex.message.empty()) continue;
    if (first) out << '\n';
    first = false;
    out << fmt::format("{}: {}\n", Printable(vertex.vertex->name()), Printable(vertex.message));
  }
}

}  // namespace

Outcome<void> GetCommand(const CommandContext& context, const std::string& reference) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(std::string job_id, FindJobId(*client, reference));
  WS_ASSIGN_OR_RETURN(v1::JobDetails job, client->Get(job_id));
  int64_t now_ms = context.clock->NowMs();
  std::ostream& out = *context.console.out;
  if (context.options.output == OutputFormat::kJson) {
    out << ToText(JobDetailsToJson(job, now_ms));
    return {};
  }
  std::vector<VertexTotals> vertices = TotalsByVertex(job);
  PrintSummary(out, job, TotalsOfJob(vertices), now_ms);
  PrintRecovery(out, job);
  if (!vertices.empty()) PrintVertices(out, vertices);
  return {};
}

}  // namespace watershed
