// Regions that restart while the others run.
#include <filesystem>
#include <fstream>

#include "tests/unit/jobmanager/region_fixture.h"

namespace watershed {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class RegionRestartTest : public RegionTest {
 protected:
  bool IsStale(const std::string& task_manager, const std::string& job, int attempt) {
    v1::HeartbeatRequest request;
    request.set_task_manager_id(task_manager);
    request.set_leader_epoch(epoch_.value);
    v1::SubtaskReport* report = request.add_tasks();
    report->set_job_id(job);
    report->mutable_status()->set_vertex_id(Job(job).subtasks(0).vertex_id());
    report->mutable_status()->set_subtask(SubtaskOn(task_manager));
    report->mutable_status()->set_attempt(attempt);
    return dispatcher_->Heartbeat(request).stale_size() > 0;
  }
  std::string MakeSharedFile(const std::string& job, int attempt) {
    const std::filesystem::path path =
        directory_ + "/" + job + "/shared/" + std::to_string(attempt) + "-vertex-0-x-1";
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "state";
    return path;
  }
};

TEST_F(RegionRestartTest, EachHasAnAttemptOfItsOwn) {
  const std::string job = RunInRegions();
  EXPECT_EQ(AttemptOn("a") + AttemptOn("b"), 1 + 2);
  for (const char* id : {"a", "b"}) {
    const v1::DeployTasksRequest& deployment = gateways_[id]->deployments.back();
    EXPECT_EQ(deployment.oldest_attempt(), 1);
    EXPECT_EQ(deployment.placements_size(), 1);  // nobody else is of interest to it
    EXPECT_EQ(On(id, job).attempt(), AttemptOn(id));
  }
  EXPECT_EQ(Job(job).attempt(), 1);
  EXPECT_EQ(Job(job).restarts(), 0);
}

TEST_F(RegionRestartTest, TheOthersRunOn) {
  const std::string job = RunInRegions();
  const int64_t checkpoint = CheckpointOfBoth(job, 100);
  FailA(job);
  EXPECT_THAT(Reason(job), HasSubstr("the others run"));
  EXPECT_EQ(On("b", job).state(), v1::TASK_RUNNING);
  executor_.Advance(seconds(2));
  ASSERT_EQ(gateways_["a"]->deployments.size(), 2u);
  const v1::DeployTasksRequest& again = gateways_["a"]->deployments.back();
  EXPECT_EQ(again.attempt(), 3);
  ASSERT_EQ(again.tasks_size(), 1);
  EXPECT_EQ(again.tasks(0).restore().checkpoint_id(), checkpoint);
  for (const v1::Split& split : again.tasks(0).splits()) {
    EXPECT_EQ(split.start_position(), 100 + std::stoi(split.id()));
  }
  EXPECT_EQ(again.oldest_attempt(), AttemptOn("b"));
  RunOn("a", job);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).restarts(), 1);
  EXPECT_THAT(Job(job).last_restart_reason(), HasSubstr("restarted, the others ran on"));
  EXPECT_THAT(Job(job).last_restart_reason(), HasSubstr("boom"));
  EXPECT_TRUE(gateways_["b"]->cancels.empty());
  EXPECT_EQ(gateways_["b"]->deployments.size(), 1u);
  EXPECT_GT(CheckpointOfBoth(job, 200), checkpoint);
}

// What is asked and answered there is told apart by the attempt.
TEST_F(RegionRestartTest, TwoOnOneTaskManagerAreNotMixedUp) {
  Register("a", 2);
  v1::JobGraph graph = Graph(kFixedDelay);
  graph.set_parallelism(2);
  const std::string job = Submit(graph)->hex;
  AnswerDiscovery("a", 3);
  FakeGateway& a = *gateways_["a"];
  ASSERT_EQ(a.deployments.size(), 2u);
  AnswerDeployment("a");  // the second one; the first is not answered yet
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Update("a", job, i, v1::TASK_RUNNING, "", i + 1));
  }
  ASSERT_EQ(State(job), v1::RUNNING);
  EXPECT_TRUE(Update("a", job, 1, v1::TASK_FAILED, "boom", 2));
  executor_.Advance(seconds(2));
  ASSERT_EQ(a.deployments.size(), 3u);
  EXPECT_EQ(a.deployments.back().attempt(), 3);
  ASSERT_EQ(a.deployments.back().tasks_size(), 1);
  EXPECT_EQ(a.deployments.back().tasks(0).subtask(), 1);
  AnswerDeployment("a");
  EXPECT_TRUE(Update("a", job, 1, v1::TASK_RUNNING, "", 3));
  EXPECT_EQ(State(job), v1::RUNNING);
  executor_.Advance(seconds(1));
  ASSERT_EQ(a.triggers.size(), 2u);  // to each of the two
  EXPECT_EQ(a.triggers[0].attempt() + a.triggers[1].attempt(), 1 + 3);
  EXPECT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  ASSERT_EQ(a.cancels.size(), 1u);  // the other is cancelled when its deployment is answered
  EXPECT_EQ(a.cancels[0].attempt(), 3);
}

