// Whole tasks and jobs over scripted connectors: how they start, fail, are canceled and end.
#include "runtime/engine/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/engine/connector_factory.h"
#include "runtime/engine/job_runner.h"
#include "runtime/types/schema_proto.h"
#include "tests/unit/engine/scripted_sink.h"
#include "tests/unit/engine/scripted_source.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Makes typed rows from a script, so that no format is needed: "key@time" through KeyTimeDecoder.
class TypedSource final : public Source {
 public:
  explicit TypedSource(std::shared_ptr<SourceScript> script) : inner_(std::move(script)) {}
  Status Open(std::span<const SourceSplit> splits) override { return inner_.Open(splits); }
  Status AddSplits(std::span<const SourceSplit> splits) override {
    return inner_.AddSplits(splits);
  }
  Status Poll(PolledRecords& out, int max, milliseconds deadline) override {
    WS_RETURN_IF_ERROR(inner_.Poll(out, max, deadline));
    BatchBuilder builder(KeyTimeSchema());
    std::vector<std::string_view> payloads;
    for (const RawRecord& record : out.raw) payloads.push_back(record.value);
    std::vector<int32_t> decoded;
    std::vector<DecodeError> errors;
    KeyTimeDecoder().Decode(payloads, builder, decoded, errors);
    if (!errors.empty()) return ExternalError("the broker is gone for good");
    for (const RawRecord& record : out.raw) out.row_splits.push_back(record.split_index);
    out.raw.clear();
    if (builder.num_rows() > 0) out.rows = builder.Finish();
    return Ok();
  }
  Status Pause(int32_t split) override { return inner_.Pause(split); }
  Status Resume(int32_t split) override { return inner_.Resume(split); }
  std::vector<SplitPosition> Positions() const override { return inner_.Positions(); }
  void OnCheckpointComplete(std::span<const SplitPosition>) override {}
  void Close() override { inner_.Close(); }

 private:
  ScriptedSource inner_;
};

class ScriptedEnumerator final : public SplitEnumerator {
 public:
  ScriptedEnumerator(int splits, std::shared_ptr<std::deque<Error>> errors)
      : splits_(splits), errors_(std::move(errors)) {}
  Result<std::vector<SourceSplit>> Discover() override {
    if (!errors_->empty()) {
      Error error = std::move(errors_->front());
      errors_->pop_front();
      return tl::make_unexpected(std::move(error));
    }
    std::vector<SourceSplit> splits;
    for (int i = 0; i < splits_; ++i) splits.push_back({.id = "split-" + std::to_string(i)});
    return splits;
  }

 private:
  int splits_;
  std::shared_ptr<std::deque<Error>> errors_;
};

class ScriptedConnectors final : public ConnectorFactory {
 public:
  Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector&, const ConnectorContext&) const override {
    return std::make_unique<ScriptedEnumerator>(splits, discovery_errors);
  }
  Result<std::unique_ptr<Source>> MakeSource(const v1::Connector&, SchemaPtr,
                                             const ConnectorContext& context) const override {
    return std::make_unique<TypedSource>(sources.at(static_cast<size_t>(context.subtask.value)));
  }
  Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector&, SchemaPtr, std::unique_ptr<Encoder>,
                                         const ConnectorContext&) const override {
    return std::make_unique<ScriptedSink>(sink);
  }

  int splits = 1;
  std::shared_ptr<std::deque<Error>> discovery_errors = std::make_shared<std::deque<Error>>();
  std::vector<std::shared_ptr<SourceScript>> sources = {std::make_shared<SourceScript>()};
  std::shared_ptr<SinkScript> sink = std::make_shared<SinkScript>();
};

