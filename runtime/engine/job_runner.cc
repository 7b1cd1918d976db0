#include "runtime/engine/job_runner.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/engine/backoff.h"
#include "runtime/engine/connector_factory.h"
#include "runtime/engine/local_channel_provider.h"
#include "runtime/job/split_assignment.h"
#include "runtime/types/random_hex.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {
namespace {

using SplitsOfVertices = std::map<std::string, std::vector<std::vector<SourceSplit>>>;

class InProcessRunner final : public JobRunner {
 public:
  InProcessRunner(std::shared_ptr<const v1::PhysicalPlan> plan, JobRunnerOptions options)
      : plan_(std::move(plan)),
        options_(std::move(options)),
        job_(options_.job.hex.empty() ? JobId{RandomHex()} : options_.job),
        channels_(options_.channel_capacity_bytes) {
    TaskEnvironment& environment = options_.environment;
    if (environment.clock == nullptr) environment.clock = &SystemClock();
    if (environment.metrics == nullptr) environment.metrics = &metrics_;
    if (environment.connectors == nullptr) environment.connectors = &BuiltInConnectors();
    environment.channels = &channels_;
    environment.on_status = [this](const TaskSpec&, const TaskStatus& status) { OnStatus(status); };
  }

  ~InProcessRunner() override {
    Cancel();
    if (thread_.joinable()) thread_.join();
    tasks_.clear();
  }

  void Start() override {
    thread_ = std::thread([this] { Run(); });
  }

  void Cancel() override {
    std::lock_guard lock(mutex_);
    cancel_requested_ = true;
    changed_.notify_all();
  }

