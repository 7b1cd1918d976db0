// Checkpoints of a job whose regions restart by themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobmanager/checkpoint/coordinator_fixture.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CheckpointRegionsTest : public CheckpointCoordinatorTest {
 protected:
  void Fail() { coordinator_->OnRegionsFailed("boom", Now()); }
  // The region of the second source subtask.
  void Begin() { coordinator_->OnRegionsBegin({kSource1}); }
  void Run() { coordinator_->OnRunning(Now()); }
};

TEST_F(CheckpointRegionsTest, WhatIsCollectedIsGivenUpAndToldAndIsNoFailureOfItsOwn) {
  CheckpointSettings settings = EverySecond();
  settings.tolerable_failures = 0;
  StartRunning(settings);
  EXPECT_THAT(At(1000), ElementsAre("trigger 1"));
  Acknowledge(1, kSource0);
  Fail();
  EXPECT_THAT(Step(), ElementsAre("aborted 1"));
  EXPECT_EQ(statistics().failed(), 1);
  Acknowledge(1, kSource1);
  Acknowledge(1, kSink);
  EXPECT_THAT(At(5000), IsEmpty());  // and nothing is triggered
  Begin();
  EXPECT_THAT(At(6000), IsEmpty());
  Run();
  EXPECT_THAT(At(6999), IsEmpty());
  EXPECT_THAT(At(7000), ElementsAre("trigger 2"));
  Complete(2);
}

TEST_F(CheckpointRegionsTest, AManifestThatIsBeingWrittenComesTooLate) {
  StartRunning(EverySecond());
  EXPECT_THAT(At(1000), ElementsAre("trigger 1"));
  AcknowledgeAll(1);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  Fail();
  EXPECT_THAT(Step(), ElementsAre("aborted 1"));
  EXPECT_FALSE(coordinator_->OnManifestStored(CheckpointId{1}));
}

TEST_F(CheckpointRegionsTest, AnEntryOnItsWayCountsInFull) {
  StartRunning(EverySecond());
  EXPECT_THAT(At(1000), ElementsAre("trigger 1"));
  AcknowledgeAll(1, /*has_segment=*/true);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  EXPECT_TRUE(coordinator_->OnManifestStored(CheckpointId{1}));
  Fail();
  EXPECT_THAT(Step(), IsEmpty());
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1"));  // the others are told
  Begin();
  Run();
  Confirm(1, kSource0);
  EXPECT_THAT(At(2000), ElementsAre("completed 1"));  // the sink has not confirmed
  Confirm(1, kSink);
  EXPECT_THAT(Step(), ElementsAre("trigger 2"));  // who has begun with it is not waited for
}

TEST_F(CheckpointRegionsTest, LastWordsOfFormerTasksDoNotCount) {
  StartRunning(EverySecond());
  EXPECT_THAT(At(1000), ElementsAre("trigger 1"));
  Acknowledge(1, kSource0, /*ended=*/true);
  Acknowledge(1, kSource1, /*ended=*/true);
  Acknowledge(1, kSink);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1"));
  ConfirmAll(1);
  for (const Key& key : {kSource0, kSource1}) coordinator_->OnFinished(key, Now());
  Fail();
  Begin();
  Run();
  EXPECT_THAT(At(2000), ElementsAre("trigger 2"));
  Acknowledge(2, kSink);
  EXPECT_THAT(Step(), IsEmpty());  // the one that runs again has to answer, the other not
  Acknowledge(2, kSource1);
  EXPECT_THAT(Step(), ElementsAre("store 2"));
  EXPECT_EQ(stored_.subtasks.size(), 3u);
}

TEST_F(CheckpointRegionsTest, OpenRequestsAreDropped) {
  StartRunning(EverySecond());
  coordinator_->Request({.operation_id = "one"});
  coordinator_->Request({.operation_id = "two"});
  EXPECT_THAT(At(10), ElementsAre("trigger 1"));
  Fail();
  EXPECT_THAT(Step(), ElementsAre("aborted 1"));
  Begin();
  Run();
  EXPECT_THAT(At(500), IsEmpty());
  EXPECT_THAT(At(1010), ElementsAre("trigger 2"));
}

}  // namespace
}  // namespace watershed
