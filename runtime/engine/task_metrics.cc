#include "runtime/engine/task_metrics.h"

#include <algorithm>
#include <utility>

#include "runtime/metrics/names.h"

namespace watershed {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

MetricLabels TaskLabels(const TaskSpec& spec, const std::string& vertex_name,
                        const TaskEnvironment& environment) {
  MetricLabels labels = environment.metric_labels;
  labels.emplace_back(metric_names::kJobId, spec.job.hex);
  labels.emplace_back(metric_names::kJobName, spec.job_name);
  labels.emplace_back(metric_names::kTaskId, spec.vertex_id);
  labels.emplace_back(metric_names::kTaskName, vertex_name);
  labels.emplace_back(metric_names::kSubtaskIndex, std::to_string(spec.subtask.value));
  labels.emplace_back(metric_names::kTaskAttempt, std::to_string(spec.attempt.value));
  return labels;
}

int64_t Ms(nanoseconds time) { return duration_cast<milliseconds>(time).count(); }

int64_t Sum(const std::vector<const Counter*>& counters) {
  int64_t sum = 0;
  for (const Counter* counter : counters) sum += counter->value();
  return sum;
}

}  // namespace

TaskMetrics::TaskMetrics(const TaskSpec& spec, const std::string& vertex_name,
                         const TaskEnvironment& environment)
    : clock_(environment.clock),
      registry_(environment.metrics),
      labels_(TaskLabels(spec, vertex_name, environment)),
      group_(registry_, labels_),
      records_in_(&group_.counter(metric_names::kTaskRecordsIn)),
      records_out_(&group_.counter(metric_names::kTaskRecordsOut)),
      bytes_in_(&group_.counter(metric_names::kTaskBytesIn)),
      bytes_out_(&group_.counter(metric_names::kTaskBytesOut)),
      input_watermark_(&group_.gauge(metric_names::kTaskInputWatermarkMs)),
      busy_per_second_(&group_.gauge(metric_names::kTaskBusyMsPerSecond)),
      idle_per_second_(&group_.gauge(metric_names::kTaskIdleMsPerSecond)),
      backpressured_per_second_(&group_.gauge(metric_names::kTaskBackPressuredMsPerSecond)),
      is_backpressured_(&group_.gauge(metric_names::kTaskIsBackPressured)) {
  input_watermark_->Set(kMinWatermarkMs);
  AddRate(group_, metric_names::kTaskRecordsIn, metric_names::kTaskRecordsInPerSecond);
  AddRate(group_, metric_names::kTaskRecordsOut, metric_names::kTaskRecordsOutPerSecond);
  AddRate(group_, metric_names::kTaskBytesIn, metric_names::kTaskBytesInPerSecond);
  AddRate(group_, metric_names::kTaskBytesOut, metric_names::kTaskBytesOutPerSecond);
  if (spec.checkpoint_storage == nullptr) return;
  alignment_ns_ = &group_.gauge(metric_names::kTaskAlignmentNs);
  start_delay_ns_ = &group_.gauge(metric_names::kTaskStartDelayNs);
}

void TaskMetrics::AddRate(MetricGroup& group, std::string_view counter, std::string_view rate) {
  rates_.push_back({&group.counter(counter), &group.gauge(rate)});
}

std::shared_ptr<MetricGroup> TaskMetrics::AddOperator(const std::string& id,
                                                      const std::string& name, bool is_sink) {
  MetricLabels labels = labels_;
  labels.emplace_back(metric_names::kOperatorId, id);
  labels.emplace_back(metric_names::kOperatorName, name);
  auto group = std::make_shared<MetricGroup>(registry_, std::move(labels));
  AddRate(*group, metric_names::kOperatorRecordsIn, metric_names::kOperatorRecordsInPerSecond);
  if (!is_sink) {
    AddRate(*group, metric_names::kOperatorRecordsOut, metric_names::kOperatorRecordsOutPerSecond);
  }
  return group;
}

void TaskMetrics::Start() { started_ = updated_ = clock_->Steady(); }

void TaskMetrics::Update(bool is_backpressured) {
  const nanoseconds now = clock_->Steady();
  const nanoseconds elapsed = now - updated_;
  if (elapsed <= nanoseconds(0)) return;
  const auto per_second = [elapsed](nanoseconds part) {
    return std::clamp<int64_t>(part.count() * 1000 / elapsed.count(), 0, 1000);
  };
  const int64_t idle = per_second(idle_ - idle_at_update_);
  const int64_t backpressured = per_second(backpressured_ - backpressured_at_update_);
  idle_per_second_->Set(idle);
  backpressured_per_second_->Set(backpressured);
  busy_per_second_->Set(std::max<int64_t>(1000 - idle - backpressured, 0));
  is_backpressured_->Set(is_backpressured ? 1 : 0);
  for (Rate& rate : rates_) {
    const int64_t value = rate.counter->value();
    const double seconds = std::chrono::duration<double>(elapsed).count();
    rate.per_second->Set(static_cast<int64_t>(static_cast<double>(value - rate.last) / seconds));
    rate.last = value;
  }
  idle_ms_.Set(Ms(idle_));
  backpressured_ms_.Set(Ms(backpressured_));
  busy_ms_.Set(Ms(now - started_ - idle_ - backpressured_));
  idle_at_update_ = idle_;
  backpressured_at_update_ = backpressured_;
  updated_ = now;
}

TaskFigures TaskMetrics::figures() const {
  TaskFigures figures;
  figures.records_in = records_in_->value();
  figures.records_out = records_out_->value();
  figures.bytes_in = bytes_in_->value();
  figures.bytes_out = bytes_out_->value();
  figures.records_written = records_written_.value();
  figures.late_records = Sum(late_);
  figures.skipped_records = Sum(skipped_);
  figures.dead_letter_records = Sum(dead_letters_);
  figures.input_watermark_ms = input_watermark_->value();
  figures.busy_ms = busy_ms_.value();
  figures.idle_ms = idle_ms_.value();
  figures.backpressured_ms = backpressured_ms_.value();
  if (source_lag_ != nullptr) figures.source_lag_records = source_lag_->value();
  figures.ended = ended_.load(std::memory_order_relaxed);
  return figures;
}

}  // namespace watershed
