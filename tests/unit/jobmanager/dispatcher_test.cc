#include "jobmanager/job/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/job/compile.h"
#include "tests/unit/jobmanager/stepped_executor.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr LeaderEpoch kEpoch{7};

// Keeps the calls; the test answers them when it likes.
class FakeGateway final : public TaskManagerGateway {
 public:
  void DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                      std::function<void(Result<v1::DiscoverSplitsResponse>)> done) override {
    discoveries.push_back(request);
    discovered = std::move(done);
  }
  void DeployTasks(const v1::DeployTasksRequest& request,
                   std::function<void(Status)> done) override {
    deployments.push_back(request);
    deployed = std::move(done);
  }
  void CancelTasks(const v1::CancelTasksRequest& request,
                   std::function<void(Result<v1::CancelTasksResponse>)> done) override {
    cancels.push_back(request);
    cancelled = std::move(done);
  }

  std::vector<v1::DiscoverSplitsRequest> discoveries;
  std::vector<v1::DeployTasksRequest> deployments;
  std::vector<v1::CancelTasksRequest> cancels;
  std::function<void(Result<v1::DiscoverSplitsResponse>)> discovered;
  std::function<void(Status)> deployed;
  std::function<void(Result<v1::CancelTasksResponse>)> cancelled;
};