TEST_F(RegionRestartTest, WithoutACheckpointItsPartBeginsEmpty) {
  const std::string job = RunInRegions();
  const auto first = gateways_["a"]->deployments.back().tasks(0);
  FailAAndRestart(job);
  const v1::TaskDeployment& again = gateways_["a"]->deployments.back().tasks(0);
  EXPECT_FALSE(again.has_restore());
  ASSERT_EQ(again.splits_size(), first.splits_size());
  EXPECT_EQ(again.splits(0).id(), first.splits(0).id());
}

TEST_F(RegionRestartTest, ACheckpointUnderWayIsGivenUpAndTheOthersHearOfIt) {
  const std::string job = RunInRegions();
  CheckpointOfBoth(job, 100);
  const int64_t given_up = Trigger();
  AcknowledgeOn("b", job, given_up, 200);
  const auto late = gateways_["a"]->deployments.back();
  FailA(job);
  EXPECT_EQ(gateways_["b"]->notifications.back().aborted_checkpoint_id(), given_up);
  EXPECT_EQ(gateways_["b"]->notifications.back().attempt(), AttemptOn("b"));
  // Its former task had answered: that does not make it complete.
  v1::ReportCheckpointRequest report =
      JobCheckpointsTest::Report(job, given_up, SubtaskOn("a"), late.attempt());
  *report.mutable_acknowledged() = Part(SubtaskOn("a"), 200);
  EXPECT_FALSE(Send(report));
  EXPECT_EQ(Job(job).checkpoints().failed(), 1);
  const size_t triggers = gateways_["b"]->triggers.size();
  executor_.Advance(seconds(2));
  EXPECT_EQ(gateways_["b"]->triggers.size(), triggers);  // none before it runs
  RunOn("a", job);
  EXPECT_EQ(gateways_["a"]->deployments.back().tasks(0).restore().checkpoint_id(), 1);
  EXPECT_GT(CheckpointOfBoth(job, 300), given_up);
}

TEST_F(RegionRestartTest, ACheckpointWhoseEntryIsOnItsWayCounts) {
  const std::string job = RunInRegions();
  const int64_t id = Trigger();
  store_.holds = true;
  for (const char* on : {"a", "b"}) AcknowledgeOn(on, job, id, 100);
  ASSERT_EQ(store_.held.size(), 1u);
  FailA(job);
  executor_.Advance(seconds(2));
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
  store_.holds = false;
  store_.Release();
  executor_.RunAll();
  EXPECT_EQ(gateways_["b"]->notifications.back().completed_checkpoint_id(), id);
  ASSERT_EQ(gateways_["a"]->deployments.size(), 2u);
  EXPECT_EQ(gateways_["a"]->deployments.back().tasks(0).restore().checkpoint_id(), id);
  RunOn("a", job);
  ConfirmOn("b", job, id);
  EXPECT_GT(CheckpointOfBoth(job, 200), id);  // nobody waits for a to confirm the first
}

TEST_F(RegionRestartTest, AnswersCountForTheirSubtasksAttempt) {
  const std::string job = RunInRegions();
  const int former = AttemptOn("a");
  FailAAndRestart(job);
  const int64_t id = Trigger();
  const auto answer = [&](const std::string& of, int attempt) {
    v1::ReportCheckpointRequest report =
        JobCheckpointsTest::Report(job, id, SubtaskOn(of), attempt);
    *report.mutable_acknowledged() = Part(SubtaskOn(of), 100);
    return Send(report).has_value();
  };
  EXPECT_FALSE(answer("a", former));
  EXPECT_FALSE(answer("a", AttemptOn("b")));
  EXPECT_FALSE(answer("b", AttemptOn("a")));
  EXPECT_EQ(Job(job).checkpoints().in_progress(), 1);
  EXPECT_TRUE(answer("b", AttemptOn("b")));
  EXPECT_TRUE(answer("a", AttemptOn("a")));
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), id);
}

