// Jobs that run in fewer slots than they ask for, and take more when they come.
#include <gmock/gmock.h>

#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

// No failure may restart it: what restarts here is no failure.
constexpr const char* kNoFailures =
    "checkpointing: {interval: 1h}\n"
    "restart-strategy: {type: none}\n";

class ParallelismTest : public JobCheckpointsTest {
 protected:
  void SetUp() override {
    settings_.jobs.adaptive.enabled = true;
    JobCheckpointsTest::SetUp();
  }
  std::string SubmitForTwo(const std::string& fields = kNoFailures) {
    v1::JobGraph graph = Graph(fields);
    graph.set_parallelism(2);
    const Result<JobId> job = Submit(graph);
    EXPECT_TRUE(job) << job.error().message;
    return job->hex;
  }
  // Asks for two, and runs in the only one on a.
  std::string RunInOne(const std::string& fields = kNoFailures) {
    Register("a", 1);
    const std::string job = SubmitForTwo(fields);
    executor_.Advance(seconds(10));
    AnswerDiscovery("a", 3);
    AnswerDeployment("a");
    EXPECT_TRUE(Update("a", job, 0, v1::TASK_RUNNING));
    EXPECT_EQ(State(job), v1::RUNNING);
    return job;
  }
  // The one subtask's answer for all three splits.
  void AcknowledgeAlone(const std::string& job, int64_t position, int attempt = 1) {
    const int64_t id = gateways_["a"]->triggers.back().checkpoint_id();
    v1::ReportCheckpointRequest report = Report(job, id, 0, attempt);
    *report.mutable_acknowledged() = Part(0, position);
    report.mutable_acknowledged()->mutable_splits()->MergeFrom(Part(1, position).splits());
    EXPECT_TRUE(Send(report));
  }
  int PlannedParallelism(const std::string& task_manager) {
    return gateways_[task_manager]->deployments.back().plan().vertices(0).parallelism();
  }
  std::map<std::string, int64_t> Positions(int64_t position) {
    return {{"0", position}, {"1", position + 1}, {"2", position + 2}};
  }
};

TEST_F(ParallelismTest, AJobStartsInTheSlotsThatAreThere) {
  Register("a", 1);
  const std::string job = SubmitForTwo();
  executor_.Advance(seconds(9));
  EXPECT_EQ(State(job), v1::CREATED);
  EXPECT_THAT(Reason(job), HasSubstr("waiting for 1 more slot"));
  EXPECT_THAT(Reason(job), HasSubstr("starts with fewer"));
  executor_.Advance(seconds(1));
  ASSERT_EQ(gateways_["a"]->discoveries.size(), 1u);
  EXPECT_EQ(gateways_["a"]->discoveries[0].parallelism(), 2);  // for whenever it grows
  AnswerDiscovery("a", 3);
  ASSERT_EQ(gateways_["a"]->deployments.size(), 1u);
  EXPECT_EQ(PlannedParallelism("a"), 1);
  EXPECT_EQ(gateways_["a"]->deployments[0].plan().max_parallelism(), 128);
  ASSERT_EQ(gateways_["a"]->deployments[0].tasks_size(), 1);
  EXPECT_EQ(gateways_["a"]->deployments[0].tasks(0).splits_size(), 3);
  AnswerDeployment("a");
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_RUNNING));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_THAT(Reason(job), HasSubstr("runs in 1 of the 2 slots"));
  EXPECT_EQ(Job(job).plan().vertices(0).parallelism(), 1);
  EXPECT_EQ(Job(job).subtasks_size(), 1);
}

TEST_F(ParallelismTest, SlotsThatComeInTimeAreWaitedFor) {
  Register("a", 1);
  const std::string job = SubmitForTwo();
  executor_.Advance(seconds(9));
  Register("b", 1);
  ASSERT_EQ(gateways_["a"]->discoveries.size(), 1u);
  AnswerDiscovery("a", 3);
  EXPECT_EQ(PlannedParallelism("a"), 2);
  EXPECT_EQ(gateways_["b"]->deployments.size(), 1u);
  EXPECT_EQ(Job(job).subtasks_size(), 2);
}

