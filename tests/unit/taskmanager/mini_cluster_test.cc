#include "tests/unit/taskmanager/mini_cluster.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "runtime/metrics/definition.h"
#include "runtime/metrics/names.h"
#include "runtime/rpc/connection.h"
#include "runtime/status/job_status.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

// Counts by host; ROWS is "number-of-rows: n" for a job that ends.
std::string CountingJob(const std::string& rows) {
  return "kind: Job\n"
         "name: counting\n"
         "sources:\n"
         "  events:\n"
         "    connector: datagen\n" +
         rows +
         "    keys: 1000\n"
         "    columns:\n"
         "      ip: string\n"
         "      host: string\n"
         "      event_time: timestamp\n"
         "    watermark: { column: event_time, delay: 5s }\n"
         "operators:\n"
         "  by_host:\n"
         "    input: events\n"
         "    type: session-window\n"
         "    gap: 1min\n"
         "    key: [ip, host]\n"
         "    aggregate: { n: count(*) }\n"
         "sinks:\n"
         "  out:\n"
         "    input: by_host\n"
         "    connector: blackhole\n";
}
const char kBounded[] =
    "    number-of-rows: 100000\n"
    "    time-step: 1ms\n";
const char kEndless[] = "    rows-per-second: 1000\n";

int64_t RecordsIn(const v1::JobDetails& job) {
  return TotalsOfJob(TotalsByVertex(job)).records_in.value;
}

