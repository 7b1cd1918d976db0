#include "wsctl/listings.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/status/job_status.h"
#include "wsctl/job_json.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

constexpr Align kRight = Align::kRight;

void EndWithJob(const v1::JobDetails& job, Listing& listing) {
  const v1::JobSummary& summary = job.summary();
  listing.is_over = IsEnded(summary.state());
  if (summary.state() == v1::FAILED) {
    listing.failure =
        Failure{ExitCode::kFailed,
                fmt::format("job {} has FAILED: {}", summary.name(), summary.status_reason())};
  }
}

Json ItemsOf(const Listing& listing) {
  Json items = Json::array();
  for (const ListingRow& row : listing.rows) items.push_back(row.json);
  return items;
}

std::string Tasks(const v1::JobSummary& job) {
  return fmt::format("{}/{}", job.tasks_running(), job.tasks_total());
}

std::string CountOrDash(int64_t count) { return count < 0 ? "–" : GroupDigits(count); }

}  // namespace

std::string CountText(const PartialSum& sum) {
  if (!sum.known) return "–";
  return GroupDigits(sum.value) + (sum.complete ? "" : "+");
}

std::string WatermarkOrDash(int64_t watermark_ms) {
  std::string text = WatermarkText(watermark_ms);
  return text.empty() ? "–" : text;
}

std::string ShortTime(int64_t epoch_ms) {
  if (epoch_ms <= 0) return "–";
  std::string text = IsoTime(epoch_ms).substr(0, 19);
  if (text.size() > 10) text[10] = ' ';
  return text;
}

std::string HumanBytes(int64_t bytes) {
  constexpr std::pair<int64_t, const char*> kUnits[] = {
      {int64_t{1} << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}};
  for (const auto& [size, unit] : kUnits) {
    if (bytes >= size) {
      return fmt::format("{:.1f} {}", static_cast<double>(bytes) / static_cast<double>(size), unit);
    }
  }
  return fmt::format("{} B", bytes);
}

Listing ListJobs(std::span<const v1::JobSummary> jobs, bool with_ended, int64_t now_ms) {
  Listing listing{
      .columns = {{{"JOB ID"}},
                  {{"NAME"}},
                  {{"STATE"}},
                  {{"STARTED (UTC)"}},
                  {{"ENDED (UTC)"}, /*only_wide=*/true},
                  {{"DURATION", kRight}, false, /*is_watched=*/false},
                  {{"TASKS", kRight}},
                  {{"REASON"}}},
      .when_empty = with_ended ? "No jobs." : "No running jobs; ended ones: wsctl list -a"};
  for (const v1::JobSummary& job : jobs) {
    listing.rows.push_back(
        {job.job_id(),
         job.job_id(),
         {job.job_id(), job.name(), std::string(NameOf(job.state())),
          ShortTime(job.start_time_ms()), ShortTime(job.end_time_ms()),
          HumanDuration(DurationMs(job, now_ms)), Tasks(job), job.status_reason()},
         JobSummaryToJson(job, now_ms)});
  }
  listing.json = {{"jobs", ItemsOf(listing)}};
  return listing;
}

Listing ListJob(const v1::JobDetails& job, int64_t now_ms) {
  Listing listing{.columns = {{{"JOB ID"}},
                              {{"NAME"}},
                              {{"STATE"}},
                              {{"ATTEMPT", kRight}},
                              {{"RESTARTS", kRight}},
                              {{"TASKS", kRight}},
                              {{"CHECKPOINTS", kRight}},
                              {{"DURATION", kRight}, false, /*is_watched=*/false},
                              {{"REASON"}}}};
  const v1::JobSummary& summary = job.summary();
  listing.json = JobDetailsToJson(job, now_ms);
  listing.rows.push_back(
      {summary.job_id(),
       summary.job_id(),
       {summary.job_id(), summary.name(), std::string(NameOf(summary.state())),
        std::to_string(job.attempt()), std::to_string(job.restarts()), Tasks(summary),
        job.has_checkpoints() ? std::to_string(job.checkpoints().completed()) : "–",
        HumanDuration(DurationMs(summary, now_ms)), summary.status_reason()},
       listing.json});
  EndWithJob(job, listing);
  return listing;
}

Listing ListCheckpoints(const v1::JobDetails& job) {
  Listing listing{.columns = {{{"ID", kRight}},
                              {{"STATUS"}},
                              {{"KIND"}},
                              {{"TRIGGERED (UTC)"}},
                              {{"DURATION", kRight}},
                              {{"SUBTASKS", kRight}},
                              {{"STATE", kRight}},
                              {{"WRITTEN", kRight}, /*only_wide=*/true},
                              {{"PATH"}, /*only_wide=*/true},
                              {{"FAILURE"}}},
                  .when_empty = job.has_checkpoints()
                                    ? "No checkpoints yet."
                                    : "The job takes no checkpoints: its file has no "
                                      "`checkpointing`, or the cluster no "
                                      "execution.checkpointing.dir."};
  for (const v1::CheckpointSummary& checkpoint : job.checkpoints().recent()) {
    const int64_t end_ms = checkpoint.end_time_ms();
    listing.rows.push_back(
        {std::to_string(checkpoint.id()),
         PathOf(checkpoint).empty() ? std::to_string(checkpoint.id()) : PathOf(checkpoint),
         {std::to_string(checkpoint.id()), std::string(NameOf(checkpoint.status())),
          checkpoint.is_savepoint() ? "savepoint" : "checkpoint",
          ShortTime(checkpoint.trigger_time_ms()),
          HumanDuration(end_ms > 0 ? end_ms - checkpoint.trigger_time_ms() : -1),
          fmt::format("{}/{}", checkpoint.acknowledged(), checkpoint.subtasks()),
          HumanBytes(checkpoint.state_bytes()), HumanBytes(checkpoint.written_bytes()),
          PathOf(checkpoint), checkpoint.failure()},
         CheckpointToJson(checkpoint)});
  }
  listing.json = {{"job-id", job.summary().job_id()}, {"checkpoints", ItemsOf(listing)}};
  EndWithJob(job, listing);
  return listing;
}

