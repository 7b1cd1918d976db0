#include "tests/unit/engine/checkpointed_job.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/restore.h"
#include "runtime/engine/split_proto.h"
#include "runtime/job/compile.h"
#include "runtime/job/physical_planner.h"
#include "runtime/job/split_assignment.h"
#include "runtime/types/key_encoding.h"
#include "tests/support/stepped_serial_runner.h"
#include "watershed/v1/control.pb.h"

namespace watershed {
namespace {

constexpr const char* kJob = R"(
kind: Job
name: checkpointed
sources:
  events:
    connector: kafka
    topic: events
    properties.bootstrap.servers: nowhere
    scan.startup.mode: earliest-offset
    format: json
    columns: { key: string, time: timestamp }
    watermark: { column: time, delay: 2ms }
operators:
  sessions:
    input: events
    type: session-window
    gap: 10ms
    key: [key]
    aggregate: { n: count(*) }
sinks:
  out: { input: sessions, connector: blackhole }
)";

std::shared_ptr<const v1::PhysicalPlan> Plan(int32_t parallelism) {
  const CompileResult compiled = CompileJobFile(kJob, {});
  EXPECT_TRUE(compiled.ok()) << ToString(compiled.diagnostics);
  auto plan = PlanJob(*compiled.graph, {.parallelism = parallelism});
  EXPECT_TRUE(plan) << plan.error().message;
  return std::make_shared<const v1::PhysicalPlan>(std::move(*plan));
}

}  // namespace

CheckpointedJob::CheckpointedJob(std::shared_ptr<LogWorld> world,
                                 std::shared_ptr<FaultyStorage> storage)
    : world_(std::move(world)), storage_(std::move(storage)), connectors_(world_) {}
CheckpointedJob::~CheckpointedJob() { Kill(); }

TaskEnvironment CheckpointedJob::Environment() {
  TaskEnvironment environment;
  environment.clock = &clock;
  environment.options.auto_watermark_interval_ms = watermark_interval_ms;
  environment.connectors = &connectors_;
  environment.metrics = &metrics_;
  environment.keyed_state = &keyed_state_;
  environment.memory = memory;
  environment.channels = channels_.get();
  environment.temporary_directory = testing::TempDir() + "/checkpointed_job";
  environment.snapshot_io = &io;
  environment.checkpoints = this;
  environment.make_sink_runner = [this] {
    return std::make_unique<SteppedSerialRunner>(&sink_calls);
  };
  environment.on_status = [this](const TaskSpec& spec, const TaskStatus& status) {
    if (failures_expected) return;
    EXPECT_NE(status.state, TaskState::kFailed) << spec.vertex_id << ": " << status.failure.message;
  };
  return environment;
}

void CheckpointedJob::Start(int32_t parallelism, const v1::CheckpointManifest* from,
                            bool with_checkpoints) {
  channels_ = std::make_unique<LocalChannelProvider>(1 << 20);
  plan_ = Plan(parallelism);
  ++attempt_;
  RestoreAssignment assignment;
  if (from != nullptr) {
    auto assigned = AssignRestore(*from, *plan_);
    ASSERT_TRUE(assigned) << assigned.error().message;
    assignment = std::move(*assigned);
  }
  std::vector<SourceSplit> splits;
  for (const auto& [id, rows] : world_->log) splits.push_back({.id = id, .topic = "events"});
  const auto fresh = AssignSplits(splits, parallelism);
  for (const v1::Vertex& vertex : plan_->vertices()) {
    for (int32_t subtask = 0; subtask < vertex.parallelism(); ++subtask) {
      TaskSpec spec{.job = {"job"}, .job_name = "checkpointed", .attempt = {attempt_}};
      spec.plan = plan_;
      spec.vertex_id = vertex.id();
      spec.subtask = {subtask};
      spec.lineage = "lineage";
      spec.unique = fmt::format("unique{}", attempt_);
      if (with_checkpoints) spec.checkpoint_storage = storage_;
      spec.suspended = suspended;
      const auto restored = assignment.subtasks.find({vertex.id(), subtask});
      if (restored != assignment.subtasks.end()) {
        spec.restore = std::make_shared<v1::SubtaskRestore>(restored->second);
      }
      const auto index = static_cast<size_t>(subtask);
      if (const auto moved = assignment.splits.find(vertex.id());
          moved != assignment.splits.end()) {
        for (const v1::Split& split : moved->second[index]) spec.splits.push_back(FromProto(split));
      } else if (tasks_.size() < static_cast<size_t>(parallelism)) {
        spec.splits = fresh[index];
      }
      AddTask(std::move(spec));
    }
  }
}

