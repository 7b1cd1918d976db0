// What a JobDetails message means, for everyone who shows jobs to people (REST, wsctl): names of
// states, and figures of subtasks added up by vertex. Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "watershed/v1/control.pb.h"

namespace watershed {

// Flink's names: "RUNNING", "CANCELED", … "UNKNOWN" for a number this build does not know.
std::string_view NameOf(v1::JobState state);
// Flink's names of execution states: "RUNNING", "CANCELING", …
std::string_view NameOf(v1::TaskState state);
// FINISHED, CANCELED, FAILED: the job will not change any more.
bool IsEnded(v1::JobState state);
bool IsEnded(v1::TaskState state);

// Where a completed one lies for good, which `submit -s` takes: a savepoint's own directory, else
// the checkpoint's.
const std::string& PathOf(const v1::CheckpointSummary& checkpoint);

// The vertex reads a source; some node of it writes to a sink.
bool IsSource(const v1::Vertex& vertex);
bool HasSink(const v1::Vertex& vertex);

// A count over subtasks, some of which may not have told theirs yet.
struct PartialSum {
  int64_t value = 0;      // of those who told
  bool complete = false;  // every subtask told
  bool known = false;     // at least one did
};

struct VertexTotals {
  const v1::Vertex* vertex = nullptr;  // into the JobDetails
  std::vector<const v1::SubtaskStatus*> subtasks;
  v1::TaskState state = v1::TASK_CREATED;                   // as Flink derives it from its subtasks
  std::array<int32_t, v1::TaskState_ARRAYSIZE> by_state{};  // subtasks per TaskState number
  int64_t start_time_ms = -1;                               // first subtask's; -1: none has started
  int64_t end_time_ms = -1;                                 // last subtask's; -1: one has not ended
  PartialSum records_in, records_out, bytes_in, bytes_out;
  PartialSum late_records, skipped_records, dead_letter_records, source_lag_records;
  PartialSum busy_ms, idle_ms, backpressured_ms;
  // The lowest watermark of the subtasks that told theirs; kMinWatermarkMs when one has none yet.
  int64_t watermark_ms = 0;
  std::string message;  // the first subtask's that has one, prefixed with its number
};

// One entry per vertex of the plan, in its order. The result points into `details`.
std::vector<VertexTotals> TotalsByVertex(const v1::JobDetails& details);

// What came in by the sources and went out by the sinks.
struct JobTotals {
  PartialSum records_in;   // of source vertices
  PartialSum records_out;  // of vertices with a sink, other than for dead letters
  PartialSum late_records, skipped_records, dead_letter_records, source_lag_records;
};
JobTotals TotalsOfJob(const std::vector<VertexTotals>& vertices);

// ISO 8601 with milliseconds, UTC: "2026-11-21T10:30:00.000Z".
std::string IsoTime(int64_t epoch_ms);
// The same for a watermark; "" when there is none yet, "end-of-input" when the input has ended.
std::string WatermarkText(int64_t watermark_ms);

}  // namespace watershed