v1::JobGraph Graph() {
  CompileResult compiled = CompileJobFile(
      "kind: Job\n"
      "name: test\n"
      "sources:\n"
      "  events: {connector: datagen, columns: {host: string, event_time: timestamp}}\n"
      "sinks:\n"
      "  out: {input: events, connector: blackhole}\n",
      {});
  EXPECT_TRUE(compiled.ok()) << ToString(compiled.diagnostics);
  return *compiled.graph;
}

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() : store_(MakeMemoryJobStore(executor_)) {
    DispatcherSettings settings;
    settings.ended_jobs_kept = 2;
    dispatcher_ =
        std::make_unique<Dispatcher>(settings, kEpoch, &executor_, &executor_, store_.get(),
                                     &metrics_, [this](const std::string& id, const std::string&) {
                                       return gateways_[id] = std::make_shared<FakeGateway>();
                                     });
  }

  int64_t Register(const std::string& id, int slots) {
    v1::RegisterTaskManagerRequest request;
    request.set_task_manager_id(id);
    request.set_address(id + ":1");
    request.set_slots(slots);
    const auto response = dispatcher_->Register(request);
    EXPECT_TRUE(response);
    EXPECT_EQ(response->leader_epoch(), kEpoch.value);
    executor_.RunAll();
    return response->registration();
  }
  std::string Submit(int parallelism) {
    v1::JobGraph graph = Graph();
    graph.set_parallelism(parallelism);
    const auto id = dispatcher_->Submit(graph);
    EXPECT_TRUE(id) << id.error().message;
    executor_.RunAll();
    return id->hex;
  }
  void AnswerDiscovery(const std::string& task_manager, int splits) {
    v1::DiscoverSplitsResponse response;
    for (int i = 0; i < splits; ++i) response.add_splits()->set_id(std::to_string(i));
    gateways_[task_manager]->discovered(response);
    executor_.RunAll();
  }
  void AnswerDeployment(const std::string& task_manager, const Status& status = Ok()) {
    gateways_[task_manager]->deployed(status);
    executor_.RunAll();
  }
  void AnswerCancel(const std::string& task_manager, std::vector<int> live_subtasks = {}) {
    v1::CancelTasksResponse response;
    for (const int subtask : live_subtasks) {
      v1::TaskId* id = response.add_live();
      id->set_vertex_id(gateways_[task_manager]->deployments.back().tasks(0).vertex_id());
      id->set_subtask(subtask);
    }
    gateways_[task_manager]->cancelled(response);
    executor_.RunAll();
  }
  Status Update(const std::string& task_manager, const std::string& job, int subtask,
                v1::TaskState state, const std::string& message = "", int attempt = 0,
                LeaderEpoch epoch = kEpoch) {
    v1::UpdateTasksRequest request;
    request.set_task_manager_id(task_manager);
    request.set_leader_epoch(epoch.value);
    v1::SubtaskReport* report = request.add_tasks();
    report->set_job_id(job);
    report->mutable_status()->set_vertex_id(Job(job).subtasks(0).vertex_id());
    report->mutable_status()->set_subtask(subtask);
    report->mutable_status()->set_attempt(attempt);
    report->mutable_status()->set_state(state);
    report->mutable_status()->set_message(message);
    const Status status = dispatcher_->UpdateTasks(request);
    executor_.RunAll();
    return status;
  }
  v1::JobDetails Job(const std::string& id) { return dispatcher_->Details(id).value(); }
  v1::JobState State(const std::string& id) { return Job(id).summary().state(); }
  std::string Reason(const std::string& id) { return Job(id).summary().status_reason(); }

  // Two subtasks, one on each of a and b, all running.
  std::string RunningJob() {
    Register("a", 1);
    Register("b", 1);
    const std::string job = Submit(2);
    AnswerDiscovery("a", 2);
    AnswerDeployment("a");
    AnswerDeployment("b");
    EXPECT_TRUE(Update("a", job, 0, v1::TASK_RUNNING));
    EXPECT_TRUE(Update("b", job, 1, v1::TASK_RUNNING));
    EXPECT_EQ(State(job), v1::RUNNING);
    return job;
  }

  SteppedExecutor executor_;
  MetricRegistry metrics_;
  std::unique_ptr<JobStore> store_;
  std::map<std::string, std::shared_ptr<FakeGateway>> gateways_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, DeploysEverySubtaskOnceWithItsSplitsAndPeers) {
  Register("a", 1);
  Register("b", 2);
  const std::string job = Submit(3);
  ASSERT_EQ(gateways_["b"]->discoveries.size() + gateways_["a"]->discoveries.size(), 1u);
  AnswerDiscovery("b", 7);
  std::multiset<std::string> splits;
  std::set<int> subtasks;
  for (const auto& [id, gateway] : gateways_) {
    ASSERT_EQ(gateway->deployments.size(), 1u) << id;
    const v1::DeployTasksRequest& request = gateway->deployments[0];
    EXPECT_EQ(request.leader_epoch(), kEpoch.value);
    EXPECT_EQ(request.placements_size(), 3);
    for (const v1::TaskDeployment& task : request.tasks()) {
      EXPECT_EQ(request.placements(task.subtask()).task_manager_id(), id);
      EXPECT_EQ(request.placements(task.subtask()).address(), id + ":1");
      EXPECT_TRUE(subtasks.insert(task.subtask()).second);
      for (const v1::Split& split : task.splits()) splits.insert(split.id());
    }
  }
  EXPECT_THAT(subtasks, ElementsAre(0, 1, 2));
  EXPECT_THAT(splits, ElementsAre("0", "1", "2", "3", "4", "5", "6"));
  EXPECT_EQ(State(job), v1::CREATED);
}

TEST_F(DispatcherTest, ASilentTaskManagerIsLostAtItsHeartbeatTimeout) {
  const std::string job = RunningJob();
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_task_manager_id("a");
  heartbeat.set_leader_epoch(kEpoch.value);
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(dispatcher_->Heartbeat(heartbeat).unknown());
    executor_.Advance(milliseconds(500));
  }
  EXPECT_EQ(State(job), v1::RUNNING);
  dispatcher_->Heartbeat(heartbeat);
  executor_.Advance(seconds(1));
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_EQ(Reason(job), "TaskManager b was lost: no heartbeat for 5s");
  ASSERT_EQ(gateways_["a"]->cancels.size(), 1u);
  EXPECT_TRUE(gateways_["b"]->cancels.empty());
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::FAILED);
  ASSERT_EQ(dispatcher_->TaskManagers().size(), 1u);
  // When it speaks again it is a stranger.
  heartbeat.set_task_manager_id("b");
  EXPECT_TRUE(dispatcher_->Heartbeat(heartbeat).unknown());
}