void CheckpointedJob::AddTask(TaskSpec spec) {
  auto task = std::make_unique<TaskCore>(std::move(spec), Environment());
  const Status built = task->Build();
  ASSERT_TRUE(built) << built.error().message;
  tasks_.push_back(std::move(task));
}

void CheckpointedJob::Kill() {
  tasks_.clear();
  while (io.waiting() > 0) io.Step();  // of writers that were given up
  while (sink_calls.waiting() > 0) sink_calls.Step();
}

bool CheckpointedJob::StepAll() {
  bool progressed = false;
  for (const auto& task : tasks_) progressed |= task->Step() == TaskCore::StepResult::kProgressed;
  if (!hold_io) progressed |= io.Step();
  if (!hold_sink_calls) progressed |= sink_calls.Step();
  return progressed;
}

bool CheckpointedJob::RunUntil(const std::function<bool()>& condition) {
  for (int round = 0; round < 20'000; ++round) {
    if (condition()) return true;
    if (!StepAll()) clock.Advance(std::chrono::milliseconds(5));
  }
  return false;
}

bool CheckpointedJob::RunUntilRunning() {
  return RunUntil([this] {
    return std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
      return task->status().state >= TaskState::kRunning;
    });
  });
}

bool CheckpointedJob::RunToTheEnd() {
  return RunUntil([this] {
    return std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
      return task->status().state == TaskState::kFinished;
    });
  });
}

bool CheckpointedJob::AllEnded() const {
  return std::all_of(tasks_.begin(), tasks_.end(),
                     [](const auto& task) { return task->figures().ended; });
}

void CheckpointedJob::Trigger(int64_t checkpoint, SourceStop stop) {
  for (const auto& task : tasks_) {
    task->TriggerCheckpoint({{checkpoint}, clock.NowMs(), false}, stop);
  }
}
void CheckpointedJob::Complete(int64_t checkpoint, bool is_last) {
  for (const auto& task : tasks_) task->NotifyCheckpointComplete({checkpoint}, is_last);
}
void CheckpointedJob::Abort(int64_t checkpoint) {
  for (const auto& task : tasks_) task->NotifyCheckpointAborted({checkpoint});
}

double CheckpointedJob::MetricSum(std::string_view name) const {
  double sum = 0;
  for (const MetricSample& sample : metrics_.Collect()) {
    if (sample.name == name) sum += sample.value;
  }
  return sum;
}

v1::CheckpointManifest CheckpointedJob::Take(int64_t checkpoint, SourceStop stop) {
  Trigger(checkpoint, stop);
  EXPECT_TRUE(RunUntil([&] { return Acknowledged(checkpoint); })) << "checkpoint " << checkpoint;
  return Manifest(checkpoint);
}

v1::CheckpointManifest CheckpointedJob::Manifest(int64_t checkpoint) const {
  v1::CheckpointManifest manifest;
  manifest.set_format_version(kManifestVersion);
  manifest.set_key_encoding_version(kKeyEncodingVersion);
  manifest.set_job_id("job");
  manifest.set_lineage("lineage");
  manifest.set_checkpoint_id(checkpoint);
  manifest.set_attempt(attempt_);
  *manifest.mutable_plan() = *plan_;
  for (const v1::Vertex& vertex : plan_->vertices()) {
    for (int32_t subtask = 0; subtask < vertex.parallelism(); ++subtask) {
      *manifest.add_subtasks() = acknowledged.at(checkpoint).at({vertex.id(), subtask});
    }
  }
  return manifest;
}

void CheckpointedJob::Acknowledge(const TaskSpec& task, CheckpointId checkpoint,
                                  const v1::SubtaskSnapshot& snapshot) {
  const bool is_first = acknowledged[checkpoint.value]
                            .emplace(Key{task.vertex_id, task.subtask.value}, snapshot)
                            .second;
  EXPECT_TRUE(is_first) << "acknowledged twice";
}
void CheckpointedJob::Decline(const TaskSpec& task, CheckpointId checkpoint, const Error& reason) {
  declined[checkpoint.value][{task.vertex_id, task.subtask.value}] = reason.message;
}
void CheckpointedJob::Confirm(const TaskSpec& task, CheckpointId checkpoint) {
  confirmed[checkpoint.value].insert({task.vertex_id, task.subtask.value});
}

}  // namespace watershed