// source -> sink, in one vertex.
std::shared_ptr<const v1::PhysicalPlan> Plan(int parallelism) {
  auto plan = std::make_shared<v1::PhysicalPlan>();
  plan->set_job_name("scripted");
  plan->set_max_parallelism(128);
  v1::Vertex* vertex = plan->add_vertices();
  vertex->set_id("0123456789abcdef0123456789abcdef");
  vertex->set_name("Source: events -> Sink: out");
  vertex->set_parallelism(parallelism);
  v1::PlanNode* scan = vertex->add_nodes();
  scan->set_id("events");
  scan->mutable_table_source_scan()->mutable_connector()->set_name("scripted");
  SchemaToProto(*KeyTimeSchema(), scan->mutable_output_schema());
  v1::PlanNode* assigner = vertex->add_nodes();
  assigner->set_id("events/watermark");
  assigner->add_inputs()->set_node_id("events");
  assigner->mutable_watermark_assigner()->mutable_watermark()->set_column("time");
  v1::PlanNode* sink = vertex->add_nodes();
  sink->set_id("out");
  sink->add_inputs()->set_node_id("events/watermark");
  sink->mutable_sink()->mutable_connector()->set_name("scripted");
  SchemaToProto(*KeyTimeSchema(), sink->mutable_input_schema());
  return plan;
}

class JobTest : public ::testing::Test {
 protected:
  void Start(int parallelism = 1) {
    JobRunnerOptions options;
    options.environment.connectors = &connectors_;
    options.environment.metrics = &registry_;
    options.environment.options.sink_epoch_size_bytes = 1;
    options.environment.options.cancel_grace_ms = cancel_grace_ms_;
    runner_ = JobRunner::Create(Plan(parallelism), std::move(options));
    runner_->Start();
  }
  JobResult Await() {
    EXPECT_TRUE(runner_->WaitFor(seconds(60)));
    return runner_->result();
  }
  // Asks until it is so. The job changes by itself; nothing tells when.
  template <typename Condition>
  void AwaitThat(Condition condition) {
    while (!condition()) runner_->WaitFor(milliseconds(1));
  }

  int64_t cancel_grace_ms_ = 60'000;
  MetricRegistry registry_;
  ScriptedConnectors connectors_;
  std::unique_ptr<JobRunner> runner_;
};

TEST_F(JobTest, FinishesWhenTheLastEpochIsCommitted) {
  connectors_.sources[0]->answers.push_back({.records = {{0, "a@1"}, {0, "b@2"}}});
  connectors_.sources[0]->answers.push_back({.finished = true});
  Start();
  EXPECT_EQ(Await().state, TaskState::kFinished);
  EXPECT_THAT(connectors_.sink->committed, ElementsAre("a;b;"));
  EXPECT_TRUE(connectors_.sink->closed);
  const JobProgress progress = runner_->progress();
  EXPECT_EQ(progress.records_in, 2);
  EXPECT_EQ(progress.records_out, 2);
  EXPECT_EQ(progress.watermark_ms, kMaxWatermarkMs);
  EXPECT_EQ(progress.tasks_ended, 1);
}

TEST_F(JobTest, AFailedTaskCancelsTheOthersAndIsTheResult) {
  connectors_.splits = 2;
  connectors_.sources.push_back(std::make_shared<SourceScript>());
  connectors_.sources[1]->answers.push_back({.records = {{0, "bad"}}});
  Start(/*parallelism=*/2);  // subtask 0 would run for ever
  const JobResult result = Await();
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_EQ(result.failure.message, "source 'events' subtask 1: the broker is gone for good");
}

TEST_F(JobTest, IsCanceledWhileItRuns) {
  Start();
  AwaitThat([&] { return runner_->progress().tasks_running == 1; });
  runner_->Cancel();
  EXPECT_EQ(Await().state, TaskState::kCanceled);
  EXPECT_THAT(connectors_.sources[0]->calls, ElementsAre("close"));
}

