// Jobs of several regions under another JobManager.
#include "runtime/checkpoint/manifest.h"
#include "tests/unit/jobmanager/region_fixture.h"

namespace watershed {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class RegionFailoverTest : public RegionTest {
 protected:
  void Heartbeat(const std::string& task_manager) {
    v1::HeartbeatRequest request;
    request.set_task_manager_id(task_manager);
    request.set_leader_epoch(epoch_.value);
    EXPECT_FALSE(dispatcher_->Heartbeat(request).unknown());
  }
  // Its deployments are those of the former one.
  void SucceedWith(const std::string& job) {
    auto running = WhatRuns(job);
    const auto former = gateways_;
    Succeed(running);
    for (const auto& [id, gateway] : former) {
      if (gateways_.contains(id)) gateways_[id]->deployments = gateway->deployments;
    }
  }
};

TEST_F(RegionFailoverTest, EachIsAdoptedWithItsAttempt) {
  const std::string job = RunInRegions();
  CheckpointOfBoth(job, 100);
  FailAAndRestart(job);
  SucceedWith(job);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(On("a", job).attempt(), 3);
  EXPECT_EQ(On("b", job).attempt(), AttemptOn("b"));
  EXPECT_EQ(Job(job).restarts(), 1);
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(gateways_[id]->notifications.back().attempt(), AttemptOn(id));
    ConfirmOn(id, job, 1);
  }
  CheckpointOfBoth(job, 200);
  FailAAndRestart(job);
  EXPECT_EQ(AttemptOn("a"), 4);
  EXPECT_TRUE(gateways_["b"]->cancels.empty());
}

TEST_F(RegionFailoverTest, InTheMiddleOfARestartAllTasksStartAnew) {
  const std::string job = RunInRegions();
  CheckpointOfBoth(job, 100);
  FailA(job);
  executor_.Advance(seconds(2));  // the entry is stored, the deployment has not come to a
  auto running = WhatRuns(job);
  running.erase("a");
  settings_.heartbeat_timeout = seconds(10);
  Succeed(running);
  EXPECT_EQ(State(job), v1::RECONCILING);
  executor_.Advance(seconds(5));
  for (const char* id : {"a", "b"}) Heartbeat(id);
  executor_.Advance(seconds(5));
  EXPECT_THAT(Reason(job), HasSubstr("not all of its tasks were reported"));
  EXPECT_EQ(gateways_["b"]->cancels.size(), 1u);
}

// What has been stored says which number each region has.
TEST_F(RegionFailoverTest, ATaskOfAFormerAttemptIsNotAdopted) {
  const std::string job = RunInRegions();
  const auto before = WhatRuns(job);
  FailAAndRestart(job);
  auto running = WhatRuns(job);
  running["a"] = before.at("a");
  Succeed(running);
  EXPECT_EQ(State(job), v1::RECONCILING);
}

TEST_F(RegionFailoverTest, WhoHadFinishedIsNotAwaitedAfterAnotherRegionsRestart) {
  const std::string job = RunInRegions();
  const int64_t id = Trigger();
  AcknowledgeOn("a", job, id, 100);
  AcknowledgeOn("b", job, id, 100, /*ended=*/true);
  for (const char* on : {"a", "b"}) ConfirmOn(on, job, id);
  Report("b", job, v1::TASK_FINISHED);
  FailAAndRestart(job);
  EXPECT_EQ(On("b", job).state(), v1::TASK_FINISHED);
  SucceedWith(job);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(On("b", job).state(), v1::TASK_FINISHED);
  // What it held is in the next checkpoint.
  ConfirmOn("a", job, id);
  const int64_t next = Trigger();
  AcknowledgeOn("a", job, next, 200);
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), next);
  auto storage = OpenStorage(directory_ + "/" + job).value();
  const v1::CheckpointManifest manifest =
      ReadManifest(*storage, ManifestName(CheckpointId{next}, Attempt{3})).value();
  EXPECT_TRUE(manifest.subtasks(SubtaskOn("b")).ended());
}