TEST_F(DispatcherTest, MessagesOfAnotherLeaderAreRefused) {
  const std::string job = RunningJob();
  for (const int64_t epoch : {kEpoch.value - 1, kEpoch.value + 1}) {
    EXPECT_FALSE(Update("a", job, 0, v1::TASK_FAILED, "boom", 0, LeaderEpoch{epoch}));
    v1::HeartbeatRequest heartbeat;
    heartbeat.set_task_manager_id("a");
    heartbeat.set_leader_epoch(epoch);
    EXPECT_TRUE(dispatcher_->Heartbeat(heartbeat).unknown());
    v1::AttachRequest attach;
    attach.set_task_manager_id("a");
    attach.set_leader_epoch(epoch);
    attach.set_registration(1);
    EXPECT_FALSE(dispatcher_->IsRegistered(attach));
  }
  EXPECT_FALSE(Update("stranger", job, 0, v1::TASK_FAILED, "boom"));
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(DispatcherTest, ReportsOfAnotherAttemptOrPlaceOrBackwardsAreIgnored) {
  const std::string job = RunningJob();
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "stale", /*attempt=*/1));
  EXPECT_TRUE(Update("b", job, 0, v1::TASK_FAILED, "not its task"));
  EXPECT_TRUE(Update("a", job, 9, v1::TASK_FAILED, "no such subtask"));
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_INITIALIZING));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).subtasks(0).state(), v1::TASK_RUNNING);
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FINISHED));
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "after its end"));
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::FINISHED);
}

TEST_F(DispatcherTest, AHeartbeatIsToldWhichAttemptsNobodyWants) {
  const std::string job = RunningJob();
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_task_manager_id("a");
  heartbeat.set_leader_epoch(kEpoch.value);
  for (const auto& [id, attempt] :
       {std::pair(job, 0), std::pair(job, 3), std::pair(std::string("unknown"), 0)}) {
    v1::SubtaskReport* report = heartbeat.add_tasks();
    report->set_job_id(id);
    report->mutable_status()->set_vertex_id(Job(job).subtasks(0).vertex_id());
    report->mutable_status()->set_attempt(attempt);
    report->mutable_status()->mutable_counters()->set_records_in(42);
  }
  const v1::HeartbeatResponse response = dispatcher_->Heartbeat(heartbeat);
  ASSERT_EQ(response.stale_size(), 2);
  EXPECT_EQ(response.stale(0).job_id(), job);
  EXPECT_EQ(response.stale(0).attempt(), 3);
  EXPECT_EQ(response.stale(1).job_id(), "unknown");
  EXPECT_EQ(Job(job).subtasks(0).counters().records_in(), 42);
}

TEST_F(DispatcherTest, ACancelFollowsAnUnansweredDeployment) {
  Register("a", 1);
  Register("b", 1);
  const std::string job = Submit(2);
  AnswerDiscovery("a", 2);
  AnswerDeployment("a");
  ASSERT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  EXPECT_EQ(gateways_["a"]->cancels.size(), 1u);
  EXPECT_TRUE(gateways_["b"]->cancels.empty());  // it would overtake the deployment
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::CANCELLING);
  AnswerDeployment("b");
  EXPECT_EQ(gateways_["b"]->cancels.size(), 1u);
  AnswerCancel("b", {1});
  EXPECT_EQ(State(job), v1::CANCELLING);  // its task still has to end
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_CANCELED));
  EXPECT_EQ(State(job), v1::CANCELED);
}

TEST_F(DispatcherTest, ARefusedDeploymentFailsTheJob) {
  Register("a", 1);
  Register("b", 1);
  const std::string job = Submit(2);
  AnswerDiscovery("a", 2);
  AnswerDeployment("a", UserError("operator 'x': no"));
  EXPECT_EQ(State(job), v1::FAILING);
  AnswerDeployment("b");
  AnswerCancel("b");
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::FAILED);
  EXPECT_EQ(Reason(job), "deployment on TaskManager a failed: operator 'x': no");
}

TEST_F(DispatcherTest, ACancelThatGoesAstrayIsRepeated) {
  const std::string job = RunningJob();
  ASSERT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  AnswerCancel("a");
  gateways_["b"]->cancelled(TransientError("deadline"));
  executor_.RunAll();
  EXPECT_EQ(gateways_["b"]->cancels.size(), 1u);
  executor_.Advance(seconds(1));
  EXPECT_EQ(gateways_["b"]->cancels.size(), 2u);
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::CANCELED);
}

