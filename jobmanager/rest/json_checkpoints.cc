// Views of a job's checkpoints.
#include <algorithm>
#include <cmath>
#include <limits>

#include "jobmanager/rest/checkpoint_json.h"
#include "jobmanager/rest/json_views.h"
#include "runtime/status/job_status.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

const char* StatusName(v1::CheckpointSummary::Status status) {
  if (status == v1::CheckpointSummary::COMPLETED) return "COMPLETED";
  return status == v1::CheckpointSummary::FAILED ? "FAILED" : "IN_PROGRESS";
}

namespace {

int64_t DurationMs(const v1::CheckpointSummary& checkpoint, int64_t now_ms) {
  const int64_t end_ms = checkpoint.end_time_ms() > 0 ? checkpoint.end_time_ms() : now_ms;
  return std::max<int64_t>(0, end_ms - checkpoint.trigger_time_ms());
}

}  // namespace

Json CheckpointJson(const v1::CheckpointSummary& checkpoint, int64_t now_ms) {
  const bool completed = checkpoint.status() == v1::CheckpointSummary::COMPLETED;
  const bool failed = checkpoint.status() == v1::CheckpointSummary::FAILED;
  Json json = {{"className", completed ? "completed"
                             : failed  ? "failed"
                                       : "in_progress"},
               {"id", checkpoint.id()},
               {"status", StatusName(checkpoint.status())},
               {"is_savepoint", checkpoint.is_savepoint()},
               {"savepointFormat", checkpoint.is_savepoint() ? Json("NATIVE") : Json()},
               {"trigger_timestamp", checkpoint.trigger_time_ms()},
               {"latest_ack_timestamp", completed ? checkpoint.end_time_ms() : -1},
               {"checkpointed_size", checkpoint.written_bytes()},
               {"state_size", checkpoint.state_bytes()},
               {"end_to_end_duration", DurationMs(checkpoint, now_ms)},
               {"alignment_buffered", 0},
               {"processed_data", 0},
               {"persisted_data", 0},
               {"num_subtasks", checkpoint.subtasks()},
               {"num_acknowledged_subtasks", checkpoint.acknowledged()},
               {"checkpoint_type", checkpoint.is_savepoint() ? "SAVEPOINT" : "CHECKPOINT"},
               {"tasks", Json::object()}};
  if (completed) {
    json["external_path"] = PathOf(checkpoint);
    json["discarded"] = false;
  } else if (failed) {
    json["failure_timestamp"] = checkpoint.end_time_ms();
    json["failure_message"] = checkpoint.failure();
  }
  return json;
}

Json DistributionJson(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double quantile) -> double {
    if (values.empty()) return 0;
    const double last = static_cast<double>(values.size() - 1);
    return static_cast<double>(values[static_cast<size_t>(std::lround(quantile * last))]);
  };
  int64_t sum = 0;
  for (const int64_t value : values) sum += value;
  const auto count = static_cast<int64_t>(values.size());
  return {{"min", values.empty() ? 0 : values.front()},
          {"max", values.empty() ? 0 : values.back()},
          {"avg", count == 0 ? 0 : sum / count},
          {"p50", at(0.5)},
          {"p90", at(0.9)},
          {"p95", at(0.95)},
          {"p99", at(0.99)},
          {"p999", at(0.999)}};
}

namespace {

// Over the completed ones that are still shown.
Json SummaryJson(const v1::CheckpointStatistics& checkpoints) {
  std::vector<int64_t> written, state, durations;
  for (const v1::CheckpointSummary& checkpoint : checkpoints.recent()) {
    if (checkpoint.status() != v1::CheckpointSummary::COMPLETED) continue;
    written.push_back(checkpoint.written_bytes());
    state.push_back(checkpoint.state_bytes());
    durations.push_back(DurationMs(checkpoint, checkpoint.end_time_ms()));
  }
  Json json = {{"checkpointed_size", DistributionJson(std::move(written))},
               {"state_size", DistributionJson(std::move(state))},
               {"end_to_end_duration", DistributionJson(std::move(durations))}};
  for (const char* unused : {"alignment_buffered", "processed_data", "persisted_data"}) {
    json[unused] = DistributionJson({});
  }
  return json;
}

Json LatestJson(const v1::CheckpointStatistics& checkpoints, int64_t now_ms) {
  const auto or_null = [&](const v1::CheckpointSummary& checkpoint) {
    return checkpoint.id() > 0 ? CheckpointJson(checkpoint, now_ms) : Json();
  };
  const v1::CheckpointSummary& restored = checkpoints.restored();
  Json restored_json;
  if (restored.id() > 0) {
    restored_json = {{"id", restored.id()},
                     {"restore_timestamp", restored.end_time_ms()},
                     {"is_savepoint", restored.is_savepoint()},
                     {"external_path", PathOf(restored)}};
  }
  return {{"completed", or_null(checkpoints.latest_not_savepoint())},
          {"savepoint", or_null(checkpoints.latest_savepoint())},
          {"failed", or_null(checkpoints.latest_failed())},
          {"restored", std::move(restored_json)}};
}

}  // namespace

Json CheckpointsJson(const v1::JobDetails& job, int64_t now_ms) {
  const v1::CheckpointStatistics& checkpoints = job.checkpoints();
  Json history = Json::array();
  for (const v1::CheckpointSummary& checkpoint : checkpoints.recent()) {
    history.push_back(CheckpointJson(checkpoint, now_ms));
  }
  return {{"counts",
           {{"restored", checkpoints.restored_count()},
            {"total", checkpoints.triggered()},
            {"in_progress", checkpoints.in_progress()},
            {"completed", checkpoints.completed()},
            {"failed", checkpoints.failed()}}},
          {"summary", SummaryJson(checkpoints)},
          {"latest", LatestJson(checkpoints, now_ms)},
          {"history", std::move(history)},
          {"watershed",
           {{"damaged", checkpoints.damaged()}, {"last-damage", checkpoints.last_damage()}}}};
}

Json CheckpointConfigJson(const v1::JobDetails& job) {
  const v1::CheckpointStatistics& checkpoints = job.checkpoints();
  const int64_t interval_ms = checkpoints.interval_ms();
  return {{"mode", "exactly_once"},
          // Flink's word for none, which its dashboard looks for.
          {"interval", interval_ms > 0 ? interval_ms : std::numeric_limits<int64_t>::max()},
          {"timeout", checkpoints.timeout_ms()},
          {"min_pause", checkpoints.min_pause_ms()},
          {"max_concurrent", 1},
          {"externalization", {{"enabled", true}, {"delete_on_cancellation", false}}},
          {"state_backend", "RocksDB"},
          {"checkpoint_storage", checkpoints.directory()},
          {"unaligned_checkpoints", false},
          {"tolerable_failed_checkpoints", checkpoints.tolerable_failures()},
          {"aligned_checkpoint_timeout", 0},
          {"checkpoints_after_tasks_finish", true},
          {"state_changelog_enabled", false},
          {"changelog_storage", ""},
          {"changelog_periodic_materialization_interval", 0}};
}

}  // namespace watershed
