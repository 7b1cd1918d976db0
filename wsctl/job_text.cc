#include "wsctl/job_text.h"

#include <fmt/format.h>

#include <ostream>

#include "runtime/status/job_status.h"
#include "wsctl/job_json.h"
#include "wsctl/listings.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

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
  const auto& dead_letters = totals.dead_letter_records;
  out << fmt::format("Records   in {}, out {}, late {}, skipped {}{}, lag {}\n",
                     CountText(totals.records_in), CountText(totals.records_out),
                     CountText(totals.late_records), CountText(totals.skipped_records),
                     dead_letters.value > 0 ? ", dead letters " + CountText(dead_letters) : "",
                     totals.source_lag_records.known ? CountText(totals.source_lag_records) : "–");
}

// Only of jobs that have something to tell.
void PrintRecovery(std::ostream& out, const v1::JobDetails& job) {
  if (job.restarts() > 0) {
    out << fmt::format(
        "Restarts  {}{}\n", job.restarts(),
        job.last_restart_reason().empty() ? "" : ", last: " + Printable(job.last_restart_reason()));
  }
  if (!job.has_checkpoints()) {
    if (!IsEnded(job.summary().state())) out << "Checkpoints none: the job takes no checkpoints\n";
    return;
  }
  const v1::CheckpointStatistics& checkpoints = job.checkpoints();
  out << fmt::format("Checkpoints {} completed, {} failed, {} in progress\n",
                     checkpoints.completed(), checkpoints.failed(), checkpoints.in_progress());
  if (const auto& last = checkpoints.latest_completed(); last.id() > 0) {
    out << fmt::format("  last    {} at {}, took {}, {} B written of {} B\n          {}\n",
                       last.id(), IsoTime(last.end_time_ms()),
                       HumanDuration(last.end_time_ms() - last.trigger_time_ms()),
                       GroupDigits(last.written_bytes()), GroupDigits(last.state_bytes()),
                       Printable(PathOf(last)));
  }
  if (const auto& failed = checkpoints.latest_failed(); failed.id() > 0) {
    out << fmt::format("  failed  {} at {}: {}\n", failed.id(), IsoTime(failed.end_time_ms()),
                       Printable(failed.failure()));
  }
  if (const auto& restored = checkpoints.restored(); restored.id() > 0) {
    out << fmt::format("  begun with {}, {}\n", restored.id(), Printable(PathOf(restored)));
  }
  if (checkpoints.damaged() > 0) {
    out << fmt::format("  damaged {}, last: {}\n", checkpoints.damaged(),
                       Printable(checkpoints.last_damage()));
  }
}

void PrintVertices(std::ostream& out, const v1::JobDetails& job,
                   const std::vector<VertexTotals>& vertices, bool wide) {
  out << '\n';
  AnswerOf(ListVertices(job)).text(out, wide);
  bool first = true;
  for (const VertexTotals& vertex : vertices) {
    if (vertex.message.empty()) continue;
    if (first) out << '\n';
    first = false;
    out << fmt::format("{}: {}\n", Printable(vertex.vertex->name()), Printable(vertex.message));
  }
}

}  // namespace

void PrintJob(std::ostream& out, const v1::JobDetails& job, int64_t now_ms, bool wide) {
  const std::vector<VertexTotals> vertices = TotalsByVertex(job);
  PrintSummary(out, job, TotalsOfJob(vertices), now_ms);
  PrintRecovery(out, job);
  if (!vertices.empty()) PrintVertices(out, job, vertices, wide);
}

}  // namespace watershed