TEST_F(ParallelismTest, TheTimeBeginsWithTheFirstSlot) {
  SubmitForTwo();
  executor_.Advance(seconds(60));
  Register("a", 1);
  executor_.Advance(seconds(9));
  dispatcher_->OnDetached("a", Register("a", 1));
  executor_.RunAll();
  Register("a", 1);
  executor_.Advance(seconds(9));
  EXPECT_TRUE(gateways_["a"]->discoveries.empty());
  executor_.Advance(seconds(1));
  EXPECT_EQ(gateways_["a"]->discoveries.size(), 1u);
}

TEST_F(ParallelismTest, ALostTaskManagerMakesItSmallerFromTheLastCheckpoint) {
  const std::string job = SubmitAndRun();
  const int64_t checkpoint = Checkpoint(job, 100);
  dispatcher_->OnDetached("b", Register("b", 1));
  executor_.RunAll();
  gateways_.erase("b");
  AnswerCancel("a");
  executor_.Advance(seconds(9));
  EXPECT_EQ(State(job), v1::CREATED);
  executor_.Advance(seconds(1));
  ASSERT_EQ(gateways_["a"]->deployments.size(), 2u);
  EXPECT_EQ(PlannedParallelism("a"), 1);
  EXPECT_EQ(gateways_["a"]->deployments[1].attempt(), 2);
  EXPECT_EQ(gateways_["a"]->deployments[1].tasks(0).restore().checkpoint_id(), checkpoint);
  EXPECT_EQ(DeployedPositions(), Positions(100));
}

TEST_F(ParallelismTest, ItMovesOntoMoreSlotsWithACheckpointAndThatIsNoFailure) {
  const std::string job = RunInOne();
  executor_.Advance(seconds(29));
  Register("b", 1);
  EXPECT_TRUE(gateways_["a"]->triggers.empty());
  executor_.Advance(seconds(1));
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
  AcknowledgeAlone(job, 100);
  EXPECT_THAT(Reason(job), HasSubstr("it runs in 1 of 2 slots and 1 more can be had: its tasks "
                                     "move with checkpoint 1"));
  AnswerCancel("a");
  ASSERT_EQ(gateways_["a"]->deployments.size(), 2u);
  ASSERT_EQ(gateways_["b"]->deployments.size(), 1u);
  EXPECT_EQ(PlannedParallelism("b"), 2);
  EXPECT_EQ(DeployedPositions(), Positions(100));
  Run(job, 2);
  EXPECT_EQ(Reason(job), "");
  executor_.Advance(seconds(600));
  EXPECT_EQ(gateways_["a"]->triggers.size(), 1u);
}

TEST_F(ParallelismTest, SlotsThatAreTakenBeforeItsCheckpointIsCompleteMoveNothing) {
  const std::string job = RunInOne();
  executor_.Advance(seconds(30));
  Register("b", 1);
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
  Submit(1);
  AcknowledgeAlone(job, 100);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_TRUE(gateways_["a"]->cancels.empty());
  Register("c", 1);
  executor_.Advance(seconds(29));
  EXPECT_EQ(gateways_["a"]->triggers.size(), 1u);
  // Not before all have confirmed the one before.
  v1::ReportCheckpointRequest confirmed = Report(job, 1, 0, 1);
  confirmed.set_confirmed(true);
  EXPECT_TRUE(Send(confirmed));
  executor_.Advance(seconds(1));
  EXPECT_EQ(gateways_["a"]->triggers.size(), 2u);
}

TEST_F(ParallelismTest, APartOfTheSlotsIsTakenLaterAndThenAtOnce) {
  Register("a", 1);
  v1::JobGraph graph = Graph(kNoFailures);
  graph.set_parallelism(3);
  const std::string job = Submit(graph)->hex;
  executor_.Advance(seconds(10));
  AnswerDiscovery("a", 3);
  AnswerDeployment("a");
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_RUNNING));
  executor_.Advance(seconds(100));
  Register("b", 1);
  executor_.Advance(seconds(59));
  EXPECT_TRUE(gateways_["a"]->triggers.empty());
  executor_.Advance(seconds(1));
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
  AcknowledgeAlone(job, 100);
  AnswerCancel("a");
  ASSERT_EQ(gateways_["b"]->deployments.size(), 1u);
  EXPECT_EQ(PlannedParallelism("b"), 2);
}

TEST_F(ParallelismTest, AJobWithoutCheckpointsKeepsToItsSlots) {
  settings_.jobs.checkpoint_directory.clear();
  Lead();
  const std::string job = RunInOne("restart-strategy: {type: none}\n");
  Register("b", 1);
  executor_.Advance(seconds(600));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_THAT(Reason(job), HasSubstr("it takes no checkpoints, so it keeps to them"));
}

