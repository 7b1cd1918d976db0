// A TaskManager process under a fake JobManager: checkpoints over gRPC, and tasks that outlive
// their JobManager.
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>

#include "runtime/job/compile.h"
#include "runtime/job/physical_planner.h"
#include "runtime/rpc/connection.h"
#include "taskmanager/task_manager_process.h"
#include "tests/unit/taskmanager/fake_job_manager.h"
#include "tests/unit/taskmanager/scripted_connectors.h"
#include "watershed/v1/data.grpc.pb.h"

namespace watershed {
namespace {

using ::testing::HasSubstr;

constexpr const char* kJob = R"(
kind: Job
name: counting
sources:
  events:
    connector: datagen
    keys: 100
    columns: { ip: string, host: string, event_time: timestamp }
    watermark: { column: event_time, delay: 5s }
    ROWS
operators:
  by_host:
    input: events
    type: session-window
    gap: 1min
    key: [ip, host]
    aggregate: { n: count(*) }
sinks:
  out: { input: by_host, connector: blackhole }
)";
constexpr const char* kEndless = "rows-per-second: 1000";
constexpr const char* kBounded = "number-of-rows: 10000";

v1::PhysicalPlan Plan(const std::string& rows) {
  std::string text = kJob;
  text.replace(text.find("ROWS"), 4, rows);
  const CompileResult compiled = CompileJobFile(text, {});
  EXPECT_TRUE(compiled.ok()) << ToString(compiled.diagnostics);
  auto plan = PlanJob(*compiled.graph, {});
  EXPECT_TRUE(plan) << plan.error().message;
  return std::move(*plan);
}

class CheckpointRpcTest : public ::testing::Test {
 protected:
  CheckpointRpcTest() {
    split_.set_id("shard-1-of-1");
    job_manager_.emplace(0, kEpoch);
    Config config;
    for (const auto& [key, value] : std::map<std::string, std::string>{
             {"jobmanager.rpc.port", std::to_string(job_manager_->port())},
             {"metrics.reporter.prom.port", "0"},
             {"state.backend.type", "hashmap"},
             {"io.tmp.dirs", directory_ + "/tmp"}}) {
      const Status set = config.Set(key, value);
      EXPECT_TRUE(set) << set.error().message;
    }
    auto process = TaskManagerProcess::Start(config, connectors_);
    EXPECT_TRUE(process) << process.error().message;
    process_ = std::move(*process);
    stub_ = v1::TaskManagerService::NewStub(
        MakeChannel(JoinHostPort("127.0.0.1", process_->ports().at("rpc"))));
    job_manager_->Await([&] { return job_manager_->registrations.size() == 1; });
  }
  ~CheckpointRpcTest() override {
    process_.reset();
    job_manager_.reset();
    std::filesystem::remove_all(directory_);
  }