TEST_F(RegionRestartTest, OnlyWhatIsOverIsStale) {
  const std::string job = RunInRegions();
  const int former = AttemptOn("a");
  EXPECT_FALSE(IsStale("a", job, former));
  FailA(job);
  EXPECT_TRUE(IsStale("a", job, former));
  EXPECT_FALSE(IsStale("b", job, AttemptOn("b")));
  executor_.Advance(seconds(2));
  EXPECT_TRUE(IsStale("a", job, former));
  EXPECT_FALSE(IsStale("a", job, AttemptOn("a")));
  EXPECT_FALSE(IsStale("b", job, AttemptOn("b")));
}

TEST_F(RegionRestartTest, WhatTheOthersWriteIsNoOrphan) {
  const std::string job = RunInRegions();
  CheckpointOfBoth(job, 100);
  const std::string before = MakeSharedFile(job, 0);
  const std::string of_a = MakeSharedFile(job, AttemptOn("a"));
  const std::string of_b = MakeSharedFile(job, AttemptOn("b"));
  FailAAndRestart(job);
  EXPECT_FALSE(std::filesystem::exists(before));
  EXPECT_EQ(std::filesystem::exists(of_a), AttemptOn("b") == 1);  // b's may be older than a's was
  EXPECT_TRUE(std::filesystem::exists(of_b));
}

TEST_F(RegionRestartTest, ManifestsHaveTheNewestAttempt) {
  const std::string job = RunInRegions();
  CheckpointOfBoth(job, 100);
  EXPECT_TRUE(std::filesystem::exists(ManifestFile(job, 1, 2)));
  FailAAndRestart(job);
  const int64_t id = CheckpointOfBoth(job, 200);
  EXPECT_TRUE(std::filesystem::exists(ManifestFile(job, id, 3)));
}

TEST_F(RegionRestartTest, ALostTaskManagersRegionWaitsForASlotAndTheOthersRun) {
  const std::string job = RunInRegions();
  const int64_t checkpoint = CheckpointOfBoth(job, 100);
  const int lost = SubtaskOn("b");
  dispatcher_->OnDetached("b", b_);
  executor_.RunAll();
  gateways_.erase("b");
  EXPECT_EQ(State(job), v1::RESTARTING);
  EXPECT_THAT(Reason(job), HasSubstr("waiting for 1 more slot"));  // and for no delay
  executor_.Advance(seconds(60));
  EXPECT_EQ(On("a", job).state(), v1::TASK_RUNNING);
  Register("c", 1);
  ASSERT_EQ(gateways_["c"]->deployments.size(), 1u);
  EXPECT_EQ(SubtaskOn("c"), lost);
  EXPECT_EQ(gateways_["c"]->deployments.back().tasks(0).restore().checkpoint_id(), checkpoint);
  RunOn("c", job);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_TRUE(gateways_["a"]->cancels.empty());
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
}

TEST_F(RegionRestartTest, OneThatFailsAgainRestartsAgain) {
  const std::string job = RunInRegions();
  FailA(job);
  executor_.Advance(seconds(2));
  Report("a", job, v1::TASK_FAILED, "again");
  EXPECT_EQ(State(job), v1::RESTARTING);
  AnswerDeployment("a");
  executor_.Advance(seconds(2));
  ASSERT_EQ(gateways_["a"]->deployments.size(), 3u);
  EXPECT_EQ(AttemptOn("a"), 4);
  RunOn("a", job);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).restarts(), 2);
  EXPECT_TRUE(gateways_["b"]->cancels.empty());
}

TEST_F(RegionRestartTest, AFailureOfEveryRegionIsOneOfTheJob) {
  const std::string job = RunInRegions();
  FailA(job);
  Report("b", job, v1::TASK_FAILED, "boom, too");
  EXPECT_THAT(Reason(job), Not(HasSubstr("the others run")));
  executor_.Advance(seconds(2));
  ASSERT_EQ(gateways_["b"]->deployments.size(), 2u);
  EXPECT_EQ(AttemptOn("a") + AttemptOn("b"), 3 + 4);
  EXPECT_EQ(gateways_["b"]->deployments.back().oldest_attempt(), 3);
  EXPECT_EQ(Job(job).restarts(), 1);
}

TEST_F(RegionRestartTest, TheStrategyHasTheLastWord) {
  const std::string job = RunInRegions(
      "checkpointing: {interval: 1s}\n"
      "restart-strategy: {type: fixed-delay, attempts: 1, delay: 2s}\n");
  FailAAndRestart(job);
  Report("a", job, v1::TASK_FAILED, "boom");
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_THAT(Reason(job), HasSubstr("boom"));
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::FAILED);
}

