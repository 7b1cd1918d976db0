// Checkpoints that somebody asks for, and those that a job is stopped with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobmanager/checkpoint/coordinator_fixture.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(CheckpointCoordinatorTest, WhatIsAskedForComesAtOnceOneByOneAndIsAnswered) {
  CheckpointSettings settings = EverySecond();
  settings.min_pause = milliseconds(10'000);
  StartRunning(settings);
  coordinator_->Request({.operation_id = "first", .savepoint_directory = "file:///s"});
  coordinator_->Request({.operation_id = "second"});
  EXPECT_THAT(At(10), ElementsAre("trigger 1 (savepoint)"));
  AcknowledgeAll(1);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  ASSERT_TRUE(stored_.request);
  EXPECT_EQ(stored_.request->savepoint_directory, "file:///s");
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("first: 1", "completed 1", "trigger 2"));
  ConfirmAll(1);
  coordinator_->OnDeclined(CheckpointId{2}, kSource1, "no", Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 2", "second: checkpoint 2 failed: events (2/2): no"));
  EXPECT_THAT(At(20), IsEmpty());  // the next is periodic, and waits for the pause
}

TEST_F(CheckpointCoordinatorTest, WhatIsAskedForWaitsForTheConfirmationOfSegmentsToo) {
  StartRunning(EverySecond());
  EXPECT_THAT(At(1000), ElementsAre("trigger 1"));
  AcknowledgeAll(1, /*has_segment=*/true);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  coordinator_->Request({.operation_id = "it"});
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1"));
  ConfirmAll(1);
  EXPECT_THAT(Step(), ElementsAre("trigger 2"));
}

TEST_F(CheckpointCoordinatorTest, AJobWithoutAnIntervalTakesWhatIsAskedFor) {
  StartRunning({});
  EXPECT_THAT(At(1000), IsEmpty());
  coordinator_->Request({.operation_id = "it"});
  EXPECT_THAT(Step(), ElementsAre("trigger 1"));
}

TEST_F(CheckpointCoordinatorTest, NothingComesAfterTheCheckpointThatAJobIsStoppedWith) {
  StartRunning(EverySecond());
  coordinator_->Request({.operation_id = "stop", .stop = v1::SUSPEND});
  EXPECT_THAT(At(10), ElementsAre("trigger 1 (suspend)"));
  AcknowledgeAll(1, /*has_segment=*/true);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("stop: 1", "completed 1 (last)"));
  EXPECT_THAT(At(1010), ElementsAre("completed 1 (last)"));  // told again
  ConfirmAll(1);
  coordinator_->Request({.operation_id = "late"});
  EXPECT_THAT(At(60'000), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, AStopThatFailsIsAnsweredAndTheJobGoesOn) {
  StartRunning(EverySecond());
  coordinator_->Request({.operation_id = "stop", .stop = v1::DRAIN});
  EXPECT_THAT(At(10), ElementsAre("trigger 1 (drain)"));
  AcknowledgeAll(1);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  coordinator_->OnStoreFailed(CheckpointId{1}, "full", Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 1", "stop: checkpoint 1 failed: full"));
  EXPECT_THAT(At(1010), ElementsAre("trigger 2"));
}

TEST_F(CheckpointCoordinatorTest, WhoeverAskedForWhatFailedMayAskAgainBeforeAnyOtherBegins) {
  StartRunning(EverySecond());
  coordinator_->Request({.operation_id = "stop", .stop = v1::DRAIN});
  EXPECT_THAT(At(10), ElementsAre("trigger 1 (drain)"));
  // The interval is over when it fails.
  EXPECT_THAT(At(5010), ElementsAre("aborted 1", HasSubstr("stop: checkpoint 1 failed")));
  coordinator_->Request(
      {.operation_id = "stop", .stop = v1::DRAIN, .not_before = milliseconds(6000)});
  EXPECT_THAT(Step(), IsEmpty());
  EXPECT_EQ(NextMs(), 6000);
  EXPECT_THAT(At(5999), IsEmpty());
  EXPECT_THAT(At(6000), ElementsAre("trigger 2 (drain)"));
}

TEST_F(CheckpointCoordinatorTest, ANewLeaderTellsThatTheLastOneWasTheLast) {
  Start(EverySecond(), {Ref(7)}, 8);
  coordinator_->OnAdopted(Now(), {}, /*is_stopped=*/true);
  EXPECT_THAT(Step(), ElementsAre("completed 7 (last)"));
  ConfirmAll(7);
  EXPECT_THAT(At(60'000), IsEmpty());
}

}  // namespace
}  // namespace watershed