Listing ListVertices(const v1::JobDetails& job) {
  Listing listing{.columns = {{{"VERTEX"}},
                              {{"STATE"}},
                              {{"PARALLELISM", kRight}},
                              {{"IN", kRight}},
                              {{"OUT", kRight}},
                              {{"BYTES IN", kRight}, /*only_wide=*/true},
                              {{"BYTES OUT", kRight}, /*only_wide=*/true},
                              {{"LATE", kRight}},
                              {{"SKIPPED", kRight}, /*only_wide=*/true},
                              {{"DEAD LETTERS", kRight}, /*only_wide=*/true},
                              {{"LAG", kRight}},
                              {{"WATERMARK"}},
                              {{"ID"}, /*only_wide=*/true}},
                  .when_empty = "The job has no vertices."};
  const std::vector<VertexTotals> vertices = TotalsByVertex(job);
  for (const VertexTotals& vertex : vertices) {
    listing.rows.push_back(
        {vertex.vertex->id(),
         vertex.vertex->name(),
         {vertex.vertex->name(), std::string(NameOf(vertex.state)),
          std::to_string(vertex.vertex->parallelism()), CountText(vertex.records_in),
          CountText(vertex.records_out), CountText(vertex.bytes_in), CountText(vertex.bytes_out),
          CountText(vertex.late_records), CountText(vertex.skipped_records),
          CountText(vertex.dead_letter_records), CountText(vertex.source_lag_records),
          WatermarkOrDash(vertex.watermark_ms), vertex.vertex->id()},
         VertexToJson(vertex)});
  }
  listing.json = {{"job-id", job.summary().job_id()}, {"vertices", ItemsOf(listing)}};
  EndWithJob(job, listing);
  return listing;
}

Listing ListSubtasks(const v1::JobDetails& job) {
  Listing listing{.columns = {{{"VERTEX"}},
                              {{"SUBTASK", kRight}},
                              {{"STATE"}},
                              {{"ATTEMPT", kRight}, /*only_wide=*/true},
                              {{"TASKMANAGER"}},
                              {{"IN", kRight}},
                              {{"OUT", kRight}},
                              {{"LATE", kRight}, /*only_wide=*/true},
                              {{"WATERMARK"}},
                              {{"MESSAGE"}}},
                  .when_empty = "No subtask has been deployed."};
  const std::vector<VertexTotals> vertices = TotalsByVertex(job);
  for (const VertexTotals& vertex : vertices) {
    for (const v1::SubtaskStatus* subtask : vertex.subtasks) {
      const v1::TaskCounters& counters = subtask->counters();
      Json json = {{"vertex", vertex.vertex->name()}};
      json.update(SubtaskToJson(*subtask));
      const std::string name = fmt::format("{}/{}", vertex.vertex->name(), subtask->subtask());
      const bool told = subtask->has_counters();
      listing.rows.push_back(
          {name,
           name,
           {vertex.vertex->name(), std::to_string(subtask->subtask()),
            std::string(NameOf(subtask->state())), std::to_string(subtask->attempt()),
            subtask->task_manager_id(), CountOrDash(told ? counters.records_in() : -1),
            CountOrDash(told ? counters.records_out() : -1),
            CountOrDash(told ? counters.late_records() : -1),
            told ? WatermarkOrDash(counters.input_watermark_ms()) : "–", subtask->message()},
           std::move(json)});
    }
  }
  listing.json = {{"job-id", job.summary().job_id()}, {"subtasks", ItemsOf(listing)}};
  EndWithJob(job, listing);
  return listing;
}

Listing ListTaskManagers(std::span<const v1::TaskManagerDetails> task_managers) {
  Listing listing{.columns = {{{"TASKMANAGER"}},
                              {{"ADDRESS"}},
                              {{"SLOTS", kRight}},
                              {{"FREE", kRight}},
                              {{"JOBS", kRight}},
                              {{"MEMORY", kRight}, false, /*is_watched=*/false},
                              {{"LIMIT", kRight}},
                              {{"CORES", kRight}, /*only_wide=*/true},
                              {{"PID", kRight}, /*only_wide=*/true},
                              {{"HEARTBEAT (UTC)"}, /*only_wide=*/true, /*is_watched=*/false}},
                  .when_empty = "No TaskManager has registered; start one: taskmanager"};
  for (const v1::TaskManagerDetails& each : task_managers) {
    listing.rows.push_back(
        {each.task_manager_id(),
         each.task_manager_id(),
         {each.task_manager_id(), each.address(), std::to_string(each.slots()),
          std::to_string(each.free_slots()), std::to_string(each.slots_by_job_size()),
          HumanBytes(each.resident_memory_bytes()), HumanBytes(each.process_memory_bytes()),
          std::to_string(each.cpu_cores()), std::to_string(each.pid()),
          ShortTime(each.last_heartbeat_ms())},
         TaskManagerToJson(each)});
  }
  listing.json = {{"taskmanagers", ItemsOf(listing)}};
  return listing;
}

}  // namespace watershed