TEST_F(RegionRestartTest, AFinalFailureFailsTheJob) {
  const std::string job = RunInRegions();
  EXPECT_TRUE(UpdateAs(epoch_, "a", job, SubtaskOn("a"), v1::TASK_FAILED, "no such table",
                       AttemptOn("a"), /*is_final=*/true));
  ExpectAllRestart(job);
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::FAILED);
}

TEST_F(RegionRestartTest, ACancelEndsAll) {
  const std::string job = RunInRegions();
  FailA(job);
  EXPECT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CANCELLING);
  ASSERT_EQ(gateways_["b"]->cancels.size(), 1u);
  EXPECT_EQ(gateways_["b"]->cancels[0].attempt(), AttemptOn("b"));
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::CANCELED);
}

TEST_F(RegionRestartTest, AnotherFailureBeforeItIsDeployedRestartsAll) {
  const std::string job = RunInRegions();
  CheckpointOfBoth(job, 100);
  FailA(job);
  io_.hangs = true;
  executor_.Advance(seconds(2));
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
  Report("b", job, v1::TASK_FAILED, "boom, too");
  EXPECT_THAT(Reason(job), HasSubstr("boom, too"));
  io_.Release();
  executor_.Advance(seconds(2));
  EXPECT_EQ(gateways_["a"]->deployments.size(), 2u);
  ASSERT_EQ(gateways_["b"]->deployments.size(), 2u);
  // 3 was taken in vain.
  EXPECT_EQ(AttemptOn("a") + AttemptOn("b"), 4 + 5);
}

TEST_F(RegionRestartTest, AJobThatIsBeingStoppedRestartsAsOne) {
  const std::string job = RunInRegions();
  v1::StopWithSavepointRequest stop;
  stop.set_job_id(job);
  stop.set_directory(directory_ + "/savepoints");
  dispatcher_->StopWithSavepoint(stop, [](const Result<std::string>& ok) { EXPECT_TRUE(ok); });
  executor_.RunAll();
  Report("a", job, v1::TASK_FAILED, "boom");
  ExpectAllRestart(job);
}

TEST_F(RegionRestartTest, AStopThatComesMeanwhileIsCarriedOutOnceItRuns) {
  const std::string job = RunInRegions();
  FailA(job);
  v1::StopWithSavepointRequest stop;
  stop.set_job_id(job);
  stop.set_directory(directory_ + "/savepoints");
  dispatcher_->StopWithSavepoint(stop, [](const Result<std::string>& ok) { EXPECT_TRUE(ok); });
  executor_.Advance(seconds(2));
  RunOn("a", job);
  EXPECT_EQ(gateways_["a"]->triggers.back().stop(), v1::SUSPEND);
  EXPECT_EQ(gateways_["b"]->triggers.back().stop(), v1::SUSPEND);
}

// The others have gone on from it.
TEST_F(RegionRestartTest, AnOlderCheckpointRestartsAll) {
  settings_.jobs.checkpoints.retained = 2;
  Lead();
  const std::string job = RunInRegions();
  CheckpointOfBoth(job, 100);
  const int64_t newest = CheckpointOfBoth(job, 200);
  std::filesystem::resize_file(ManifestFile(job, newest, 2), 40);
  FailA(job);
  executor_.Advance(seconds(2));
  ExpectAllRestart(job);
  EXPECT_THAT(Reason(job), HasSubstr("its newest checkpoint cannot be restored"));
}

// A checkpoint whose splits would be dealt out to others than had them, to whom runs.
TEST_F(RegionRestartTest, WorkThatWouldBeDividedAnewRestartsAll) {
  const std::string job = RunInRegions();
  const int64_t id = Trigger();
  for (const char* on : {"a", "b"}) {
    const int subtask = SubtaskOn(on);
    v1::ReportCheckpointRequest report =
        JobCheckpointsTest::Report(job, id, subtask, AttemptOn(on));
    *report.mutable_acknowledged() = Part(1 - subtask, 100);  // what the other one has
    EXPECT_TRUE(Send(report));
  }
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), id);
  FailA(job);
  executor_.Advance(seconds(2));
  ExpectAllRestart(job);
  EXPECT_THAT(Reason(job), HasSubstr("divides the work in another way"));
}

TEST_F(RegionRestartTest, TheSettingFullRestartsAll) {
  settings_.jobs.restarts_regions = false;
  Lead();
  const std::string job = RunInRegions();
  EXPECT_EQ(AttemptOn("a"), 1);
  EXPECT_EQ(AttemptOn("b"), 1);
  Report("a", job, v1::TASK_FAILED, "boom");
  ExpectAllRestart(job);
}

}  // namespace
}  // namespace watershed
