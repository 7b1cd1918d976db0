#include "wsctl/job_json.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

Json TimeOrNull(int64_t epoch_ms) { return epoch_ms > 0 ? Json(IsoTime(epoch_ms)) : Json(); }
Json SumOrNull(const PartialSum& sum) { return sum.known ? Json(sum.value) : Json(); }
Json CountOrNull(int64_t count) { return count >= 0 ? Json(count) : Json(); }
Json WatermarkOrNull(int64_t watermark_ms) {
  std::string text = WatermarkText(watermark_ms);
  return text.empty() ? Json() : Json(text);
}

Json CheckpointsToJson(const v1::CheckpointStatistics& checkpoints) {
  return {{"triggered", checkpoints.triggered()},
          {"completed", checkpoints.completed()},
          {"failed", checkpoints.failed()},
          {"in-progress", checkpoints.in_progress()},
          {"damaged", checkpoints.damaged()},
          {"last-damage", checkpoints.last_damage()},
          {"interval-ms", checkpoints.interval_ms()},
          {"directory", checkpoints.directory()},
          {"latest-completed", CheckpointToJson(checkpoints.latest_completed())},
          {"latest-failed", CheckpointToJson(checkpoints.latest_failed())},
          {"restored", CheckpointToJson(checkpoints.restored())}};
}

}  // namespace

Json SubtaskToJson(const v1::SubtaskStatus& subtask) {
  Json json = {{"subtask", subtask.subtask()},
               {"attempt", subtask.attempt()},
               {"state", NameOf(subtask.state())},
               {"task-manager", subtask.task_manager_id()},
               {"endpoint", subtask.endpoint()},
               {"start-time", TimeOrNull(subtask.start_time_ms())},
               {"end-time", TimeOrNull(subtask.end_time_ms())},
               {"message", subtask.message()}};
  v1::TaskCounters unknown;
  for (auto set : {&v1::TaskCounters::set_records_in, &v1::TaskCounters::set_records_out,
                   &v1::TaskCounters::set_bytes_in, &v1::TaskCounters::set_bytes_out,
                   &v1::TaskCounters::set_late_records, &v1::TaskCounters::set_skipped_records,
                   &v1::TaskCounters::set_dead_letter_records, &v1::TaskCounters::set_busy_ms,
                   &v1::TaskCounters::set_idle_ms, &v1::TaskCounters::set_backpressured_ms,
                   &v1::TaskCounters::set_source_lag_records}) {
    (unknown.*set)(-1);
  }
  const v1::TaskCounters& counters = subtask.has_counters() ? subtask.counters() : unknown;
  json["records-in"] = CountOrNull(counters.records_in());
  json["records-out"] = CountOrNull(counters.records_out());
  json["bytes-in"] = CountOrNull(counters.bytes_in());
  json["bytes-out"] = CountOrNull(counters.bytes_out());
  json["late-records"] = CountOrNull(counters.late_records());
  json["skipped-records"] = CountOrNull(counters.skipped_records());
  json["dead-letter-records"] = CountOrNull(counters.dead_letter_records());
  json["lag-records"] = CountOrNull(counters.source_lag_records());
  json["watermark"] =
      subtask.has_counters() ? WatermarkOrNull(counters.input_watermark_ms()) : Json();
  json["busy-ms"] = CountOrNull(counters.busy_ms());
  json["idle-ms"] = CountOrNull(counters.idle_ms());
  json["backpressured-ms"] = CountOrNull(counters.backpressured_ms());
  return json;
}

Json VertexToJson(const VertexTotals& totals) {
  Json subtasks = Json::array();
  for (const v1::SubtaskStatus* subtask : totals.subtasks) {
    subtasks.push_back(SubtaskToJson(*subtask));
  }
  return {{"id", totals.vertex->id()},
          {"name", totals.vertex->name()},
          {"state", NameOf(totals.state)},
          {"parallelism", totals.vertex->parallelism()},
          {"records-in", SumOrNull(totals.records_in)},
          {"records-out", SumOrNull(totals.records_out)},
          {"bytes-in", SumOrNull(totals.bytes_in)},
          {"bytes-out", SumOrNull(totals.bytes_out)},
          {"late-records", SumOrNull(totals.late_records)},
          {"skipped-records", SumOrNull(totals.skipped_records)},
          {"dead-letter-records", SumOrNull(totals.dead_letter_records)},
          {"lag-records", SumOrNull(totals.source_lag_records)},
          {"watermark", WatermarkOrNull(totals.watermark_ms)},
          {"message", totals.message},
          {"subtasks", std::move(subtasks)}};
}