TEST_F(JobTest, IsCanceledDuringACommitThatDoesNotComeBack) {
  cancel_grace_ms_ = 0;
  connectors_.sink->HoldCommits(true);
  connectors_.sources[0]->answers.push_back({.records = {{0, "a@1"}}});
  Start();
  connectors_.sink->AwaitCommitsBegun(1);
  runner_->Cancel();
  EXPECT_EQ(Await().state, TaskState::kCanceled);
  connectors_.sink->HoldCommits(false);
  connectors_.sink->AwaitDestroyed();
}

TEST_F(JobTest, IsCanceledWhileItWaitsForTheLastCommit) {
  cancel_grace_ms_ = 0;
  connectors_.sink->HoldCommits(true);
  connectors_.sources[0]->answers.push_back({.records = {{0, "a@1"}}});
  connectors_.sources[0]->answers.push_back({.finished = true});
  Start();
  connectors_.sink->AwaitCommitsBegun(1);
  runner_->Cancel();
  EXPECT_EQ(Await().state, TaskState::kCanceled);
  connectors_.sink->HoldCommits(false);
  connectors_.sink->AwaitDestroyed();
}

TEST_F(JobTest, IsCanceledWhileTheSinkCannotBeOpened) {
  for (int i = 0; i < 1000; ++i) {
    connectors_.sink->open_errors.push_back({ErrorDomain::kExternal, true, "connection refused"});
  }
  Start();
  AwaitThat([&] { return !runner_->progress().degraded_reason.empty(); });
  EXPECT_THAT(runner_->progress().degraded_reason,
              HasSubstr("sink 'out' subtask 0: connection refused; trying again in"));
  runner_->Cancel();
  EXPECT_EQ(Await().state, TaskState::kCanceled);
}

TEST_F(JobTest, IsCanceledWhileTheSinkDoesNotComeBackFromOpening) {
  cancel_grace_ms_ = 0;
  connectors_.sink->HoldOpens(true);
  Start();
  connectors_.sink->AwaitOpenBegun();
  runner_->Cancel();
  EXPECT_EQ(Await().state, TaskState::kCanceled);
  connectors_.sink->HoldOpens(false);
  connectors_.sink->AwaitDestroyed();
}

TEST_F(JobTest, GoesOnWhenTheSinkCanBeOpenedAfterAll) {
  connectors_.sink->open_errors.push_back({ErrorDomain::kExternal, true, "connection refused"});
  connectors_.sources[0]->answers.push_back({.finished = true});
  Start();
  EXPECT_EQ(Await().state, TaskState::kFinished);
}

// The figures move once a second.
TEST_F(JobTest, ATaskThatWaitsForItsSinkIsIdle) {
  connectors_.sink->HoldOpens(true);
  Start();
  std::map<std::string, double> values;
  AwaitThat([&] {
    for (const MetricSample& sample : registry_.Collect()) values[sample.name] = sample.value;
    return values["flink_taskmanager_job_task_idleTimeMsPerSecond"] > 500;
  });
  EXPECT_LT(values["flink_taskmanager_job_task_busyTimeMsPerSecond"], 500);
  connectors_.sink->HoldOpens(false);
  runner_->Cancel();
  Await();
}

TEST_F(JobTest, ATableThatDoesNotFitFailsAtOnce) {
  connectors_.sink->open_errors.push_back({ErrorDomain::kUser, false, "no column 'key'"});
  Start();
  const JobResult result = Await();
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_EQ(result.failure.domain, ErrorDomain::kUser);
  EXPECT_EQ(result.failure.message, "sink 'out' subtask 0: no column 'key'");
}

TEST_F(JobTest, DiscoveryThatMayHealIsAskedAgain) {
  connectors_.discovery_errors->push_back({ErrorDomain::kExternal, true, "broker down"});
  connectors_.sources[0]->answers.push_back({.finished = true});
  Start();
  EXPECT_EQ(Await().state, TaskState::kFinished);
}

TEST_F(JobTest, DiscoveryThatFailsForGoodFailsTheJob) {
  connectors_.discovery_errors->push_back({ErrorDomain::kUser, false, "no topic 'web'"});
  Start();
  const JobResult result = Await();
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_EQ(result.failure.message, "source 'events': no topic 'web'");
}