// Nothing is deployed any more then: b's task had finished under the former JobManager.
TEST_F(RegionFailoverTest, WhereARegionWasToBeDeployedIsLostAndAllTasksStartAnew) {
  const std::string job = RunInRegions();
  const int64_t id = Trigger();
  AcknowledgeOn("a", job, id, 100);
  AcknowledgeOn("b", job, id, 100, /*ended=*/true);
  for (const char* on : {"a", "b"}) ConfirmOn(on, job, id);
  Report("b", job, v1::TASK_FINISHED);
  const auto running = WhatRuns(job);
  Lead();
  const int64_t a = Register("a", 1, running.at("a"));
  const int64_t b = Register("b", 1);
  ASSERT_EQ(State(job), v1::RUNNING);
  io_.hangs = true;
  dispatcher_->OnDetached("a", a);
  executor_.RunAll();
  ASSERT_EQ(Job(job).subtasks(0).task_manager_id() + Job(job).subtasks(1).task_manager_id(), "b");
  dispatcher_->OnDetached("b", b);
  executor_.RunAll();
  io_.Release();
  EXPECT_THAT(Reason(job), HasSubstr("TaskManager b was lost"));
  executor_.Advance(seconds(2));
  Register("c", 2);
  ASSERT_EQ(gateways_["c"]->deployments.size(), 2u);  // one for each region
  for (const v1::DeployTasksRequest& deployment : gateways_["c"]->deployments) {
    EXPECT_EQ(deployment.tasks(0).restore().checkpoint_id(), id);
  }
}

// What its former task said last is of no use for the one that has started anew since.
TEST_F(RegionFailoverTest, LastWordsOfAFormerAttemptAreNotTakenOver) {
  const std::string job = RunInRegions();
  const int64_t id = Trigger();
  AcknowledgeOn("a", job, id, 100, /*ended=*/true);
  AcknowledgeOn("b", job, id, 100);
  for (const char* on : {"a", "b"}) ConfirmOn(on, job, id);
  FailAAndRestart(job);
  auto running = WhatRuns(job);
  running["a"]
      .mutable_running(0)
      ->mutable_tasks(0)
      ->mutable_status()
      ->mutable_counters()
      ->set_ended(true);
  const auto former = gateways_;
  Succeed(running);
  for (const auto& [name, gateway] : former) gateways_[name]->deployments = gateway->deployments;
  EXPECT_EQ(State(job), v1::RUNNING);
  for (const char* on : {"a", "b"}) ConfirmOn(on, job, id);
  const int64_t next = Trigger();
  AcknowledgeOn("b", job, next, 200);
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), id);  // a has to answer
  AcknowledgeOn("a", job, next, 200, /*ended=*/true);
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), next);
}

// As a store of an earlier version has it, or one with the other setting.
TEST_F(RegionFailoverTest, OneNumberForAllIsOneRegion) {
  settings_.jobs.restarts_regions = false;
  Lead();
  const std::string job = RunInRegions();
  settings_.jobs.restarts_regions = true;
  SucceedWith(job);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).attempt(), 1);
  Report("a", job, v1::TASK_FAILED, "boom");
  ExpectAllRestart(job);
  AnswerCancel("b");
  executor_.Advance(seconds(2));
  EXPECT_EQ(AttemptOn("a") + AttemptOn("b"), 2 + 3);
}

TEST_F(RegionFailoverTest, RegionsAreAdoptedWhateverTheSettingIsNow) {
  const std::string job = RunInRegions();
  settings_.jobs.restarts_regions = false;
  SucceedWith(job);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(On("b", job).attempt(), AttemptOn("b"));
  Report("a", job, v1::TASK_FAILED, "boom");
  ExpectAllRestart(job);
  EXPECT_EQ(gateways_["b"]->cancels[0].attempt(), AttemptOn("b"));
}

}  // namespace
}  // namespace watershed
