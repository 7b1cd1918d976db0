#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobmanager/dispatcher_fixture.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

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
    EXPECT_EQ(request.leader_epoch(), epoch_.value);
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
  heartbeat.set_leader_epoch(epoch_.value);
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

TEST_F(DispatcherTest, TimeInWhichTheJobManagerStoodStillIsNobodysSilence) {
  const std::string job = RunningJob();
  executor_.Advance(milliseconds(500));
  executor_.StandStill(seconds(60));
  executor_.Advance(seconds(1));  // its timers come before what TaskManagers have sent meanwhile
  EXPECT_EQ(State(job), v1::RUNNING);
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_task_manager_id("a");
  heartbeat.set_leader_epoch(epoch_.value);
  EXPECT_FALSE(dispatcher_->Heartbeat(heartbeat).unknown());
  executor_.Advance(milliseconds(4500));  // who goes on being silent is lost all the same
  EXPECT_EQ(Reason(job), "TaskManager b was lost: no heartbeat for 5s");
}

TEST_F(DispatcherTest, NobodyIsLostOrKeptBecauseTheWallClockIsSet) {
  const std::string job = RunningJob();
  executor_.StepWallClock(std::chrono::hours(2));
  executor_.Advance(seconds(3));
  EXPECT_EQ(State(job), v1::RUNNING);
  executor_.StepWallClock(std::chrono::hours(-4));
  executor_.Advance(seconds(3));
  EXPECT_THAT(Reason(job), HasSubstr("no heartbeat for 5s"));
}

TEST_F(DispatcherTest, MessagesOfAnotherLeaderAreRefused) {
  const std::string job = RunningJob();
  for (const int64_t epoch : {epoch_.value - 1, epoch_.value + 1}) {
    EXPECT_FALSE(UpdateAs(LeaderEpoch{epoch}, "a", job, 0, v1::TASK_FAILED, "boom"));
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
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "stale", /*attempt=*/2));
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
  heartbeat.set_leader_epoch(epoch_.value);
  for (const auto& [id, attempt] :
       {std::pair(job, 1), std::pair(job, 3), std::pair(std::string("unknown"), 1)}) {
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

TEST_F(DispatcherTest, ADeploymentOnALostTaskManagerIsNotWaitedFor) {
  Register("a", 1);
  const int64_t registration = Register("b", 1);
  const std::string job = Submit(2);
  AnswerDiscovery("a", 2);
  AnswerDeployment("a");
  dispatcher_->OnDetached("b", registration);  // before it has answered
  executor_.RunAll();
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::FAILED);
}

TEST_F(DispatcherTest, AJobManagerThatEndsInOrderLosesNoTaskManager) {
  const std::string job = RunningJob();
  dispatcher_->OnShutdown();
  dispatcher_->OnDetached("a", 1);
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(DispatcherTest, FailuresAreLoggedAsSuch) {
  testing::internal::CaptureStderr();
  const std::string job = RunningJob();
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "boom"));
  AnswerCancel("b");
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("INFO  watershed"));
  for (const auto& [level, step] :
       {std::pair("WARN", "RUNNING -> FAILING"), std::pair("ERROR", "FAILING -> FAILED")}) {
    const size_t at = log.find(step);
    ASSERT_NE(at, std::string::npos) << log;
    const size_t line = log.rfind('\n', at) + 1;
    EXPECT_THAT(log.substr(line, at - line), HasSubstr(level));
  }
}

TEST_F(DispatcherTest, WhatASubmissionShouldKnow) {
  const std::string first = Submit(1);
  const std::vector<std::string> of_first = dispatcher_->WarningsOf(JobId{first});
  ASSERT_EQ(of_first.size(), 1u);
  EXPECT_THAT(of_first[0], HasSubstr("job 'test' takes no checkpoints"));
  const Result<JobId> second = Submit(Graph());
  EXPECT_THAT(dispatcher_->WarningsOf(*second)[0],
              HasSubstr("another job 'test' has not ended: " + first));
  EXPECT_TRUE(dispatcher_->Cancel(first));
  executor_.RunAll();
  EXPECT_EQ(dispatcher_->WarningsOf(*second).size(), 1u);
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
    alive.set_leader_epoch(epoch_.value);
    dispatcher_->Heartbeat(alive);
    executor_.Advance(delay - milliseconds(1));
    ASSERT_EQ(gateways_["a"]->discoveries.size(), tries);
    executor_.Advance(milliseconds(1));
  }
  EXPECT_EQ(Reason(job), "source 'events': all brokers are down; trying again every 2.0 s");
  ASSERT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
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

class LeaseTest : public DispatcherTest {
 protected:
  LeaseTest() { settings_.lease = seconds(3); }
  // Entries that were appended in so long, kept from becoming durable.
  std::vector<v1::LogEntry> AppendedIn(seconds time) {
    store_.holds = true;
    executor_.Advance(time);
    std::vector<v1::LogEntry> entries;
    for (const auto& [entry, done] : store_.held) entries.push_back(entry);
    return entries;
  }
};

TEST_F(LeaseTest, ALeaderWithNothingToSayRenewsItsLease) {
  executor_.Advance(seconds(1));
  const auto entries = AppendedIn(seconds(1));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_TRUE(entries[0].has_lease());
  EXPECT_FALSE(entries[0].lease().released());
  EXPECT_EQ(AppendedIn(seconds(5)).size(), 1u) << "the first one still waits for the storage";
  store_.Release();
  executor_.RunAll();
  EXPECT_EQ(AppendedIn(seconds(1)).size(), 1u);
}

TEST_F(LeaseTest, AnEntryOfAnyKindRenewsItToo) {
  Register("a", 2);
  executor_.Advance(seconds(2));
  Submit(1);
  for (const v1::LogEntry& entry : AppendedIn(seconds(1))) EXPECT_FALSE(entry.has_lease());
}

TEST_F(LeaseTest, NothingIsStoredAfterItIsReleased) {
  bool released = false;
  dispatcher_->ReleaseLease([&] { released = true; });
  executor_.RunAll();
  EXPECT_TRUE(released);
  EXPECT_TRUE(AppendedIn(seconds(5)).empty());
  EXPECT_FALSE(Submit(Graph()));
  EXPECT_TRUE(AppendedIn(seconds(1)).empty());
}

}  // namespace
}  // namespace watershed