  v1::DeployTasksRequest Deployment(const std::string& rows) {
    v1::DeployTasksRequest request;
    request.set_leader_epoch(kEpoch);
    request.set_job_id("0123456789abcdef0123456789abcdef");
    request.set_attempt(3);
    *request.mutable_plan() = Plan(rows);
    request.mutable_checkpoints()->set_directory(directory_ + "/checkpoints");
    request.mutable_checkpoints()->set_lineage("lineage");
    for (const v1::Vertex& vertex : request.plan().vertices()) {
      v1::TaskDeployment& task = *request.add_tasks();
      task.set_vertex_id(vertex.id());
      v1::TaskPlacement& placement = *request.add_placements();
      placement.set_vertex_id(vertex.id());
      placement.set_task_manager_id(process_->id());
      if (request.tasks_size() == 1) *task.add_splits() = split_;
    }
    return request;
  }
  void MakeBounded() { split_.set_end_position(10'000); }
  grpc::Status Deploy(const v1::DeployTasksRequest& request) {
    v1::DeployTasksResponse response;
    grpc::ClientContext context;
    return stub_->DeployTasks(&context, request, &response);
  }
  void AwaitRunning() {
    job_manager_->Await([&] {
      std::set<std::string> running;
      for (const v1::SubtaskReport& report : job_manager_->task_reports) {
        if (report.status().state() == v1::TASK_RUNNING)
          running.insert(report.status().vertex_id());
      }
      return running.size() == 2;
    });
  }
  grpc::Status Trigger(int64_t checkpoint, int64_t epoch = kEpoch, int32_t attempt = 3) {
    v1::TriggerCheckpointRequest request;
    request.set_leader_epoch(epoch);
    request.set_job_id("0123456789abcdef0123456789abcdef");
    request.set_attempt(attempt);
    request.set_checkpoint_id(checkpoint);
    v1::TriggerCheckpointResponse response;
    grpc::ClientContext context;
    return stub_->TriggerCheckpoint(&context, request, &response);
  }
  grpc::Status Notify(int64_t completed, int64_t epoch = kEpoch, int32_t attempt = 3) {
    v1::NotifyCheckpointRequest request;
    request.set_leader_epoch(epoch);
    request.set_job_id("0123456789abcdef0123456789abcdef");
    request.set_attempt(attempt);
    request.set_completed_checkpoint_id(completed);
    v1::NotifyCheckpointResponse response;
    grpc::ClientContext context;
    return stub_->NotifyCheckpoint(&context, request, &response);
  }
  // The reports of this kind; call it under the lock.
  std::vector<v1::ReportCheckpointRequest> Reports(v1::ReportCheckpointRequest::KindCase kind) {
    std::vector<v1::ReportCheckpointRequest> found;
    for (const v1::ReportCheckpointRequest& report : job_manager_->checkpoint_reports) {
      if (report.kind_case() == kind) found.push_back(report);
    }
    return found;
  }
  void AwaitReports(v1::ReportCheckpointRequest::KindCase kind, size_t count) {
    job_manager_->Await([&] { return Reports(kind).size() >= count; });
  }

  static constexpr int64_t kEpoch = 10;
  v1::Split split_;
  const std::string directory_ = testing::TempDir() + "/checkpoint_rpc";  // removed at the end
  std::optional<FakeJobManager> job_manager_;
  ScriptedConnectors connectors_;
  std::unique_ptr<TaskManagerProcess> process_;
  std::unique_ptr<v1::TaskManagerService::Stub> stub_;
};

TEST_F(CheckpointRpcTest, AcknowledgesConfirmsAndEndsABoundedJob) {
  MakeBounded();
  ASSERT_TRUE(Deploy(Deployment(kBounded)).ok());
  AwaitRunning();
  {
    const std::lock_guard lock(job_manager_->mutex);
    job_manager_->refuse_reports = 3;  // they are repeated
  }
  // Whether a barrier or the end of the input comes first is open: the second one is surely last.
  for (int64_t checkpoint = 1;; ++checkpoint) {
    ASSERT_TRUE(Trigger(checkpoint).ok());
    AwaitReports(v1::ReportCheckpointRequest::kAcknowledged, static_cast<size_t>(checkpoint) * 2);
    bool all_ended = true;
    {
      const std::lock_guard lock(job_manager_->mutex);
      for (const auto& report : Reports(v1::ReportCheckpointRequest::kAcknowledged)) {
        EXPECT_EQ(report.attempt(), 3);
        EXPECT_EQ(report.leader_epoch(), kEpoch);
        EXPECT_EQ(report.task_manager_id(), process_->id());
        if (report.checkpoint_id() == checkpoint) all_ended &= report.acknowledged().ended();
      }
    }
    ASSERT_TRUE(Notify(checkpoint).ok());
    AwaitReports(v1::ReportCheckpointRequest::kConfirmed, static_cast<size_t>(checkpoint) * 2);
    if (all_ended) break;
  }
  job_manager_->Await([&] {
    int finished = 0;
    for (const v1::SubtaskReport& report : job_manager_->task_reports) {
      finished += report.status().state() == v1::TASK_FINISHED;
    }
    return finished == 2;
  });
  EXPECT_EQ(connectors_.rows_counted(), 10'000);
}

TEST_F(CheckpointRpcTest, StaleLeadersAndAttemptsAreRefused) {
  ASSERT_TRUE(Deploy(Deployment(kEndless)).ok());
  EXPECT_EQ(Trigger(1, kEpoch - 1).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Notify(1, kEpoch - 1).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Trigger(1, kEpoch, 2).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Notify(1, kEpoch, 4).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Trigger(1).ok());
  EXPECT_TRUE(Notify(1).ok());
}

TEST_F(CheckpointRpcTest, ADirectoryThatCannotBeWrittenRefusesTheDeployment) {
  v1::DeployTasksRequest request = Deployment(kEndless);
  request.mutable_checkpoints()->set_directory("s3://bucket/checkpoints");
  const grpc::Status status = Deploy(request);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.error_message(), HasSubstr("s3"));
}

// Whoever reaches the port may name any channel of a job that runs, and break off.
TEST_F(CheckpointRpcTest, ABrokenChannelOfAnEdgeThatThePlanHasNotIsNobodys) {
  ASSERT_TRUE(Deploy(Deployment(kEndless)).ok());
  AwaitRunning();
  const auto data = v1::DataExchange::NewStub(
      MakeChannel(JoinHostPort("127.0.0.1", process_->ports().at("rpc"))));
  grpc::ClientContext context;
  const auto stream = data->Exchange(&context);
  v1::Frame open;
  open.mutable_open()->set_job_id("0123456789abcdef0123456789abcdef");
  open.mutable_open()->set_attempt(3);
  open.mutable_open()->set_upstream_subtask(1);
  // The last is the aggregation's, whose end shows that the others were looked at before.
  for (const int32_t edge : {-1, std::numeric_limits<int32_t>::min(), 1, 0}) {
    open.mutable_open()->set_edge(edge);
    open.set_channel_number(open.channel_number() + 1);
    ASSERT_TRUE(stream->Write(open));
  }
  ASSERT_TRUE(stream->WritesDone());
  EXPECT_TRUE(stream->Finish().ok());
  job_manager_->Await([&] {
    return std::any_of(
        job_manager_->task_reports.begin(), job_manager_->task_reports.end(),
        [](const v1::SubtaskReport& report) { return report.status().state() == v1::TASK_FAILED; });
  });
  EXPECT_TRUE(Trigger(1).ok());  // the source goes on
}

TEST_F(CheckpointRpcTest, TasksOutliveTheirJobManagerAndAreReportedToTheNext) {
  ASSERT_TRUE(Deploy(Deployment(kEndless)).ok());
  AwaitRunning();
  ASSERT_TRUE(Trigger(7).ok());
  AwaitReports(v1::ReportCheckpointRequest::kAcknowledged, 2);
  ASSERT_TRUE(Notify(7).ok());
  AwaitReports(v1::ReportCheckpointRequest::kConfirmed, 2);
  const int port = job_manager_->port();
  job_manager_.reset();
  job_manager_.emplace(port, kEpoch + 1);
  job_manager_->Await([&] { return job_manager_->registrations.size() == 1; });
  {
    const std::lock_guard lock(job_manager_->mutex);
    const v1::RegisterTaskManagerRequest& registration = job_manager_->registrations[0];
    ASSERT_EQ(registration.running_size(), 1);
    EXPECT_EQ(registration.running(0).job_id(), "0123456789abcdef0123456789abcdef");
    EXPECT_EQ(registration.running(0).attempt(), 3);
    EXPECT_EQ(registration.running(0).notified_checkpoint_id(), 7);
    ASSERT_EQ(registration.running(0).tasks_size(), 2);
    for (const v1::SubtaskReport& task : registration.running(0).tasks()) {
      EXPECT_EQ(task.status().state(), v1::TASK_RUNNING);
    }
  }
  // The new one leads: it takes checkpoints of the same attempt, and the former one is refused.
  EXPECT_TRUE(Trigger(1000, kEpoch + 1).ok());
  AwaitReports(v1::ReportCheckpointRequest::kAcknowledged, 2);
  EXPECT_EQ(Trigger(1001, kEpoch).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  // What it does not want is cancelled.
  {
    const std::lock_guard lock(job_manager_->mutex);
    v1::ExecutionId& attempt = job_manager_->stale.emplace_back();
    attempt.set_job_id("0123456789abcdef0123456789abcdef");
    attempt.set_attempt(3);
  }
  job_manager_->Await([&] {
    int canceled = 0;
    for (const v1::SubtaskReport& report : job_manager_->task_reports) {
      canceled += report.status().state() == v1::TASK_CANCELED;
    }
    return canceled == 2;
  });
}

}  // namespace
}  // namespace watershed