TEST_F(DispatcherTest, SlotsLostBeforeTheDeploymentAreAskedForAgain) {
  const int64_t registration = Register("a", 1);
  const std::string job = Submit(1);
  ASSERT_EQ(gateways_["a"]->discoveries.size(), 1u);
  const auto late_answer = gateways_["a"]->discovered;
  dispatcher_->OnDetached("a", registration);
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CREATED);
  EXPECT_THAT(Reason(job), StartsWith("waiting for 1 more slot"));
  Register("b", 1);
  ASSERT_EQ(gateways_["b"]->discoveries.size(), 1u);
  late_answer(TransientError("connection reset"));  // of the former placement: no news
  executor_.RunAll();
  EXPECT_EQ(Reason(job), "asking the sources for their splits");
  AnswerDiscovery("b", 1);
  EXPECT_EQ(gateways_["b"]->deployments.size(), 1u);
}

TEST_F(DispatcherTest, DiscoveryBacksOff) {
  Register("a", 1);
  const std::string job = Submit(1);
  for (size_t tries = 1; tries <= 3; ++tries) {
    ASSERT_EQ(gateways_["a"]->discoveries.size(), tries);
    gateways_["a"]->discovered(TransientError("all brokers are down"));
    executor_.RunAll();
    const milliseconds delay(500 << (tries - 1));
    v1::HeartbeatRequest alive;
    alive.set_task_manager_id("a");
    alive.set_leader_epoch(kEpoch.value);
    dispatcher_->Heartbeat(alive);
    executor_.Advance(delay - milliseconds(1));
    ASSERT_EQ(gateways_["a"]->discoveries.size(), tries);
    executor_.Advance(milliseconds(1));
  }
  EXPECT_EQ(Reason(job), "source 'events': all brokers are down; trying again every 2.0 s");
  ASSERT_TRUE(dispatcher_->Cancel(job));
  EXPECT_EQ(State(job), v1::CANCELED);
}

TEST_F(DispatcherTest, ATaskManagerThatRegistersAgainHasLostItsTasks) {
  const std::string job = RunningJob();
  const auto old_registration = 1;
  Register("a", 1);
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_THAT(Reason(job), HasSubstr("TaskManager a was lost: it registered again"));
  // The end of its former connection comes late and means nothing.
  dispatcher_->OnDetached("a", old_registration);
  EXPECT_EQ(dispatcher_->TaskManagers().size(), 2u);
}

TEST_F(DispatcherTest, TheFirstCauseStaysAndALossIsAdded) {
  const std::string job = RunningJob();
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "the connection to b broke"));
  dispatcher_->OnDetached("b", 2);
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::FAILED);
  EXPECT_THAT(Reason(job), HasSubstr("(1/2) on TaskManager a: the connection to b broke; "
                                     "TaskManager b was lost: its connection broke"));
}

TEST_F(DispatcherTest, EndedJobsStayListedUpToALimit) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(Submit(1));
    ASSERT_TRUE(dispatcher_->Cancel(ids.back()));
    executor_.RunAll();
  }
  EXPECT_FALSE(dispatcher_->Details(ids[1]));
  const auto listed = dispatcher_->Summaries(/*include_ended=*/true);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].job_id(), ids[3]);  // newest first
  EXPECT_EQ(listed[1].job_id(), ids[2]);
  EXPECT_TRUE(dispatcher_->Summaries(/*include_ended=*/false).empty());
  EXPECT_FALSE(dispatcher_->Cancel("no such job"));
}

TEST_F(DispatcherTest, ADegradedTaskShowsInTheReasonUntilItHeals) {
  const std::string job = RunningJob();
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_RUNNING, "all brokers are down"));
  EXPECT_THAT(Reason(job), HasSubstr("(2/2): all brokers are down"));
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_RUNNING, ""));
  EXPECT_EQ(Reason(job), "");
}

}  // namespace
}  // namespace watershed