TEST(MiniClusterTest, ABoundedJobOverTwoTaskManagersFinishesWithEveryRowCounted) {
  MiniCluster cluster;
  cluster.AddTaskManager(2);
  cluster.AddTaskManager(2);
  cluster.WaitForTaskManagers(2);
  const std::string id = cluster.Submit(CountingJob(kBounded), 3);
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{32}"));
  const v1::JobDetails job = cluster.WaitForState(id, v1::FINISHED);
  EXPECT_EQ(cluster.connectors().rows_counted(), 100'000);
  EXPECT_EQ(job.subtasks_size(), 6);
  std::set<std::string> used;
  for (const v1::SubtaskStatus& subtask : job.subtasks()) {
    EXPECT_EQ(subtask.state(), v1::TASK_FINISHED);
    EXPECT_GE(subtask.end_time_ms(), subtask.start_time_ms());
    used.insert(subtask.task_manager_id());
  }
  EXPECT_EQ(used.size(), 2u);
  EXPECT_EQ(RecordsIn(job), 100'000);  // the figures of the end are not lost
  EXPECT_EQ(job.summary().status_reason(), "");
  EXPECT_TRUE(job.state_timestamps_ms().contains(v1::RUNNING));
  // Rows crossed between the TaskManagers, and all that was sent arrived.
  const double sent = cluster.MetricSum(std::string(metric_names::kNetworkSentBytes));
  EXPECT_GT(sent, 100'000);
  EXPECT_EQ(sent, cluster.MetricSum(std::string(metric_names::kNetworkReceivedBytes)));
  for (const TaskManagerView& view : cluster.job_manager().view().TaskManagers()) {
    EXPECT_EQ(view.free_slots, 2) << view.id;
  }
}

TEST(MiniClusterTest, AJobWaitsForSlotsAndRunsOnceTheyCome) {
  MiniCluster cluster;
  const std::string id = cluster.Submit(CountingJob(kBounded), 4);
  EXPECT_EQ(cluster.Job(id).summary().status_reason(),
            "waiting for 4 more slots: job needs 4, cluster has 0 free of 0; no TaskManager is "
            "registered");
  cluster.AddTaskManager(2);
  cluster.WaitForJob(id, [](const v1::JobDetails& job) {
    return job.summary().status_reason() ==
           "waiting for 2 more slots: job needs 4, cluster has 2 free of 2";
  });
  cluster.AddTaskManager(2);
  cluster.WaitForState(id, v1::FINISHED);
  EXPECT_EQ(cluster.connectors().rows_counted(), 100'000);
}

TEST(MiniClusterTest, AJobThatEndsLetsTheWaitingOneIn) {
  MiniCluster cluster;
  cluster.AddTaskManager(2);
  cluster.WaitForTaskManagers(1);
  const std::string first = cluster.Submit(CountingJob(kEndless), 2);
  cluster.WaitForState(first, v1::RUNNING);
  const std::string second = cluster.Submit(CountingJob(kBounded), 1);
  EXPECT_THAT(cluster.Job(second).summary().status_reason(), StartsWith("waiting for 1 more slot"));
  cluster.Cancel(first);
  cluster.WaitForState(first, v1::CANCELED);
  cluster.WaitForState(second, v1::FINISHED);
}

TEST(MiniClusterTest, CancellingEndsEveryTask) {
  MiniCluster cluster;
  cluster.AddTaskManager(1);
  cluster.AddTaskManager(1);
  cluster.WaitForTaskManagers(2);
  const std::string id = cluster.Submit(CountingJob(kEndless), 2);
  cluster.WaitForState(id, v1::RUNNING);
  cluster.Cancel(id);
  cluster.Cancel(id);  // twice is once
  const v1::JobDetails job = cluster.WaitForState(id, v1::CANCELED);
  for (const v1::SubtaskStatus& subtask : job.subtasks()) {
    EXPECT_EQ(subtask.state(), v1::TASK_CANCELED);
  }
  EXPECT_TRUE(job.state_timestamps_ms().contains(v1::CANCELLING));
}

TEST(MiniClusterTest, AJobThatWaitsIsCancelledAtOnce) {
  MiniCluster cluster;
  const std::string id = cluster.Submit(CountingJob(kEndless), 2);
  cluster.Cancel(id);
  cluster.WaitForState(id, v1::CANCELED);
}

TEST(MiniClusterTest, AFailingTaskFailsTheJobWithItsCause) {
  MiniCluster cluster;
  cluster.connectors().FailSink(1, {ErrorDomain::kExternal, false, "sink 'out': no such table"});
  cluster.AddTaskManager(3);
  cluster.WaitForTaskManagers(1);
  const std::string id = cluster.Submit(CountingJob(kBounded), 3);
  const v1::JobDetails job = cluster.WaitForState(id, v1::FAILED);
  EXPECT_THAT(job.summary().status_reason(), HasSubstr("sink 'out': no such table"));
  EXPECT_THAT(job.summary().status_reason(), HasSubstr("(2/3)"));
  EXPECT_TRUE(job.state_timestamps_ms().contains(v1::FAILING));
  int failed = 0;
  for (const v1::SubtaskStatus& subtask : job.subtasks()) {
    EXPECT_TRUE(IsEnded(subtask.state())) << NameOf(subtask.state());
    failed += subtask.state() == v1::TASK_FAILED;
  }
  EXPECT_EQ(failed, 1);
}

TEST(MiniClusterTest, ALostTaskManagerFailsTheJobByName) {
  MiniCluster cluster;
  cluster.AddTaskManager(1);
  cluster.AddTaskManager(1);
  cluster.WaitForTaskManagers(2);
  const std::string id = cluster.Submit(CountingJob(kEndless), 2);
  cluster.WaitForState(id, v1::RUNNING);
  const std::string lost = cluster.task_manager(1).id();
  cluster.task_manager(1).Abandon();
  const v1::JobDetails job = cluster.WaitForState(id, v1::FAILED);
  EXPECT_THAT(job.summary().status_reason(),
              HasSubstr("TaskManager " + lost + " was lost: its connection broke"));
  cluster.WaitForTaskManagers(1);
  // The other one's tasks have ended, and its slot is free again.
  const std::string next = cluster.Submit(CountingJob(kBounded), 1);
  cluster.WaitForState(next, v1::FINISHED);
}

TEST(MiniClusterTest, ATaskManagerThatShutsDownSaysSo) {
  MiniCluster cluster;
  cluster.AddTaskManager(1);
  cluster.WaitForTaskManagers(1);
  const std::string id = cluster.Submit(CountingJob(kEndless), 1);
  cluster.WaitForState(id, v1::RUNNING);
  cluster.task_manager(0).Stop();
  const v1::JobDetails job = cluster.WaitForState(id, v1::FAILED);
  EXPECT_THAT(job.summary().status_reason(), HasSubstr("is shutting down"));
}

TEST(MiniClusterTest, DiscoveryIsRepeatedWhileItMayHeal) {
  MiniCluster cluster;
  cluster.connectors().FailDiscovery({ErrorDomain::kExternal, true, "all brokers are down"});
  cluster.AddTaskManager(1);
  cluster.WaitForTaskManagers(1);
  const std::string id = cluster.Submit(CountingJob(kBounded), 1);
  const v1::JobDetails waiting = cluster.WaitForJob(id, [](const v1::JobDetails& job) {
    return job.summary().status_reason().find("brokers") != std::string::npos;
  });
  EXPECT_EQ(waiting.summary().state(), v1::CREATED);
  EXPECT_EQ(waiting.summary().status_reason(),
            "source 'events': all brokers are down; trying again every 0.5 s");
  cluster.WaitForState(id, v1::FINISHED);
}

TEST(MiniClusterTest, DiscoveryThatCannotHealFailsTheJob) {
  MiniCluster cluster;
  cluster.connectors().FailDiscovery({ErrorDomain::kUser, false, "topic 'web' does not exist"});
  cluster.AddTaskManager(1);
  cluster.WaitForTaskManagers(1);
  const std::string id = cluster.Submit(CountingJob(kBounded), 1);
  const v1::JobDetails job = cluster.WaitForState(id, v1::FAILED);
  EXPECT_EQ(job.summary().status_reason(), "source 'events': topic 'web' does not exist");
}

TEST(MiniClusterTest, ANewJobManagerFindsTheTaskManagersAndTheOldTasksEnd) {
  MiniCluster cluster;
  cluster.AddTaskManager(1);
  cluster.AddTaskManager(1);
  cluster.WaitForTaskManagers(2);
  const std::string id = cluster.Submit(CountingJob(kEndless), 2);
  cluster.WaitForState(id, v1::RUNNING);
  cluster.RestartJobManager();
  cluster.WaitForTaskManagers(2);
  cluster.connectors().WaitForClosedSinks(2);
  const std::string next = cluster.Submit(CountingJob(kBounded), 2);
  cluster.WaitForState(next, v1::FINISHED);
}

class StaleRequestsTest : public testing::Test {
 protected:
  StaleRequestsTest() {
    cluster_.AddTaskManager(2);
    cluster_.WaitForTaskManagers(1);
    const int port = cluster_.task_manager(0).ports().at("rpc");
    stub_ = v1::TaskManagerService::NewStub(MakeChannel(JoinHostPort("127.0.0.1", port)));
  }
  grpc::Status Deploy(int64_t leader_epoch) {
    v1::DeployTasksRequest request;
    request.set_leader_epoch(leader_epoch);
    request.set_job_id("job");
    v1::DeployTasksResponse response;
    grpc::ClientContext context;
    return stub_->DeployTasks(&context, request, &response);
  }
  grpc::Status Cancel(int64_t leader_epoch) {
    v1::CancelTasksRequest request;
    request.set_leader_epoch(leader_epoch);
    request.set_job_id("job");
    v1::CancelTasksResponse response;
    grpc::ClientContext context;
    return stub_->CancelTasks(&context, request, &response);
  }

  // The JobManager's is the wall clock's milliseconds: far above 1, far below the other.
  static constexpr int64_t kFormerEpoch = 1;
  static constexpr int64_t kLaterEpoch = int64_t{1} << 60;
  MiniCluster cluster_;
  std::unique_ptr<v1::TaskManagerService::Stub> stub_;
};

TEST_F(StaleRequestsTest, AFormerLeaderIsRefused) {
  // The JobManager knows the TaskManager before that one knows who leads: a job tells it.
  cluster_.WaitForState(cluster_.Submit(CountingJob(kBounded), 1), v1::FINISHED);
  EXPECT_EQ(Deploy(kFormerEpoch).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Cancel(kFormerEpoch).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  v1::DiscoverSplitsRequest discover;
  discover.set_leader_epoch(kFormerEpoch);
  v1::DiscoverSplitsResponse splits;
  grpc::ClientContext context;
  EXPECT_EQ(stub_->DiscoverSplits(&context, discover, &splits).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(StaleRequestsTest, ALaterLeaderTakesOverAndTheJobManagerIsDeposed) {
  const std::string id = cluster_.Submit(CountingJob(kEndless), 1);
  cluster_.WaitForState(id, v1::RUNNING);
  EXPECT_TRUE(Cancel(kLaterEpoch).ok());
  const std::string next = cluster_.Submit(CountingJob(kBounded), 1);
  EXPECT_THAT(cluster_.WaitForState(next, v1::FAILED).summary().status_reason(),
              HasSubstr("is stale"));
  // What the former leader started goes on until the new one says otherwise.
  EXPECT_EQ(cluster_.Job(id).summary().state(), v1::RUNNING);
}

TEST_F(StaleRequestsTest, ADeploymentAfterItsCancellationIsRefused) {
  EXPECT_TRUE(Cancel(kLaterEpoch).ok());
  const grpc::Status status = Deploy(kLaterEpoch);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("attempt 0 of job job has ended here"));
}

std::string Joined(std::set<std::string_view> labels) {
  return fmt::format("{}", fmt::join(labels, " "));
}

// What each of them says is tests/e2e/metrics_test.py's.
TEST(MiniClusterTest, EveryMetricIsListedAndHasTheLabelsOfItsScope) {
  MiniCluster cluster;
  cluster.AddTaskManager(2);
  cluster.WaitForTaskManagers(1);
  const std::string id = cluster.Submit(CountingJob(kEndless), 2);
  cluster.WaitForState(id, v1::RUNNING);
  std::set<MetricScope> scopes;
  for (const MetricSample& sample : cluster.Metrics()) {
    SCOPED_TRACE(sample.name);
    const MetricDefinition* metric = FindMetric(sample.name);
    if (metric == nullptr) {
      ADD_FAILURE() << "is not in runtime/metrics/names.h";
      continue;
    }
    scopes.insert(metric->scope);
    std::set<std::string_view> labels;
    for (const auto& [name, value] : sample.labels) {
      labels.insert(name);
      EXPECT_NE(value, "") << name;
    }
    EXPECT_EQ(labels.size(), sample.labels.size());
    const auto listed = LabelsOf(metric->scope);
    EXPECT_EQ(Joined(labels), Joined({listed.begin(), listed.end()}));
  }
  EXPECT_EQ(scopes.size(), 6U);  // all but kPartition: datagen has no topics
}

TEST(MiniClusterTest, TheClusterShowsItsMetrics) {
  MiniCluster cluster;
  cluster.AddTaskManager(2);
  cluster.WaitForTaskManagers(1);
  const std::string id = cluster.Submit(CountingJob(kEndless), 1);
  std::map<std::string, double> values;
  // They follow the job's state a moment later.
  cluster.WaitForJob(id, [&](const v1::JobDetails&) {
    for (const MetricSample& sample : cluster.job_manager().metrics().Collect()) {
      values[sample.name] = sample.value;
    }
    return values["flink_jobmanager_numRunningJobs"] == 1;
  });
  EXPECT_EQ(cluster.Job(id).summary().state(), v1::RUNNING);
  EXPECT_EQ(values["flink_jobmanager_numRegisteredTaskManagers"], 1);
  EXPECT_EQ(values["flink_jobmanager_taskSlotsTotal"], 2);
  EXPECT_EQ(values["flink_jobmanager_taskSlotsAvailable"], 1);
  EXPECT_TRUE(values.contains("flink_jobmanager_job_uptime"));
}

}  // namespace
}  // namespace watershed
