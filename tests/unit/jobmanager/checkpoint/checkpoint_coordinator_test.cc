#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobmanager/checkpoint/coordinator_fixture.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(CheckpointCoordinatorTest, TriggersAtTheIntervalOnceTheTasksRun) {
  Start(EverySecond());
  EXPECT_EQ(NextMs(), -1);
  EXPECT_THAT(At(10'000), IsEmpty());
  coordinator_->OnRunning(Now());
  EXPECT_EQ(NextMs(), 11'000);
  EXPECT_THAT(At(10'999), IsEmpty());
  EXPECT_THAT(At(11'000), ElementsAre("trigger 1"));
  EXPECT_THAT(At(11'100), IsEmpty());
  Complete(1);
  EXPECT_THAT(At(11'999), IsEmpty());
  EXPECT_THAT(At(12'000), ElementsAre("trigger 2"));
}

TEST_F(CheckpointCoordinatorTest, OneAtATimeAndAtOnceWhenTheLastOneTookLong) {
  StartRunning(EverySecond());
  EXPECT_THAT(At(1000), ElementsAre("trigger 1"));
  EXPECT_THAT(At(3500), IsEmpty());
  AcknowledgeAll(1);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1", "trigger 2"));
}

TEST_F(CheckpointCoordinatorTest, PausesAfterTheEndOfACheckpoint) {
  CheckpointSettings settings = EverySecond();
  settings.min_pause = milliseconds(700);
  StartRunning(settings);
  EXPECT_THAT(At(1000), ElementsAre("trigger 1"));
  now_ms_ = 1900;
  Complete(1);
  EXPECT_THAT(At(2599), IsEmpty());
  EXPECT_THAT(At(2600), ElementsAre("trigger 2"));
  now_ms_ = 3500;
  coordinator_->OnDeclined(CheckpointId{2}, kSink, "disk full", Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 2"));
  EXPECT_THAT(At(4199), IsEmpty());
  EXPECT_THAT(At(4200), ElementsAre("trigger 3"));
}

TEST_F(CheckpointCoordinatorTest, ACheckpointLastedAsLongAsTheSteadyClockSays) {
  StartRunning(EverySecond());
  At(1000);
  wall_step_ms_ = -3'600'000;
  At(6000);
  const v1::CheckpointSummary& failed = statistics().latest_failed();
  EXPECT_EQ(failed.trigger_time_ms(), kWallOffsetMs + 1000);
  EXPECT_EQ(failed.end_time_ms() - failed.trigger_time_ms(), 5000);
}

TEST_F(CheckpointCoordinatorTest, CompleteOnlyOnceItIsStored) {
  StartRunning(EverySecond());
  At(1000);
  Acknowledge(1, kSource0);
  Acknowledge(1, kSource0);  // told again
  Acknowledge(1, kSink);
  EXPECT_THAT(Step(), IsEmpty());
  Acknowledge(1, kSource1);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  ASSERT_EQ(stored_.subtasks.size(), 3u);
  EXPECT_EQ(stored_.subtasks[0].vertex_id(), "sink");
  EXPECT_EQ(stored_.subtasks[2].subtask(), 1);
  EXPECT_EQ(stored_.triggered.wall_ms, kWallOffsetMs + 1000);
  EXPECT_THAT(At(5000), IsEmpty());
  EXPECT_TRUE(coordinator_->OnManifestStored(CheckpointId{1}));
  EXPECT_THAT(At(20'000), IsEmpty());  // not even the timeout takes it back
  EXPECT_EQ(statistics().completed(), 0);
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1", "trigger 2"));
  EXPECT_EQ(statistics().completed(), 1);
  EXPECT_EQ(statistics().latest_completed().id(), 1);
  EXPECT_EQ(statistics().latest_completed().path(), "file:///ck/job/chk-1-1");
  EXPECT_EQ(statistics().recent(1).acknowledged(), 3);
}

TEST_F(CheckpointCoordinatorTest, ATimeoutNamesWhoDidNotAnswer) {
  StartRunning(EverySecond());
  At(1000);
  Acknowledge(1, kSource0);
  Acknowledge(1, kSink);
  EXPECT_EQ(NextMs(), 6000);
  EXPECT_THAT(At(5999), IsEmpty());
  EXPECT_THAT(At(6000), ElementsAre("aborted 1", "trigger 2"));
  EXPECT_EQ(statistics().latest_failed().failure(),
            "not complete within 5s; no answer from events (2/2)");
  EXPECT_EQ(statistics().failed(), 1);
  EXPECT_EQ(statistics().in_progress(), 1);
  Acknowledge(1, kSource1);  // too late
  EXPECT_THAT(Step(), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, ADeclineNamesSubtaskAndReasonAndTheJobGoesOn) {
  StartRunning(EverySecond());
  At(1000);
  Acknowledge(1, kSource0);
  coordinator_->OnDeclined(CheckpointId{1}, kSink, "No space left on device", Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 1"));
  EXPECT_EQ(statistics().latest_failed().failure(), "out (1/1): No space left on device");
  coordinator_->OnDeclined(CheckpointId{1}, kSource1, "again", Now());  // it is over already
  EXPECT_THAT(Step(), IsEmpty());
  EXPECT_THAT(At(2000), ElementsAre("trigger 2"));
  Acknowledge(1, kSource0);
  Acknowledge(1, kSource1);
  Acknowledge(1, kSink);
  EXPECT_THAT(Step(), IsEmpty());  // answers to the first are none to the second
  Complete(2);
}

TEST_F(CheckpointCoordinatorTest, AStoreThatFailsIsAFailedCheckpoint) {
  StartRunning(EverySecond());
  At(1000);
  AcknowledgeAll(1);
  Step();
  coordinator_->OnStoreFailed(CheckpointId{1}, "read-only file system", Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 1"));
  EXPECT_EQ(statistics().latest_failed().failure(), "read-only file system");
  Stored(1);  // of no interest any more
  EXPECT_THAT(Step(), IsEmpty());
  EXPECT_THAT(coordinator_->retained(), IsEmpty());
  At(2000);
  coordinator_->OnTriggerFailed(CheckpointId{2}, "TaskManager a is away", Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 2"));
}

TEST_F(CheckpointCoordinatorTest, NotifiesAgainUntilAllHaveConfirmed) {
  CheckpointSettings settings = EverySecond();
  settings.interval = milliseconds(60'000);
  StartRunning(settings);
  At(60'000);
  AcknowledgeAll(1);
  Step();
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1"));
  Confirm(1, kSource0);
  Confirm(1, kSink);
  EXPECT_THAT(At(60'999), IsEmpty());
  EXPECT_THAT(At(61'000), ElementsAre("completed 1"));
  Confirm(7, kSource1);  // nothing of that number has been completed
  EXPECT_THAT(At(62'000), ElementsAre("completed 1"));
  Confirm(1, kSource1);
  EXPECT_THAT(At(63'000), IsEmpty());
  EXPECT_EQ(NextMs(), 120'000);
}

TEST_F(CheckpointCoordinatorTest, WaitsForThoseThatHoldUnconfirmedSegmentsOnly) {
  StartRunning(EverySecond());
  At(1000);
  AcknowledgeAll(1, /*has_segment=*/true);
  Step();
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1"));
  EXPECT_THAT(At(2000), ElementsAre("completed 1"));  // no trigger: the sink has not confirmed
  EXPECT_THAT(At(30'000), ElementsAre("completed 1"));
  EXPECT_EQ(statistics().failed(), 0);
  Confirm(1, kSink);
  EXPECT_THAT(Step(), ElementsAre("trigger 2"));  // the sources' confirmation is not waited for
}

TEST_F(CheckpointCoordinatorTest, KeepsTheLastThree) {
  Start(EverySecond(), {Ref(3), Ref(4), Ref(5)}, /*next=*/1006);
  coordinator_->OnRunning(Now());
  EXPECT_THAT(At(1000), ElementsAre("trigger 1006"));
  AcknowledgeAll(1006);
  Step();
  EXPECT_THAT(stored_.subsumed, ElementsAre(CheckpointId{3}));
  EXPECT_EQ(coordinator_->retained().size(), 3u);
  Stored(1006);
  Step();
  ASSERT_EQ(coordinator_->retained().size(), 3u);
  EXPECT_EQ(coordinator_->retained().front().checkpoint_id(), 4);
  EXPECT_EQ(coordinator_->retained().back().checkpoint_id(), 1006);
}

TEST_F(CheckpointCoordinatorTest, FailsTheJobAfterTooManyFailuresInARow) {
  CheckpointSettings settings = EverySecond();
  settings.tolerable_failures = 1;
  StartRunning(settings);
  const auto fail = [&](int64_t id) {
    coordinator_->OnDeclined(CheckpointId{id}, kSink, "disk full", Now());
    return Step();
  };
  At(1000);
  EXPECT_THAT(fail(1), ElementsAre("aborted 1"));
  At(2000);
  Complete(2);
  At(3000);
  EXPECT_THAT(fail(3), ElementsAre("aborted 3"));
  At(4000);
  EXPECT_THAT(fail(4), ElementsAre("aborted 4",
                                   "fail: checkpoint 4 failed: out (1/1): disk full (2 in a "
                                   "row; execution.checkpointing.tolerable-failed-checkpoints "
                                   "is 1)"));
}

TEST_F(CheckpointCoordinatorTest, WithoutAnIntervalThereIsOneWhenAllHaveEnded) {
  StartRunning({});
  EXPECT_EQ(NextMs(), -1);
  coordinator_->OnEnded(kSource0);
  coordinator_->OnEnded(kSource1);
  EXPECT_THAT(At(5000), IsEmpty());
  coordinator_->OnEnded(kSink);
  EXPECT_THAT(Step(), ElementsAre("trigger 1"));
  for (const Key& key : {kSource0, kSource1, kSink}) Acknowledge(1, key, /*ended=*/true);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1"));
  for (const Key& key : {kSource0, kSource1, kSink}) {
    Confirm(1, key);
    coordinator_->OnFinished(key, Now());
  }
  EXPECT_THAT(At(60'000), IsEmpty());
  EXPECT_EQ(NextMs(), -1);
}

TEST_F(CheckpointCoordinatorTest, AFinalCheckpointThatFailsIsTriedAgain) {
  StartRunning({});
  for (const Key& key : {kSource0, kSource1, kSink}) coordinator_->OnEnded(key);
  EXPECT_THAT(Step(), ElementsAre("trigger 1"));
  coordinator_->OnDeclined(CheckpointId{1}, kSink, "disk full", Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 1"));
  EXPECT_THAT(At(999), IsEmpty());
  EXPECT_THAT(At(1000), ElementsAre("trigger 2"));
}

// A barrier that came before the end of a task does not let it finish.
TEST_F(CheckpointCoordinatorTest, AnEndAfterTheBarrierNeedsAnotherCheckpoint) {
  CheckpointSettings settings = EverySecond();
  settings.interval = milliseconds(10'000);
  StartRunning(settings);
  EXPECT_THAT(At(10'000), ElementsAre("trigger 1"));
  Acknowledge(1, kSource0, /*ended=*/true);
  Acknowledge(1, kSource1, /*ended=*/true);
  Acknowledge(1, kSink, /*ended=*/false);
  for (const Key& key : {kSource0, kSource1, kSink}) coordinator_->OnEnded(key);
  EXPECT_THAT(Step(), ElementsAre("store 1"));
  Stored(1);
  EXPECT_THAT(Step(), ElementsAre("completed 1", "trigger 2"));  // at once, not at the interval
}

TEST_F(CheckpointCoordinatorTest, AFinishedTaskIsNotWaitedForButRemembered) {
  StartRunning(EverySecond());
  At(1000);
  coordinator_->OnEnded(kSource0);
  v1::SubtaskSnapshot last = Part(/*ended=*/true, /*has_segment=*/true);
  last.add_splits()->set_next_position(42);
  coordinator_->OnAcknowledged(CheckpointId{1}, kSource0, last, Now());
  Acknowledge(1, kSource1);
  Acknowledge(1, kSink);
  Step();
  Stored(1);
  Step();
  ConfirmAll(1);
  EXPECT_THAT(At(2000), ElementsAre("trigger 2"));
  Acknowledge(2, kSource1);
  Acknowledge(2, kSink);
  EXPECT_THAT(Step(), IsEmpty());
  coordinator_->OnFinished(kSource0, Now());  // it had been told of the first meanwhile
  EXPECT_THAT(Step(), ElementsAre("store 2"));
  const auto check = [&] {
    const v1::SubtaskSnapshot& part = stored_.subtasks[1];
    EXPECT_EQ(part.vertex_id(), "source");
    EXPECT_TRUE(part.ended());
    EXPECT_EQ(part.splits(0).next_position(), 42);
    EXPECT_EQ(part.sinks(0).unconfirmed_size(), 0);  // it has committed them
    EXPECT_EQ(part.sinks(0).last_confirmed_epoch(), 1);
  };
  check();
  Stored(2);
  EXPECT_THAT(Step(), ElementsAre("completed 2"));
  EXPECT_THAT(At(3000), ElementsAre("completed 2", "trigger 3"));
  Acknowledge(3, kSource1);
  Acknowledge(3, kSink);
  EXPECT_THAT(Step(), ElementsAre("store 3"));
  check();
  EXPECT_EQ(statistics().recent(0).acknowledged(), 3);
}

TEST_F(CheckpointCoordinatorTest, ATaskThatFinishesUncheckpointedIsSaid) {
  StartRunning(EverySecond());
  At(1000);
  coordinator_->OnFinished(kSource0, Now());
  EXPECT_THAT(Step(), ElementsAre("aborted 1"));
  EXPECT_THAT(statistics().latest_failed().failure(), HasSubstr("events (1/2) finished without"));
  EXPECT_THAT(At(2000), ElementsAre("aborted 2"));
}

TEST_F(CheckpointCoordinatorTest, AdoptedTasksAreToldOfTheLastOneFirst) {
  Start(EverySecond(), {Ref(8)}, /*next=*/1009);
  coordinator_->OnAdopted(Now());
  EXPECT_THAT(Step(), ElementsAre("completed 8"));
  EXPECT_THAT(At(1000), ElementsAre("completed 8"));
  Acknowledge(9, kSink);  // of one that the JobManager before had begun
  Confirm(8, kSource0);
  Confirm(8, kSource1);
  EXPECT_THAT(At(2000), ElementsAre("completed 8"));
  Confirm(8, kSink);
  EXPECT_THAT(Step(), ElementsAre("trigger 1009"));
}

TEST_F(CheckpointCoordinatorTest, TheEndOfTheAttemptFailsWhatIsUnderWay) {
  StartRunning(EverySecond());
  At(1000);
  coordinator_->OnStopped("TaskManager a was lost", Now());
  EXPECT_THAT(At(60'000), IsEmpty());
  EXPECT_EQ(NextMs(), -1);
  EXPECT_EQ(statistics().latest_failed().failure(), "TaskManager a was lost");
  EXPECT_EQ(statistics().in_progress(), 0);
  EXPECT_EQ(coordinator_->next_id(), CheckpointId{2});
}

TEST_F(CheckpointCoordinatorTest, HistoryShowsTheLastTen) {
  StartRunning(EverySecond());
  for (int64_t id = 1; id <= 12; ++id) {
    EXPECT_THAT(At(id * 1000), ElementsAre(fmt::format("trigger {}", id)));
    Complete(id);
  }
  EXPECT_EQ(statistics().triggered(), 12);
  EXPECT_EQ(statistics().completed(), 12);
  ASSERT_EQ(statistics().recent_size(), 10);
  EXPECT_EQ(statistics().recent(0).id(), 12);
  EXPECT_EQ(statistics().recent(9).id(), 3);
}

// A storage that does not answer.

TEST_F(CheckpointCoordinatorTest, AManifestThatIsNotWrittenInTimeFailsTheCheckpoint) {
  StartRunning(EverySecond());
  At(1000);
  AcknowledgeAll(1);
  EXPECT_THAT(At(5999), ElementsAre("store 1"));
  coordinator_->OnStoring(CheckpointId{1}, "file:///ck/chk-1-1/_metadata");
  EXPECT_EQ(NextMs(), 6000);
  EXPECT_THAT(At(6000), ElementsAre("aborted 1", "trigger 2"));
  EXPECT_EQ(statistics().latest_failed().failure(),
            "not complete within 5s; every subtask has answered, but the storage has not finished "
            "writing file:///ck/chk-1-1/_metadata");
  EXPECT_FALSE(coordinator_->OnManifestStored(CheckpointId{1}));
  coordinator_->OnStoreFailed(CheckpointId{1}, "too late", Now());
  Stored(1);
  EXPECT_THAT(Step(), IsEmpty());
  EXPECT_EQ(statistics().failed(), 1);
  EXPECT_EQ(statistics().completed(), 0);
  Complete(2);
}

TEST_F(CheckpointCoordinatorTest, TheEndOfTheAttemptFailsAManifestOnItsWayButNoEntry) {
  for (const bool is_entry : {false, true}) {
    StartRunning(EverySecond());
    At(now_ms_ + 1000);
    AcknowledgeAll(1);
    Step();
    EXPECT_TRUE(!is_entry || coordinator_->OnManifestStored(CheckpointId{1}));
    coordinator_->OnStopped("the job was cancelled", Now());
    EXPECT_EQ(statistics().in_progress(), is_entry ? 1 : 0);
    EXPECT_EQ(statistics().latest_failed().failure(), is_entry ? "" : "the job was cancelled");
  }
}

// Tasks that go on under another JobManager.

TEST_F(CheckpointCoordinatorTest, WhatAdoptedTasksSaidLastIsSaidAgain) {
  Start(EverySecond(), {Ref(8)}, /*next=*/1009);
  std::vector<v1::SubtaskSnapshot> last(2, Part(/*ended=*/true, /*has_segment=*/true));
  last[0].set_vertex_id("source");
  last[1].set_vertex_id("sink");
  coordinator_->OnFinished(kSource0, Now());
  coordinator_->OnEnded(kSink);
  coordinator_->OnAdopted(Now(), last);
  EXPECT_THAT(Step(), ElementsAre("completed 8"));
  Confirm(8, kSource1);
  Confirm(8, kSink);
  coordinator_->OnFinished(kSink, Now());
  EXPECT_THAT(At(1000), ElementsAre("trigger 1009"));
  Acknowledge(1009, kSource1);
  EXPECT_THAT(Step(), ElementsAre("store 1009"));
  ASSERT_EQ(stored_.subtasks.size(), 3u);
  for (const v1::SubtaskSnapshot& part : stored_.subtasks) {
    EXPECT_EQ(part.ended(), Key(part.vertex_id(), part.subtask()) != kSource1);
    for (const v1::SinkSnapshot& sink : part.sinks()) EXPECT_EQ(sink.unconfirmed_size(), 0);
  }
}
}  // namespace
}  // namespace watershed
