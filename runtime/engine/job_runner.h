// Runs a whole plan in one process, without a cluster: `wsctl run` and the golden tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/engine/task.h"

namespace watershed {

// Figures of the whole job; sums over its tasks unless said otherwise.
struct JobProgress {
  int32_t tasks_total = 0;
  int32_t tasks_running = 0;
  int32_t tasks_ended = 0;
  int64_t records_in = 0;   // rows that sources handed out
  int64_t records_out = 0;  // rows that sinks took
  int64_t late_records = 0;
  int64_t skipped_records = 0;
  int64_t dead_letter_records = 0;
  int64_t source_lag_records = -1;         // -1: unknown
  int64_t watermark_ms = kMinWatermarkMs;  // the slowest task's, of those that have one
  std::string degraded_reason;             // of the first task that has one; empty: all is well
};

struct JobResult {
  TaskState state = TaskState::kCreated;  // kFinished, kCanceled or kFailed once ended
  Error failure;                          // kFailed only: the first task's that failed
};

struct JobRunnerOptions {
  TaskEnvironment environment;  // `channels` and `on_status` are the runner's own
  JobId job;                    // empty: a random one
  int64_t channel_capacity_bytes = 1 << 20;
};

// Every call from any thread.
class JobRunner {
 public:
  static std::unique_ptr<JobRunner> Create(std::shared_ptr<const v1::PhysicalPlan> plan,
                                           JobRunnerOptions options);
  virtual ~JobRunner() = default;  // cancels and joins

  // Discovers the splits and starts the tasks, on a thread of the runner's. An outside system that
  // is away is asked again with backoff, and shown in progress().degraded_reason.
  virtual void Start() = 0;
  virtual void Cancel() = 0;
  // True once every task has ended. A task that fails cancels the others.
  virtual bool WaitFor(std::chrono::milliseconds timeout) = 0;
  virtual JobResult result() const = 0;
  virtual JobProgress progress() const = 0;
};

}  // namespace watershed
