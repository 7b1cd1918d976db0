// Figures of a task under Flink's names, and where its time goes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/task.h"
#include "runtime/metrics/metrics.h"

namespace watershed {

// Written by the task's thread; figures() from any thread.
class TaskMetrics {
 public:
  using Nanoseconds = std::chrono::nanoseconds;
  TaskMetrics(const TaskSpec& spec, const std::string& vertex_name,
              const TaskEnvironment& environment);

  // The group of one operator of the task, with the labels Flink gives it. It lives as long as
  // Update is called: rates of its records are among its metrics.
  std::shared_ptr<MetricGroup> AddOperator(const std::string& id, const std::string& name,
                                           bool is_sink);
  // An operator counter whose value is part of the task's late, skipped or dead-letter records.
  void SumLate(const Counter* counter) { late_.push_back(counter); }
  void SumSkipped(const Counter* counter) { skipped_.push_back(counter); }
  void SumDeadLetters(const Counter* counter) { dead_letters_.push_back(counter); }
  void set_source_lag(const Gauge* lag) { source_lag_ = lag; }

  Counter& records_in() { return *records_in_; }
  Counter& records_out() { return *records_out_; }
  Counter& bytes_in() { return *bytes_in_; }
  Counter& bytes_out() { return *bytes_out_; }
  Counter& records_written() { return records_written_; }
  Counter& dead_letters_written() { return dead_letters_written_; }  // no output of the job
  Gauge& input_watermark() { return *input_watermark_; }

  void SetEnded() { ended_.store(true, std::memory_order_relaxed); }
  void Start();
  void AddIdle(std::chrono::nanoseconds time) { idle_ += time; }
  void AddBackpressured(std::chrono::nanoseconds time) { backpressured_ += time; }
  // Of the barrier at hand. Only in a job with checkpoints.
  void OnBarrier(Nanoseconds alignment, Nanoseconds start_delay) {
    alignment_ns_->Set(alignment.count());
    start_delay_ns_->Set(start_delay.count());
  }
  // About once a second: shares of time and rates since the last call.
  void Update(bool is_backpressured);

  TaskFigures figures() const;

 private:
  struct Rate {
    const Counter* counter;
    Gauge* per_second;
    int64_t last = 0;
  };
  void AddRate(MetricGroup& group, std::string_view counter, std::string_view rate);

  const Clock* clock_;
  MetricRegistry* registry_;
  MetricLabels labels_;
  MetricGroup group_;

  Counter* records_in_;
  Counter* records_out_;
  Counter* bytes_in_;
  Counter* bytes_out_;
  Counter records_written_;
  Counter dead_letters_written_;
  Gauge* input_watermark_;
  Gauge* busy_per_second_;
  Gauge* idle_per_second_;
  Gauge* backpressured_per_second_;
  Gauge* is_backpressured_;
  Gauge* alignment_ns_ = nullptr;  // null: the job takes no checkpoints
  Gauge* start_delay_ns_ = nullptr;
  std::vector<Rate> rates_;
  std::vector<const Counter*> late_;
  std::vector<const Counter*> skipped_;
  std::vector<const Counter*> dead_letters_;
  const Gauge* source_lag_ = nullptr;
  std::atomic<bool> ended_{false};

  Nanoseconds started_{0}, updated_{0};
  Nanoseconds idle_{0}, backpressured_{0};
  Nanoseconds idle_at_update_{0}, backpressured_at_update_{0};
  Gauge busy_ms_, idle_ms_, backpressured_ms_;  // as of the last update
};

}  // namespace watershed
