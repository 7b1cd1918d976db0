#include "jobmanager/job/job_metrics.h"

#include <utility>

#include "runtime/metrics/names.h"

namespace watershed {

ClusterMetrics::ClusterMetrics(MetricRegistry* registry)
    : ClusterMetrics(std::make_unique<MetricGroup>(registry, MetricLabels{})) {}

ClusterMetrics::ClusterMetrics(std::unique_ptr<MetricGroup> group)
    : task_managers(group->gauge(metric_names::kRegisteredTaskManagers)),
      slots_total(group->gauge(metric_names::kTaskSlotsTotal)),
      slots_available(group->gauge(metric_names::kTaskSlotsAvailable)),
      running_jobs(group->gauge(metric_names::kRunningJobs)),
      group_(std::move(group)) {}

JobMetrics::JobMetrics(MetricRegistry* registry, const Clock* clock, const JobId& id,
                       const std::string& name)
    : group_(registry, {{std::string(metric_names::kJobId), id.hex},
                        {std::string(metric_names::kJobName), name}}) {
  group_.callback(metric_names::kJobUptimeMs, [this, clock] {
    const int64_t since = running_since_ms_.load();
    return since < 0 ? 0.0 : static_cast<double>(clock->NowMs() - since);
  });
  group_.gauge(metric_names::kJobRestarts).Set(0);
}

}  // namespace watershed
