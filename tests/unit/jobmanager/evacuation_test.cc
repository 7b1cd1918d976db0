// TaskManagers that are asked to end while jobs run on them.
#include <gmock/gmock.h>

#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {
namespace {

using testing::HasSubstr;

// No failure may restart it: what restarts here is no failure.
constexpr const char* kNoFailures =
    "checkpointing: {interval: 1h}\n"
    "restart-strategy: {type: none}\n";

class EvacuationTest : public JobCheckpointsTest {
 protected:
  void SayLeaving(const std::string& id) {
    v1::HeartbeatRequest heartbeat;
    heartbeat.set_task_manager_id(id);
    heartbeat.set_leader_epoch(epoch_.value);
    heartbeat.set_leaving(true);
    EXPECT_FALSE(dispatcher_->Heartbeat(heartbeat).unknown());
    executor_.RunAll();
  }
  size_t Triggers() { return gateways_["a"]->triggers.size(); }
  int64_t LastTriggered() { return gateways_["a"]->triggers.back().checkpoint_id(); }
};

TEST_F(EvacuationTest, ItsTasksMoveWithACheckpointAndThatIsNoFailure) {
  const std::string job = SubmitAndRun(kNoFailures);
  SayLeaving("a");
  ASSERT_EQ(Triggers(), 1u);
  EXPECT_EQ(State(job), v1::RUNNING);
  SayLeaving("a");  // with every heartbeat
  EXPECT_EQ(Triggers(), 1u);
  Register("c", 1);
  Acknowledge(job, LastTriggered(), 100);
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_THAT(Reason(job), HasSubstr("TaskManager a is leaving: its tasks move with checkpoint 1"));
  AnswerCancel("a");
  AnswerCancel("b");
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["b"]->deployments.size(), 2u);
  ASSERT_EQ(gateways_["c"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["c"]->deployments[0].attempt(), 2);
  gateways_.erase("a");
  EXPECT_EQ(DeployedPositions(),
            (std::map<std::string, int64_t>{{"0", 100}, {"1", 101}, {"2", 102}}));
}

TEST_F(EvacuationTest, WithoutOtherSlotsTheJobWaitsForThem) {
  const std::string job = SubmitAndRun(kNoFailures);
  SayLeaving("a");
  Acknowledge(job, LastTriggered(), 100);
  AnswerCancel("a");
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::CREATED);
  EXPECT_THAT(Reason(job), HasSubstr("waiting for 1 more slot"));
  Register("c", 1);
  EXPECT_EQ(gateways_["c"]->deployments.size(), 1u);
}

TEST_F(EvacuationTest, ACheckpointThatFailsIsAskedForAgain) {
  const std::string job = SubmitAndRun(kNoFailures);
  SayLeaving("a");
  v1::ReportCheckpointRequest declined = Report(job, LastTriggered(), 0, 1);
  declined.set_declined("the disk is full");
  EXPECT_TRUE(Send(declined));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Triggers(), 1u);
  SayLeaving("a");
  EXPECT_EQ(Triggers(), 2u);
  Acknowledge(job, LastTriggered(), 100);
  EXPECT_EQ(State(job), v1::FAILING);
}

TEST_F(EvacuationTest, AJobWithoutCheckpointsFailsAtOnce) {
  const std::string job = SubmitAndRun("");
  SayLeaving("a");
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_THAT(Reason(job), HasSubstr("TaskManager a is shutting down"));
}

TEST_F(EvacuationTest, AJobThatIsBeingStoppedIsLeftToItsStop) {
  const std::string job = SubmitAndRun(kNoFailures);
  v1::StopWithSavepointRequest stop;
  stop.set_job_id(job);
  stop.set_directory(directory_ + "/savepoints");
  dispatcher_->StopWithSavepoint(stop,
                                 [](const Result<std::string>& asked) { EXPECT_TRUE(asked); });
  executor_.RunAll();
  ASSERT_EQ(Triggers(), 1u);
  SayLeaving("a");
  Acknowledge(job, LastTriggered(), 100);
  Confirm(job, LastTriggered());
  EXPECT_EQ(Triggers(), 1u);
  EXPECT_EQ(State(job), v1::RUNNING);  // until its tasks have told that they are finished
}

TEST_F(EvacuationTest, SlotsOfOneThatLeavesAreNotTaken) {
  Register("a", 1);
  Register("b", 1);
  SayLeaving("a");
  const std::string job = Submit(2);
  EXPECT_THAT(Reason(job), HasSubstr("waiting for 1 more slot"));
  for (const TaskManagerView& view : dispatcher_->TaskManagers()) {
    EXPECT_EQ(view.free_slots, view.id == "a" ? 0 : 1) << view.id;
  }
}

TEST_F(EvacuationTest, AJobThatWaitsSaysThatTheOnlyOneIsLeaving) {
  const std::string job = Submit(2);
  EXPECT_THAT(Reason(job), HasSubstr("no TaskManager is registered"));
  Register("a", 1);
  SayLeaving("a");
  EXPECT_THAT(Reason(job), HasSubstr("the only TaskManager is leaving"));
}

TEST_F(EvacuationTest, SlotsThatAJobHoldsButDoesNotUseYetAreGivenBack) {
  Register("a", 1);
  const std::string job = Submit(1);
  ASSERT_EQ(gateways_["a"]->discoveries.size(), 1u);
  SayLeaving("a");
  EXPECT_THAT(Reason(job), HasSubstr("waiting for 1 more slot"));
  Register("b", 1);
  EXPECT_EQ(gateways_["b"]->discoveries.size(), 1u);
}

}  // namespace
}  // namespace watershed