TEST_F(ParallelismTest, AJobThatIsBeingStoppedDoesNotGrow) {
  const std::string job = RunInOne();
  v1::StopWithSavepointRequest stop;
  stop.set_job_id(job);
  stop.set_directory(directory_ + "/savepoints");
  dispatcher_->StopWithSavepoint(stop,
                                 [](const Result<std::string>& asked) { EXPECT_TRUE(asked); });
  executor_.RunAll();
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
  Register("b", 1);
  executor_.Advance(seconds(60));
  EXPECT_THAT(Reason(job), HasSubstr("being stopped"));
  AcknowledgeAlone(job, 100);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_TRUE(gateways_["a"]->cancels.empty());
}

TEST_F(ParallelismTest, AnotherJobManagerKnowsInHowManySlotsItRuns) {
  const std::string job = RunInOne();
  const auto running = WhatRuns(job);
  Succeed(running);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).attempt(), 1);
  EXPECT_EQ(Job(job).subtasks_size(), 1);
  EXPECT_THAT(Reason(job), HasSubstr("runs in 1 of the 2 slots"));
  executor_.Advance(seconds(30));  // b is there
  EXPECT_EQ(gateways_["a"]->triggers.size(), 1u);
}

// Of a version that always ran jobs as they asked.
TEST_F(ParallelismTest, AnEntryWithoutANumberOfSlotsMeansAll) {
  store_.holds = true;
  Register("a", 1);
  Register("b", 1);
  v1::JobGraph graph = Graph(kNoFailures);
  graph.set_parallelism(2);
  std::string job;
  v1::SubmitJobRequest request;
  *request.mutable_graph() = graph;
  dispatcher_->Submit(request, [&](const Result<JobId>& id) { job = id->hex; });
  executor_.RunAll();
  store_.Release();
  executor_.RunAll();
  ASSERT_EQ(store_.held.size(), 1u);
  ASSERT_EQ(store_.held[0].first.attempt().slots(), 2);
  store_.held[0].first.mutable_attempt()->clear_slots();
  store_.holds = false;
  store_.Release();
  executor_.RunAll();
  AnswerDiscovery("a", 3);
  Run(job);
  Succeed(WhatRuns(job));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).subtasks_size(), 2);
}

TEST_F(ParallelismTest, SlotsThatChangeBeforeTheDeploymentAreAnotherAttempt) {
  Register("a", 1);
  store_.holds = false;
  const std::string job = SubmitForTwo();
  store_.holds = true;
  executor_.Advance(seconds(10));
  ASSERT_EQ(store_.held.size(), 1u);
  EXPECT_EQ(store_.held[0].first.attempt().slots(), 1);
  dispatcher_->OnDetached("a", Register("a", 1));
  executor_.RunAll();
  Register("b", 2);
  store_.Release();
  executor_.RunAll();
  ASSERT_EQ(store_.held.size(), 1u);
  EXPECT_EQ(store_.held[0].first.attempt().attempt(), 2);
  EXPECT_EQ(store_.held[0].first.attempt().slots(), 2);
  store_.holds = false;
  store_.Release();
  executor_.RunAll();
  AnswerDiscovery("b", 3);
  ASSERT_EQ(gateways_["b"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["b"]->deployments[0].attempt(), 2);
  EXPECT_EQ(gateways_["b"]->deployments[0].tasks_size(), 2);
}

TEST_F(ParallelismTest, WhatIsReadForOtherSlotsIsNotRestored) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  dispatcher_->OnDetached("b", Register("b", 1));
  executor_.RunAll();
  AnswerCancel("a");
  io_.hangs = true;
  executor_.Advance(seconds(10));
  EXPECT_THAT(Reason(job), HasSubstr("reading checkpoint"));
  gateways_.erase("b");
  dispatcher_->OnDetached("a", Register("a", 1));
  executor_.RunAll();
  gateways_.erase("a");
  Register("c", 2);
  io_.Release();
  executor_.RunAll();
  ASSERT_EQ(gateways_["c"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["c"]->deployments[0].attempt(), 3);
  EXPECT_EQ(gateways_["c"]->deployments[0].tasks_size(), 2);
  EXPECT_EQ(DeployedPositions(), Positions(100));
}

}  // namespace
}  // namespace watershed