TEST_F(JobTest, IsCanceledDuringDiscovery) {
  for (int i = 0; i < 1000; ++i) {
    connectors_.discovery_errors->push_back({ErrorDomain::kExternal, true, "broker down"});
  }
  Start();
  AwaitThat([&] { return !runner_->progress().degraded_reason.empty(); });
  runner_->Cancel();
  EXPECT_EQ(Await().state, TaskState::kCanceled);
}

TEST_F(JobTest, ShowsADegradedSourceWhileItLasts) {
  for (int i = 0; i < 3; ++i) {
    connectors_.sources[0]->answers.push_back({.degraded_reason = "all brokers are down"});
  }
  connectors_.sources[0]->answers.push_back({.finished = true});
  std::mutex mutex;
  std::vector<std::string> reasons;
  TaskEnvironment environment;
  environment.clock = &SystemClock();
  environment.metrics = &registry_;
  environment.connectors = &connectors_;
  environment.temporary_directory = ::testing::TempDir();
  environment.on_status = [&](const TaskSpec&, const TaskStatus& status) {
    std::lock_guard lock(mutex);
    reasons.push_back(status.degraded_reason);
  };
  TaskSpec spec{.job = {"j"},
                .plan = Plan(1),
                .vertex_id = "0123456789abcdef0123456789abcdef",
                .splits = {{.id = "split-0"}}};
  auto task = Task::Create(std::move(spec), environment);
  ASSERT_TRUE(task.has_value());
  (*task)->Start();
  (*task)->Join();
  EXPECT_EQ((*task)->status().state, TaskState::kFinished);
  EXPECT_THAT(reasons, ElementsAre("", "", "all brokers are down", "", ""));  // told once
}

TEST_F(JobTest, TheMetricsOfATaskCarryFlinksLabels) {
  connectors_.sources[0]->answers.push_back({.records = {{0, "a@1"}}});
  connectors_.sources[0]->answers.push_back({.finished = true});
  Start();
  Await();
  bool found = false;
  for (const MetricSample& sample : registry_.Collect()) {
    if (sample.name != "flink_taskmanager_job_task_numRecordsIn") continue;
    found = true;
    EXPECT_EQ(sample.value, 1);
    std::string labels;
    for (const auto& [name, value] : sample.labels) labels += name + " ";
    EXPECT_EQ(labels, "job_id job_name task_id task_name subtask_index task_attempt_num ");
  }
  EXPECT_TRUE(found);
}

TEST(Task, APlanWithoutTheVertexIsRefused) {
  MetricRegistry registry;
  ScriptedConnectors connectors;
  TaskEnvironment environment;
  environment.clock = &SystemClock();
  environment.metrics = &registry;
  environment.connectors = &connectors;
  environment.temporary_directory = ::testing::TempDir();
  const auto task = Task::Create({.job = {"j"}, .plan = Plan(1), .vertex_id = "x"}, environment);
  ASSERT_FALSE(task.has_value());
  EXPECT_THAT(task.error().message, HasSubstr("no vertex 'x'"));
}

TEST(Task, ATaskThatNeverStartedCanBeDestroyed) {
  MetricRegistry registry;
  ScriptedConnectors connectors;
  TaskEnvironment environment;
  environment.clock = &SystemClock();
  environment.metrics = &registry;
  environment.connectors = &connectors;
  environment.temporary_directory = ::testing::TempDir();
  auto task =
      Task::Create({.job = {"j"}, .plan = Plan(1), .vertex_id = "0123456789abcdef0123456789abcdef"},
                   environment);
  ASSERT_TRUE(task.has_value());
  (*task)->Cancel();
  task->reset();
  EXPECT_TRUE(connectors.sink->destroyed);
}

}  // namespace
}  // namespace watershed