Json CheckpointToJson(const v1::CheckpointSummary& checkpoint) {
  if (checkpoint.id() == 0) return {};
  return {{"id", checkpoint.id()},
          {"status", NameOf(checkpoint.status())},
          {"savepoint", checkpoint.is_savepoint()},
          {"trigger-time", TimeOrNull(checkpoint.trigger_time_ms())},
          {"end-time", TimeOrNull(checkpoint.end_time_ms())},
          {"duration-ms", checkpoint.end_time_ms() > 0
                              ? Json(checkpoint.end_time_ms() - checkpoint.trigger_time_ms())
                              : Json()},
          {"state-bytes", checkpoint.state_bytes()},
          {"written-bytes", checkpoint.written_bytes()},
          {"subtasks", checkpoint.subtasks()},
          {"acknowledged", checkpoint.acknowledged()},
          {"failure", checkpoint.failure()},
          {"path", PathOf(checkpoint)}};
}

Json TaskManagerToJson(const v1::TaskManagerDetails& task_manager) {
  Json shares = Json::array();
  for (const v1::MemoryShareUsage& share : task_manager.memory()) {
    shares.push_back({{"name", share.name()},
                      {"limit-bytes", share.limit_bytes()},
                      {"used-bytes", share.used_bytes()},
                      {"peak-bytes", share.peak_bytes()}});
  }
  Json jobs = Json::array();
  const std::map<std::string, int32_t> slots(task_manager.slots_by_job().begin(),
                                             task_manager.slots_by_job().end());
  for (const auto& [job_id, count] : slots) jobs.push_back({{"job-id", job_id}, {"slots", count}});
  return {{"id", task_manager.task_manager_id()},
          {"address", task_manager.address()},
          {"slots", {{"total", task_manager.slots()}, {"free", task_manager.free_slots()}}},
          {"cpu-cores", task_manager.cpu_cores()},
          {"pid", task_manager.pid()},
          {"last-heartbeat", TimeOrNull(task_manager.last_heartbeat_ms())},
          {"memory",
           {{"process-bytes", task_manager.process_memory_bytes()},
            {"resident-bytes", task_manager.resident_memory_bytes()},
            {"shares", std::move(shares)}}},
          {"jobs", std::move(jobs)}};
}

std::string_view NameOf(v1::CheckpointSummary::Status status) {
  switch (status) {
    case v1::CheckpointSummary::IN_PROGRESS:
      return "IN_PROGRESS";
    case v1::CheckpointSummary::COMPLETED:
      return "COMPLETED";
    case v1::CheckpointSummary::FAILED:
      return "FAILED";
    default:
      return "UNKNOWN";
  }
}

int64_t DurationMs(const v1::JobSummary& job, int64_t now_ms) {
  if (job.start_time_ms() <= 0) return -1;
  int64_t end_ms = job.end_time_ms() > 0 ? job.end_time_ms() : now_ms;
  return std::max<int64_t>(0, end_ms - job.start_time_ms());
}

Json JobSummaryToJson(const v1::JobSummary& job, int64_t now_ms) {
  return {{"job-id", job.job_id()},
          {"name", job.name()},
          {"state", NameOf(job.state())},
          {"status-reason", job.status_reason()},
          {"start-time", TimeOrNull(job.start_time_ms())},
          {"end-time", TimeOrNull(job.end_time_ms())},
          {"duration-ms", CountOrNull(DurationMs(job, now_ms))},
          {"tasks", {{"total", job.tasks_total()}, {"running", job.tasks_running()}}}};
}

Json JobDetailsToJson(const v1::JobDetails& job, int64_t now_ms) {
  Json json = JobSummaryToJson(job.summary(), now_ms);
  std::vector<VertexTotals> vertices = TotalsByVertex(job);
  JobTotals totals = TotalsOfJob(vertices);
  json["attempt"] = job.attempt();
  json["restarts"] = job.restarts();
  json["last-restart-reason"] = job.last_restart_reason();
  json["checkpoints"] = job.has_checkpoints() ? CheckpointsToJson(job.checkpoints()) : Json();
  json["max-parallelism"] = job.plan().max_parallelism();
  json["records-in"] = SumOrNull(totals.records_in);
  json["records-out"] = SumOrNull(totals.records_out);
  json["late-records"] = SumOrNull(totals.late_records);
  json["skipped-records"] = SumOrNull(totals.skipped_records);
  json["dead-letter-records"] = SumOrNull(totals.dead_letter_records);
  json["lag-records"] = SumOrNull(totals.source_lag_records);
  json["vertices"] = Json::array();
  for (const VertexTotals& vertex : vertices) json["vertices"].push_back(VertexToJson(vertex));
  return json;
}

std::string ToText(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace watershed
