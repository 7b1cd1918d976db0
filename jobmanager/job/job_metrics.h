// The JobManager's own metrics, under Flink's names.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/metrics/metrics.h"
#include "runtime/types/clock.h"
#include "runtime/types/ids.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

class ClusterMetrics {
 public:
  ClusterMetrics(MetricRegistry* registry, const MetricLabels& process);
  Gauge& task_managers;
  Gauge& slots_total;
  Gauge& slots_available;
  Gauge& running_jobs;

 private:
  explicit ClusterMetrics(std::unique_ptr<MetricGroup> group);
  std::unique_ptr<MetricGroup> group_;
};

// Of one job, as long as it has not ended.
class JobMetrics {
 public:
  JobMetrics(MetricRegistry* registry, MetricLabels process, const Clock* clock, const JobId& id,
             const std::string& name);
  void SetRunningSince(int64_t time_ms) { running_since_ms_.store(time_ms); }  // -1: not running
  void Set(int32_t restarts, const v1::CheckpointStatistics* checkpoints);     // null: takes none

 private:
  std::atomic<int64_t> running_since_ms_{-1};
  MetricGroup group_;
  Gauge& restarts_;
};

}  // namespace watershed
