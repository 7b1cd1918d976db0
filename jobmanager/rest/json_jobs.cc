// Views of jobs: lists and details.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "jobmanager/rest/json_views.h"
#include "runtime/status/job_status.h"

namespace watershed {
namespace {

// Flink's JobStatus and ExecutionState; /jobs/:id lists them all, zeros included.
constexpr std::array kJobStates = {"INITIALIZING", "CREATED",    "RUNNING",    "FAILING",
                                   "FAILED",       "CANCELLING", "CANCELED",   "FINISHED",
                                   "RESTARTING",   "SUSPENDED",  "RECONCILING"};
constexpr std::array kTaskStates = {"CREATED",     "SCHEDULED",   "DEPLOYING", "RUNNING",
                                    "FINISHED",    "CANCELING",   "CANCELED",  "FAILED",
                                    "RECONCILING", "INITIALIZING"};
constexpr const char* kJobType = "STREAMING";
constexpr const char* kSchedulerType = "Default";

std::string Lowercase(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

int64_t DurationMs(int64_t start_ms, int64_t end_ms, int64_t now_ms) {
  if (start_ms <= 0) return -1;
  return std::max<int64_t>(0, (end_ms > 0 ? end_ms : now_ms) - start_ms);
}

int64_t OrMinusOne(int64_t time_ms) { return time_ms > 0 ? time_ms : -1; }

Json TasksOverviewJson(const v1::JobSummary& job) {
  Json tasks = {{"total", job.tasks_total()}};
  for (const char* state : kTaskStates) tasks[Lowercase(state)] = 0;
  for (const auto& [number, count] : job.tasks_by_state()) {
    auto state = static_cast<v1::TaskState>(number);
    if (std::string_view name = NameOf(state); name != "UNKNOWN") tasks[Lowercase(name)] = count;
  }
  return tasks;
}

Json NumberOrNull(const PartialSum& sum) { return sum.known ? Json(sum.value) : Json(); }

// Flink's IOMetricsInfo.
Json IoMetricsJson(const VertexTotals& totals) {
  return {{"read-bytes", totals.bytes_in.value},
          {"read-bytes-complete", totals.bytes_in.complete},
          {"write-bytes", totals.bytes_out.value},
          {"write-bytes-complete", totals.bytes_out.complete},
          {"read-records", totals.records_in.value},
          {"read-records-complete", totals.records_in.complete},
          {"write-records", totals.records_out.value},
          {"write-records-complete", totals.records_out.complete},
          {"accumulated-backpressured-time", totals.backpressured_ms.value},
          {"accumulated-idle-time", totals.idle_ms.value},
          {"accumulated-busy-time", static_cast<double>(totals.busy_ms.value)}};
}

Json VertexJson(const v1::JobDetails& job, const VertexTotals& totals, int64_t now_ms) {
  Json tasks = Json::object();
  for (const char* state : kTaskStates) tasks[state] = 0;
  for (int number = 0; number < v1::TaskState_ARRAYSIZE; ++number) {
    if (totals.by_state[number] == 0) continue;
    std::string_view name = NameOf(static_cast<v1::TaskState>(number));
    tasks[std::string(name)] = totals.by_state[number];
  }
  std::string watermark = WatermarkText(totals.watermark_ms);
  return {{"id", totals.vertex->id()},
          {"slotSharingGroupId", job.summary().job_id()},  // a job's vertices share one group
          {"name", totals.vertex->name()},
          {"maxParallelism", job.plan().max_parallelism()},
          {"parallelism", totals.vertex->parallelism()},
          {"status", NameOf(totals.state)},
          {"start-time", totals.start_time_ms},
          {"end-time", totals.end_time_ms},
          {"duration", DurationMs(totals.start_time_ms, totals.end_time_ms, now_ms)},
          {"tasks", std::move(tasks)},
          {"metrics", IoMetricsJson(totals)},
          {"watershed",
           {{"late-records", NumberOrNull(totals.late_records)},
            {"skipped-records", NumberOrNull(totals.skipped_records)},
            {"dead-letter-records", NumberOrNull(totals.dead_letter_records)},
            {"lag-records", NumberOrNull(totals.source_lag_records)},
            {"watermark", watermark.empty() ? Json() : Json(watermark)},
            {"message", totals.message}}}};
}

// Flink's dashboard shows descriptions as HTML.
std::string EscapeHtml(std::string_view text) {
  std::string result;
  for (char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

Json PlanJson(const v1::JobDetails& job) {
  Json nodes = Json::array();
  for (const v1::Vertex& vertex : job.plan().vertices()) {
    Json node = {{"id", vertex.id()},
                 {"parallelism", vertex.parallelism()},
                 {"operator", ""},
                 {"operator_strategy", ""},
                 {"description", EscapeHtml(vertex.name())},
                 {"optimizer_properties", Json::object()}};
    Json inputs = Json::array();
    for (const v1::Edge& edge : job.plan().edges()) {
      if (edge.target_vertex_id() != vertex.id()) continue;
      inputs.push_back({{"num", inputs.size()},
                        {"id", edge.source_vertex_id()},
                        {"ship_strategy", edge.key_columns().empty() ? "GLOBAL" : "HASH"},
                        {"exchange", "pipelined_bounded"}});
    }
    if (!inputs.empty()) node["inputs"] = std::move(inputs);
    nodes.push_back(std::move(node));
  }
  return {{"jid", job.summary().job_id()},
          {"name", job.summary().name()},
          {"type", kJobType},
          {"nodes", std::move(nodes)}};
}

Json TimestampsJson(const v1::JobDetails& job) {
  Json timestamps = Json::object();
  for (const char* state : kJobStates) timestamps[state] = 0;
  for (const auto& [number, time_ms] : job.state_timestamps_ms()) {
    std::string_view name = NameOf(static_cast<v1::JobState>(number));
    if (name != "UNKNOWN") timestamps[std::string(name)] = time_ms;
  }
  return timestamps;
}

Json JobExtrasJson(const v1::JobDetails& job, const std::vector<VertexTotals>& vertices) {
  JobTotals totals = TotalsOfJob(vertices);
  return {{"status-reason", job.summary().status_reason()},
          {"attempt", job.attempt()},
          {"restarts", job.restarts()},
          {"last-restart-reason", job.last_restart_reason()},
          {"checkpoints-completed", job.checkpoints().completed()},
          {"checkpoints-failed", job.checkpoints().failed()},
          {"last-checkpoint", job.checkpoints().latest_completed().id()},
          {"records-in", NumberOrNull(totals.records_in)},
          {"records-out", NumberOrNull(totals.records_out)},
          {"late-records", NumberOrNull(totals.late_records)},
          {"skipped-records", NumberOrNull(totals.skipped_records)},
          {"dead-letter-records", NumberOrNull(totals.dead_letter_records)},
          {"lag-records", NumberOrNull(totals.source_lag_records)}};
}

}  // namespace

Json JobIdsJson(std::span<const v1::JobSummary> jobs) {
  Json list = Json::array();
  for (const v1::JobSummary& job : jobs) {
    list.push_back({{"id", job.job_id()}, {"status", NameOf(job.state())}});
  }
  return {{"jobs", std::move(list)}};
}

Json JobsOverviewJson(std::span<const v1::JobSummary> jobs, int64_t now_ms) {
  Json list = Json::array();
  for (const v1::JobSummary& job : jobs) {
    list.push_back({{"jid", job.job_id()},
                    {"name", job.name()},
                    {"job-type", kJobType},  // both spellings are about: wire and snapshot differ
                    {"jobType", kJobType},
                    {"scheduler-type", kSchedulerType},
                    {"schedulerType", kSchedulerType},
                    {"start-time", job.start_time_ms()},
                    {"end-time", OrMinusOne(job.end_time_ms())},
                    {"duration", DurationMs(job.start_time_ms(), job.end_time_ms(), now_ms)},
                    {"state", NameOf(job.state())},
                    {"last-modification", job.last_modification_ms()},
                    {"tasks", TasksOverviewJson(job)},
                    {"pending-operators", 0},
                    {"watershed", {{"status-reason", job.status_reason()}}}});
  }
  return {{"jobs", std::move(list)}};
}

Json JobDetailsJson(const v1::JobDetails& job, int64_t now_ms) {
  const v1::JobSummary& summary = job.summary();
  std::vector<VertexTotals> totals = TotalsByVertex(job);
  Json vertices = Json::array();
  Json status_counts = Json::object();
  for (const char* state : kTaskStates) status_counts[state] = 0;
  for (const VertexTotals& vertex : totals) {
    vertices.push_back(VertexJson(job, vertex, now_ms));
    Json& count = status_counts[std::string(NameOf(vertex.state))];
    count = count.get<int>() + 1;
  }
  return {{"jid", summary.job_id()},
          {"name", summary.name()},
          {"isStoppable", false},
          {"state", NameOf(summary.state())},
          {"job-type", kJobType},
          {"schedulerType", kSchedulerType},
          {"start-time", summary.start_time_ms()},
          {"end-time", OrMinusOne(summary.end_time_ms())},
          {"duration", DurationMs(summary.start_time_ms(), summary.end_time_ms(), now_ms)},
          {"maxParallelism", job.plan().max_parallelism()},
          {"now", now_ms},
          {"timestamps", TimestampsJson(job)},
          {"vertices", std::move(vertices)},
          {"status-counts", std::move(status_counts)},
          {"plan", PlanJson(job)},
          {"pending-operators", 0},
          {"watershed", JobExtrasJson(job, totals)}};
}

}  // namespace watershed
