#include "runtime/status/job_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <map>
#include <utility>

#include "runtime/types/dead_letter.h"
#include "runtime/types/event_time.h"

namespace watershed {
namespace {

constexpr int64_t kUnknown = -1;  // of TaskCounters

// Adds one counter of every subtask that told it.
PartialSum SumOf(const std::vector<const v1::SubtaskStatus*>& subtasks,
                 int64_t (v1::TaskCounters::*counter)() const) {
  PartialSum sum;
  sum.complete = !subtasks.empty();
  for (const v1::SubtaskStatus* subtask : subtasks) {
    int64_t value = subtask->has_counters() ? (subtask->counters().*counter)() : kUnknown;
    if (value < 0) {
      sum.complete = false;
    } else {
      sum.value += value;
      sum.known = true;
    }
  }
  return sum;
}

void AddTo(PartialSum& total, const PartialSum& part, bool first) {
  total.value += part.value;
  total.known |= part.known;
  total.complete = (first || total.complete) && part.complete;
}

// Flink's ExecutionJobVertex.getAggregateJobVertexState: the worst news first.
v1::TaskState AggregateState(const VertexTotals& totals) {
  const auto count = [&](v1::TaskState state) { return totals.by_state[state]; };
  for (v1::TaskState state : {v1::TASK_FAILED, v1::TASK_CANCELING, v1::TASK_CANCELED,
                              v1::TASK_INITIALIZING, v1::TASK_RUNNING}) {
    if (count(state) > 0) return state;
  }
  if (int32_t finished = count(v1::TASK_FINISHED); finished > 0) {
    bool all = finished == static_cast<int32_t>(totals.subtasks.size());
    return all ? v1::TASK_FINISHED : v1::TASK_RUNNING;
  }
  for (v1::TaskState state : {v1::TASK_DEPLOYING, v1::TASK_SCHEDULED}) {
    if (count(state) > 0) return state;
  }
  return v1::TASK_CREATED;
}

void AddSubtask(VertexTotals& totals, const v1::SubtaskStatus& subtask) {
  totals.subtasks.push_back(&subtask);
  bool known_state = v1::TaskState_IsValid(subtask.state());
  v1::TaskState state = known_state ? subtask.state() : v1::TASK_STATE_UNSPECIFIED;
  ++totals.by_state[state];
  if (subtask.start_time_ms() > 0) {
    totals.start_time_ms = totals.start_time_ms < 0
                               ? subtask.start_time_ms()
                               : std::min(totals.start_time_ms, subtask.start_time_ms());
  }
  if (totals.message.empty() && !subtask.message().empty()) {
    totals.message = fmt::format("subtask {}: {}", subtask.subtask(), subtask.message());
  }
}

void SetEndTime(VertexTotals& totals) {
  for (const v1::SubtaskStatus* subtask : totals.subtasks) {
    if (!IsEnded(subtask->state())) {
      totals.end_time_ms = -1;
      return;
    }
    if (subtask->end_time_ms() > 0) {
      totals.end_time_ms = std::max(totals.end_time_ms, subtask->end_time_ms());
    }
  }
}

int64_t LowWatermark(const std::vector<const v1::SubtaskStatus*>& subtasks) {
  int64_t low = kMaxWatermarkMs;
  bool any = false;
  for (const v1::SubtaskStatus* subtask : subtasks) {
    if (!subtask->has_counters()) continue;
    any = true;
    low = std::min(low, subtask->counters().input_watermark_ms());
  }
  return any ? low : kMinWatermarkMs;
}

void AddUp(VertexTotals& totals) {
  using Counters = v1::TaskCounters;
  totals.state = AggregateState(totals);
  SetEndTime(totals);
  totals.records_in = SumOf(totals.subtasks, &Counters::records_in);
  totals.records_out = SumOf(totals.subtasks, &Counters::records_out);
  totals.bytes_in = SumOf(totals.subtasks, &Counters::bytes_in);
  totals.bytes_out = SumOf(totals.subtasks, &Counters::bytes_out);
  totals.late_records = SumOf(totals.subtasks, &Counters::late_records);
  totals.skipped_records = SumOf(totals.subtasks, &Counters::skipped_records);
  totals.dead_letter_records = SumOf(totals.subtasks, &Counters::dead_letter_records);
  totals.source_lag_records = SumOf(totals.subtasks, &Counters::source_lag_records);
  totals.busy_ms = SumOf(totals.subtasks, &Counters::busy_ms);
  totals.idle_ms = SumOf(totals.subtasks, &Counters::idle_ms);
  totals.backpressured_ms = SumOf(totals.subtasks, &Counters::backpressured_ms);
  totals.watermark_ms = LowWatermark(totals.subtasks);
}

template <typename Predicate>
bool HasNode(const v1::Vertex& vertex, Predicate predicate) {
  return std::any_of(vertex.nodes().begin(), vertex.nodes().end(), predicate);
}

}  // namespace

std::string_view NameOf(v1::JobState state) {
  if (state == v1::JOB_STATE_UNSPECIFIED || !v1::JobState_IsValid(state)) return "UNKNOWN";
  return v1::JobState_Name(state);  // protobuf keeps the names for the process's life
}

std::string_view NameOf(v1::TaskState state) {
  if (state == v1::TASK_STATE_UNSPECIFIED || !v1::TaskState_IsValid(state)) return "UNKNOWN";
  constexpr std::string_view kPrefix = "TASK_";
  return std::string_view(v1::TaskState_Name(state)).substr(kPrefix.size());
}

bool IsEnded(v1::JobState state) {
  return state == v1::FINISHED || state == v1::CANCELED || state == v1::FAILED;
}

bool IsEnded(v1::TaskState state) {
  return state == v1::TASK_FINISHED || state == v1::TASK_CANCELED || state == v1::TASK_FAILED;
}

const std::string& PathOf(const v1::CheckpointSummary& checkpoint) {
  const std::string& savepoint = checkpoint.savepoint_path();
  return savepoint.empty() ? checkpoint.path() : savepoint;
}

bool IsSource(const v1::Vertex& vertex) {
  return HasNode(vertex, [](const v1::PlanNode& node) { return node.has_table_source_scan(); });
}

bool HasSink(const v1::Vertex& vertex) {
  return HasNode(vertex, [](const v1::PlanNode& node) {
    const bool reads_dead_letters =
        node.inputs_size() > 0 && node.inputs(0).side_output() == kDeadLetterOutput;
    return node.has_sink() && !reads_dead_letters;
  });
}

std::vector<VertexTotals> TotalsByVertex(const v1::JobDetails& details) {
  std::vector<VertexTotals> result;
  std::map<std::string_view, size_t> index;
  for (const v1::Vertex& vertex : details.plan().vertices()) {
    index.emplace(vertex.id(), result.size());
    result.emplace_back().vertex = &vertex;
  }
  for (const v1::SubtaskStatus& subtask : details.subtasks()) {
    auto found = index.find(subtask.vertex_id());
    if (found != index.end()) AddSubtask(result[found->second], subtask);
  }
  for (VertexTotals& totals : result) {
    std::sort(totals.subtasks.begin(), totals.subtasks.end(),
              [](const auto* a, const auto* b) { return a->subtask() < b->subtask(); });
    AddUp(totals);
  }
  return result;
}

JobTotals TotalsOfJob(const std::vector<VertexTotals>& vertices) {
  JobTotals job;
  bool first_source = true, first_sink = true, first = true;
  for (const VertexTotals& totals : vertices) {
    if (IsSource(*totals.vertex)) {
      AddTo(job.records_in, totals.records_in, first_source);
      AddTo(job.source_lag_records, totals.source_lag_records, first_source);
      first_source = false;
    }
    if (HasSink(*totals.vertex)) {
      AddTo(job.records_out, totals.records_out, first_sink);
      first_sink = false;
    }
    AddTo(job.late_records, totals.late_records, first);
    AddTo(job.skipped_records, totals.skipped_records, first);
    AddTo(job.dead_letter_records, totals.dead_letter_records, first);
    first = false;
  }
  return job;
}

std::string IsoTime(int64_t epoch_ms) {
  int64_t seconds = epoch_ms / 1000;
  int64_t millis = epoch_ms % 1000;
  if (millis < 0) {
    --seconds;
    millis += 1000;
  }
  std::time_t time = seconds;
  std::tm utc{};
  if (gmtime_r(&time, &utc) == nullptr) return fmt::format("{} ms", epoch_ms);  // year out of range
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", 1900LL + utc.tm_year,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
}

std::string WatermarkText(int64_t watermark_ms) {
  if (watermark_ms == kMinWatermarkMs) return "";
  if (watermark_ms == kMaxWatermarkMs) return "end-of-input";
  return IsoTime(watermark_ms);
}

}  // namespace watershed
