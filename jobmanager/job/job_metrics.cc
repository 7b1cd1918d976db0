#include "jobmanager/job/job_metrics.h"

#include <algorithm>
#include <utility>

#include "runtime/metrics/names.h"

namespace watershed {
namespace {

MetricLabels OfJob(MetricLabels labels, const JobId& id, const std::string& name) {
  labels.emplace_back(metric_names::kJobId, id.hex);
  labels.emplace_back(metric_names::kJobName, name);
  return labels;
}

}  // namespace

ClusterMetrics::ClusterMetrics(MetricRegistry* registry, const MetricLabels& process)
    : ClusterMetrics(std::make_unique<MetricGroup>(registry, process)) {}

ClusterMetrics::ClusterMetrics(std::unique_ptr<MetricGroup> group)
    : task_managers(group->gauge(metric_names::kRegisteredTaskManagers)),
      slots_total(group->gauge(metric_names::kTaskSlotsTotal)),
      slots_available(group->gauge(metric_names::kTaskSlotsAvailable)),
      running_jobs(group->gauge(metric_names::kRunningJobs)),
      group_(std::move(group)) {}

JobMetrics::JobMetrics(MetricRegistry* registry, MetricLabels process, const Clock* clock,
                       const JobId& id, const std::string& name)
    : group_(registry, OfJob(std::move(process), id, name)),
      restarts_(group_.gauge(metric_names::kJobRestarts)) {
  group_.callback(metric_names::kJobUptimeMs, [this, clock] {
    const int64_t since = running_since_ms_.load();
    return since < 0 ? 0.0 : static_cast<double>(std::max<int64_t>(0, clock->NowMs() - since));
  });
}

void JobMetrics::Set(int32_t restarts, const v1::CheckpointStatistics* checkpoints) {
  restarts_.Set(restarts);
  if (checkpoints == nullptr) return;
  const auto set = [&](std::string_view name, int64_t value) { group_.gauge(name).Set(value); };
  set(metric_names::kJobCheckpoints, checkpoints->triggered());
  set(metric_names::kJobCompletedCheckpoints, checkpoints->completed());
  set(metric_names::kJobFailedCheckpoints, checkpoints->failed());
  set(metric_names::kJobCheckpointsInProgress, checkpoints->in_progress());
  // Flink says -1 until there is one.
  const v1::CheckpointSummary& last = checkpoints->latest_completed();
  const bool is_any = last.id() > 0;
  set(metric_names::kJobLastCompletedCheckpoint, is_any ? last.id() : -1);
  set(metric_names::kJobLastCheckpointDurationMs,
      is_any ? last.end_time_ms() - last.trigger_time_ms() : -1);
  set(metric_names::kJobLastCheckpointSize, is_any ? last.written_bytes() : -1);
  set(metric_names::kJobLastCheckpointFullSize, is_any ? last.state_bytes() : -1);
  const v1::CheckpointSummary& restored = checkpoints->restored();
  set(metric_names::kJobLastCheckpointRestore, restored.id() > 0 ? restored.end_time_ms() : -1);
}

}  // namespace watershed