  bool WaitFor(std::chrono::milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return HasEnded(result_.state); });
  }

  JobResult result() const override {
    std::lock_guard lock(mutex_);
    return result_;
  }

  JobProgress progress() const override {
    std::lock_guard lock(mutex_);
    JobProgress progress;
    progress.degraded_reason = degraded_reason_;
    for (const v1::Vertex& vertex : plan_->vertices()) progress.tasks_total += vertex.parallelism();
    for (const auto& task : tasks_) AddTask(*task, progress);
    return progress;
  }

 private:
  static void AddTask(const Task& task, JobProgress& progress) {
    const TaskFigures figures = task.figures();
    const TaskStatus status = task.status();
    if (status.state == TaskState::kRunning) ++progress.tasks_running;
    if (HasEnded(status.state)) ++progress.tasks_ended;
    if (figures.source_lag_records >= 0) {
      progress.source_lag_records =
          std::max<int64_t>(progress.source_lag_records, 0) + figures.source_lag_records;
    }
    if (task.is_source()) progress.records_in += figures.records_in;
    progress.records_out += figures.records_written;
    progress.late_records += figures.late_records;
    progress.skipped_records += figures.skipped_records;
    progress.dead_letter_records += figures.dead_letter_records;
    const int64_t watermark_ms = figures.input_watermark_ms;
    if (watermark_ms != kMinWatermarkMs) {
      progress.watermark_ms = progress.watermark_ms == kMinWatermarkMs
                                  ? watermark_ms
                                  : std::min(progress.watermark_ms, watermark_ms);
    }
    if (progress.degraded_reason.empty()) progress.degraded_reason = status.degraded_reason;
  }

  void OnStatus(const TaskStatus& status) {
    std::lock_guard lock(mutex_);
    if (HasEnded(status.state)) ++ended_tasks_;
    if (status.state == TaskState::kFailed && !failure_) failure_ = status.failure;
    changed_.notify_all();
  }

  void Run() {
    Status status;
    try {
      status = Deploy();
    } catch (const std::exception& e) {
      status = InternalError("starting the job threw: {}", e.what());
    }
    std::unique_lock lock(mutex_);
    if (!status) {
      failure_ = std::move(status).error();
    } else if (!tasks_.empty()) {
      result_.state = TaskState::kRunning;
      WaitForTasks(lock);
    }
    RemoveDirectory();
    if (failure_) {
      result_ = {TaskState::kFailed, *failure_};
    } else {
      result_.state = finished_ ? TaskState::kFinished : TaskState::kCanceled;
    }
    changed_.notify_all();
  }

  // Discovers, builds all tasks, then starts them. Leaves tasks_ empty when canceled meanwhile.
  Status Deploy() {
    WS_RETURN_IF_ERROR(MakeDirectory());
    WS_ASSIGN_OR_RETURN(const SplitsOfVertices splits, DiscoverSplits());
    std::vector<std::unique_ptr<Task>> tasks;
    for (const v1::Vertex& vertex : plan_->vertices()) {
      for (int32_t subtask = 0; subtask < vertex.parallelism(); ++subtask) {
        TaskSpec spec{.job = job_,
                      .job_name = plan_->job_name(),
                      .attempt = {0},
                      .plan = plan_,
                      .vertex_id = vertex.id(),
                      .subtask = {subtask}};
        const auto of_vertex = splits.find(vertex.id());
        if (of_vertex != splits.end())
          spec.splits = of_vertex->second[static_cast<size_t>(subtask)];
        WS_ASSIGN_OR_RETURN(auto task, Task::Create(std::move(spec), options_.environment));
        tasks.push_back(std::move(task));
      }
    }
    std::lock_guard lock(mutex_);
    if (cancel_requested_) return Ok();
    tasks_ = std::move(tasks);
    for (const auto& task : tasks_) task->Start();
    return Ok();
  }

  Status MakeDirectory() {
    std::string& directory = options_.environment.temporary_directory;
    std::error_code error;
    if (directory.empty()) {
      own_directory_ = std::filesystem::temp_directory_path(error) / ("watershed-" + job_.hex);
      directory = own_directory_.string();
    }
    std::filesystem::create_directories(directory, error);
    if (error)
      return ExternalError("cannot create the folder '{}': {}", directory, error.message());
    return Ok();
  }

  void RemoveDirectory() {
    std::error_code ignored;
    if (!own_directory_.empty()) std::filesystem::remove_all(own_directory_, ignored);
  }

  Result<SplitsOfVertices> DiscoverSplits() {
    SplitsOfVertices all;
    for (const v1::Vertex& vertex : plan_->vertices()) {
      for (const v1::PlanNode& node : vertex.nodes()) {
        if (!node.has_table_source_scan()) continue;
        WS_ASSIGN_OR_RETURN(const std::vector<SourceSplit> splits,
                            DiscoverSplitsOf(node, vertex.parallelism()));
        all[vertex.id()] = AssignSplits(splits, vertex.parallelism());
      }
    }
    return all;
  }

  Result<std::vector<SourceSplit>> DiscoverSplitsOf(const v1::PlanNode& node, int32_t parallelism) {
    const TaskEnvironment& environment = options_.environment;
    MetricGroup metrics(environment.metrics, environment.metric_labels);
    ConnectorContext context;
    context.job_name = plan_->job_name();
    context.operator_id = node.id();
    context.parallelism = parallelism;
    context.clock = environment.clock;
    context.metrics = &metrics;
    context.temporary_directory = environment.temporary_directory;
    Backoff backoff(1);
    while (true) {
      auto splits = Discover(node.table_source_scan().connector(), context);
      if (splits) {
        SetDegraded({});
        return splits;
      }
      Error error = std::move(splits).error().Within(fmt::format("source '{}'", node.id()));
      if (!error.retryable) return tl::make_unexpected(std::move(error));
      const auto delay = backoff.Next();
      SetDegraded(fmt::format("{}; trying again in {} ms", error.message, delay.count()));
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, delay, [this] { return cancel_requested_; })) {
        return std::vector<SourceSplit>{};
      }
    }
  }

  Result<std::vector<SourceSplit>> Discover(const v1::Connector& connector,
                                            const ConnectorContext& context) {
    WS_ASSIGN_OR_RETURN(auto enumerator,
                        options_.environment.connectors->MakeSplitEnumerator(connector, context));
    return enumerator->Discover();
  }

  void SetDegraded(std::string reason) {
    std::lock_guard lock(mutex_);
    degraded_reason_ = std::move(reason);
  }

  // Until every task has ended; the first failure, or a cancel, ends them all.
  void WaitForTasks(std::unique_lock<std::mutex>& lock) {
    bool cancelled = false;
    while (ended_tasks_ < tasks_.size()) {
      if (!cancelled && (cancel_requested_ || failure_)) {
        cancelled = true;
        for (const auto& task : tasks_) task->Cancel();
      }
      changed_.wait(lock);
    }
    lock.unlock();
    for (const auto& task : tasks_) task->Join();
    lock.lock();
    finished_ = std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
      return task->status().state == TaskState::kFinished;
    });
  }

  std::shared_ptr<const v1::PhysicalPlan> plan_;
  JobRunnerOptions options_;
  const JobId job_;
  MetricRegistry metrics_;
  LocalChannelProvider channels_;
  std::filesystem::path own_directory_;
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool cancel_requested_ = false;
  bool finished_ = false;
  size_t ended_tasks_ = 0;
  std::optional<Error> failure_;
  std::string degraded_reason_;
  JobResult result_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace

std::unique_ptr<JobRunner> JobRunner::Create(std::shared_ptr<const v1::PhysicalPlan> plan,
                                             JobRunnerOptions options) {
  return std::make_unique<InProcessRunner>(std::move(plan), std::move(options));
}

}  // namespace watershed
