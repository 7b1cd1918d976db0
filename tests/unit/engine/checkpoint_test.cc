// Whole jobs with checkpoints, stepped in one thread: what is in a snapshot, what a restore makes
// of it, and what a target sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "runtime/metrics/names.h"
#include "tests/unit/engine/checkpointed_job.h"

namespace watershed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class CheckpointTest : public ::testing::Test {
 protected:
  // What the target shows when nothing goes wrong.
  std::multiset<std::string> Reference() {
    auto world = std::make_shared<LogWorld>(*world_);
    world->visible.clear();
    world->markers.clear();
    CheckpointedJob job(world, storage_);
    job.Start(1, nullptr, /*with_checkpoints=*/false);
    EXPECT_TRUE(job.RunToTheEnd());
    return world->visible;
  }
  static std::vector<int64_t> EpochsListed(const v1::CheckpointManifest& manifest) {
    std::vector<int64_t> epochs;
    for (const v1::SubtaskSnapshot& subtask : manifest.subtasks()) {
      for (const v1::SinkSnapshot& sink : subtask.sinks()) {
        for (const v1::SegmentRef& segment : sink.unconfirmed()) epochs.push_back(segment.epoch());
      }
    }
    return epochs;
  }
  static int64_t LastConfirmed(const v1::CheckpointManifest& manifest) {
    return manifest.subtasks(manifest.subtasks_size() - 1).sinks(0).last_confirmed_epoch();
  }
  // Lets the sources read so many rows of every split.
  void Allow(size_t rows) {
    for (const auto& [split, log] : world_->log) world_->available[split] = rows;
  }
  int64_t RowsRead(CheckpointedJob& job) { return job.source().figures().records_in; }
  // In order and with keys of its own in every split, so that no interleaving makes a row late;
  // sessions of five rows.
  void LogInOrder(int splits, int rows) {
    world_->log.clear();
    for (int split = 0; split < splits; ++split) {
      for (int i = 0; i < rows; ++i) {
        world_->log[fmt::format("split-{}", split)].emplace_back(fmt::format("{}{}", split, i % 2),
                                                                 1000 + i * 4 + i / 10 * 20);
      }
    }
  }

  std::shared_ptr<LogWorld> world_ = std::make_shared<LogWorld>();
  ManualClock storage_clock_;
  std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&storage_clock_);
};

TEST_F(CheckpointTest, OutputBecomesVisibleWithItsCheckpointAndTheLastOneEndsTheJob) {
  LogInOrder(4, 40);
  CheckpointedJob job(world_, storage_);
  Allow(20);
  job.Start(2);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 40; }));
  job.Take(1);
  EXPECT_THAT(world_->visible, IsEmpty());  // durable, but nobody said that it is complete
  job.Complete(1);
  ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(1); }));
  Allow(40);
  ASSERT_TRUE(job.RunUntil([&] { return job.AllEnded(); }));
  const v1::CheckpointManifest last = job.Take(2);
  for (const v1::SubtaskSnapshot& subtask : last.subtasks()) {
    EXPECT_TRUE(subtask.ended());
    EXPECT_EQ(subtask.watermark_ms(), kMaxWatermarkMs);
  }
  EXPECT_EQ(job.source().status().state, TaskState::kRunning);  // it waits
  job.Complete(2);
  EXPECT_TRUE(job.RunToTheEnd());
  EXPECT_TRUE(job.Confirmed(2));
  EXPECT_EQ(world_->visible, Reference());
  EXPECT_EQ(world_->rows_visible(), 160);
}

TEST_F(CheckpointTest, AnEndedTaskDoesNotFinishWithACheckpointFromBeforeItsEnd) {
  LogInOrder(1, 8);
  CheckpointedJob job(world_, storage_);
  Allow(4);
  job.Start(1);
  ASSERT_TRUE(job.RunUntilRunning());
  job.Take(1);
  Allow(8);
  ASSERT_TRUE(job.RunUntil([&] { return job.AllEnded(); }));
  job.Complete(1);
  ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(1); }));
  EXPECT_EQ(job.source().status().state, TaskState::kRunning);
  EXPECT_EQ(job.window().status().state, TaskState::kRunning);
  job.Take(2);
  job.Complete(2);
  EXPECT_TRUE(job.RunToTheEnd());
}

TEST_F(CheckpointTest, ATaskThatWaitsForTheLastCheckpointCanBeCanceled) {
  LogInOrder(1, 8);
  CheckpointedJob job(world_, storage_);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return job.AllEnded(); }));
  job.window().Cancel();
  job.source().Cancel();
  EXPECT_TRUE(job.RunUntil([&] {
    return job.window().status().state == TaskState::kCanceled &&
           job.source().status().state == TaskState::kCanceled;
  }));
  EXPECT_THAT(world_->visible, IsEmpty());
}

TEST_F(CheckpointTest, PositionsAreThoseOfTheBarriersPlaceAmongTheRows) {
  LogInOrder(1, 40);
  CheckpointedJob job(world_, storage_);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) >= 9; }));
  const v1::CheckpointManifest manifest = job.Take(1);
  const v1::SplitSnapshot& split = manifest.subtasks(0).splits(0);
  // Every row before that position is in the state or the segment of the same checkpoint, no other:
  // the restored job counts each row once.
  EXPECT_GE(split.next_position(), 9);
  const auto last = static_cast<size_t>(split.next_position() - 1);
  EXPECT_EQ(split.watermark_ms(), world_->log["split-0"][last].second - 2);
  job.Kill();
  job.Start(1, &manifest);
  ASSERT_TRUE(job.RunUntil([&] { return job.AllEnded(); }));
  EXPECT_EQ(RowsRead(job), 40 - split.next_position());
  job.Take(2);
  job.Complete(2);
  EXPECT_TRUE(job.RunToTheEnd());
  EXPECT_EQ(world_->visible, Reference());
}

TEST_F(CheckpointTest, EndedChannelsCountAsAligned) {
  LogInOrder(2, 20);
  world_->log["split-1"].resize(4);
  world_->available["split-0"] = 8;
  CheckpointedJob job(world_, storage_);
  job.Start(2);  // subtask 1 ends soon, subtask 0 does not
  ASSERT_TRUE(job.RunUntil([&] { return job.source(1).figures().ended; }));
  const v1::CheckpointManifest manifest = job.Take(1);
  EXPECT_FALSE(manifest.subtasks(0).ended());
  EXPECT_TRUE(manifest.subtasks(1).ended());
  EXPECT_FALSE(manifest.subtasks(2).ended());
  job.Complete(1);
  EXPECT_TRUE(job.RunUntil([&] { return job.source(1).status().state == TaskState::kFinished; }));
  EXPECT_EQ(job.source(0).status().state, TaskState::kRunning);
}

TEST_F(CheckpointTest, ATriggerBeforeTheEndIsTakenAtTheEnd) {
  LogInOrder(1, 8);
  CheckpointedJob job(world_, storage_);
  job.Start(1);
  ASSERT_TRUE(job.RunUntilRunning());
  // The source ends; the other task hears of the checkpoint before it hears of the end.
  while (!job.source().figures().ended) job.source().Step();
  EXPECT_FALSE(job.window().figures().ended);
  const v1::CheckpointManifest manifest = job.Take(1);
  EXPECT_TRUE(manifest.subtasks(1).ended());
  job.Complete(1);
  EXPECT_TRUE(job.RunToTheEnd());
  EXPECT_EQ(world_->visible, Reference());
}

TEST_F(CheckpointTest, ACheckpointThatCannotBeWrittenIsDeclinedWithItsReasonAndTheNextHasItAll) {
  LogInOrder(2, 40);
  const std::multiset<std::string> reference = Reference();
  world_->padding = 100'000;  // segments have files of their own
  CheckpointedJob job(world_, storage_);
  Allow(20);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 40; }));
  storage_->SetFaults([](const StorageCall&) { return StorageFault::kFull; });
  job.Trigger(1);
  ASSERT_TRUE(job.RunUntil([&] { return !job.declined[1].empty(); }));
  EXPECT_THAT(job.declined[1].begin()->second, HasSubstr("space"));
  storage_->SetFaults(nullptr);
  job.Abort(1);
  Allow(35);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 70; }));
  const v1::CheckpointManifest manifest = job.Take(2);
  EXPECT_THAT(EpochsListed(manifest), ElementsAre(1, 2));
  EXPECT_TRUE(manifest.subtasks(1).sinks(0).unconfirmed(0).has_file());
  job.Kill();
  Allow(40);
  job.Start(1, &manifest);
  ASSERT_TRUE(job.RunUntil([&] { return job.AllEnded(); }));
  job.Take(3);
  job.Complete(3);
  ASSERT_TRUE(job.RunToTheEnd());
  EXPECT_EQ(world_->visible, reference);
}

TEST_F(CheckpointTest, SegmentsAreListedUntilTheyAreConfirmed) {
  LogInOrder(1, 60);
  CheckpointedJob job(world_, storage_);
  job.Start(1);
  const auto read_to = [&](size_t rows) {
    Allow(rows);
    ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == static_cast<int64_t>(rows); }));
  };
  read_to(15);
  EXPECT_THAT(EpochsListed(job.Take(1)), ElementsAre(1));
  job.Abort(1);
  read_to(25);
  const v1::CheckpointManifest second = job.Take(2);
  EXPECT_THAT(EpochsListed(second), ElementsAre(1, 2));
  EXPECT_EQ(LastConfirmed(second), -1);
  job.hold_sink_calls = true;
  job.Complete(2);
  read_to(35);  // an outstanding commit holds nothing back while there is room
  EXPECT_THAT(EpochsListed(job.Take(3)), ElementsAre(1, 2, 3));
  EXPECT_FALSE(job.Confirmed(2));
  EXPECT_EQ(job.confirmed[2].size(), 1u);  // the source has nothing to commit
  job.hold_sink_calls = false;
  ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(2); }));
  EXPECT_THAT(world_->commits, ElementsAre("0/1", "0/2"));  // in order, and 3 is not complete
  read_to(45);
  const v1::CheckpointManifest fourth = job.Take(4);
  EXPECT_THAT(EpochsListed(fourth), ElementsAre(3, 4));
  EXPECT_EQ(LastConfirmed(fourth), 2);
  job.Complete(4);
  job.Complete(4);  // told twice is confirmed, and committed once
  ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(4); }));
  EXPECT_THAT(world_->commits, ElementsAre("0/1", "0/2", "0/3", "0/4"));
}

TEST_F(CheckpointTest, ACommitThatFailsForNowIsAskedAgainAndConfirmedAfterwards) {
  LogInOrder(1, 20);
  CheckpointedJob job(world_, storage_);
  Allow(15);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 15; }));
  job.Take(1);
  world_->commit_errors.push_back({ErrorDomain::kExternal, true, "outcome unknown"});
  job.Complete(1);
  ASSERT_TRUE(job.RunUntil([&] { return !job.window().status().degraded_reason.empty(); }));
  EXPECT_EQ(job.confirmed[1].size(), 1u);
  ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(1); }));
  EXPECT_THAT(world_->commits, ElementsAre("0/1"));
}

TEST_F(CheckpointTest, UnconfirmedSegmentsArePublishedByTheRestoredJobAlsoFromFiles) {
  for (const size_t padding : {size_t{0}, size_t{100'000}}) {
    *world_ = LogWorld();
    world_->padding = padding;
    storage_ = std::make_shared<FaultyStorage>(&storage_clock_);
    LogInOrder(8, 30);
    const std::multiset<std::string> reference = Reference();
    CheckpointedJob job(world_, storage_);
    Allow(20);
    job.Start(3);
    ASSERT_TRUE(job.RunUntil([&] {
      return job.window(0).figures().records_in + job.window(1).figures().records_in +
                 job.window(2).figures().records_in ==
             160;
    }));
    const v1::CheckpointManifest manifest = job.Take(1);
    bool in_a_file = false;
    for (const v1::SubtaskSnapshot& subtask : manifest.subtasks()) {
      for (const v1::SinkSnapshot& sink : subtask.sinks()) {
        for (const v1::SegmentRef& segment : sink.unconfirmed()) in_a_file |= segment.has_file();
      }
    }
    EXPECT_EQ(in_a_file, padding > 0);
    job.Kill();  // nobody was told that it is complete
    EXPECT_THAT(world_->visible, IsEmpty());
    Allow(30);
    job.Start(2, &manifest);  // subtask 0 takes writer 2 over
    ASSERT_TRUE(job.RunUntilRunning());
    EXPECT_GT(world_->visible.size(), 0u);
    EXPECT_EQ(job.MetricSum(metric_names::kSinkCommittedRecords), world_->visible.size());
    EXPECT_EQ(job.MetricSum(metric_names::kSinkCommits), 3);  // an epoch of each former writer
    ASSERT_TRUE(job.RunUntil([&] { return job.AllEnded(); }));
    const v1::CheckpointManifest last = job.Take(2);
    std::vector<std::string> writers;
    for (const v1::SubtaskSnapshot& subtask : last.subtasks()) {
      for (const v1::SinkSnapshot& sink : subtask.sinks()) {
        writers.push_back(fmt::format("{}:{}", sink.writer(), sink.last_confirmed_epoch()));
      }
    }
    EXPECT_THAT(writers, UnorderedElementsAre("0:1", "1:1", "2:1"));  // none is forgotten
    job.Complete(2);
    ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(2); }));
    EXPECT_EQ(job.MetricSum(metric_names::kSinkCommittedRecords), reference.size());
    ASSERT_TRUE(job.RunToTheEnd());
    EXPECT_EQ(world_->visible, reference);
  }
}

TEST_F(CheckpointTest, WhatTheTargetHasAlreadyIsNotCountedAgain) {
  LogInOrder(2, 30);
  CheckpointedJob job(world_, storage_);
  Allow(20);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return job.window().figures().records_in == 40; }));
  const v1::CheckpointManifest manifest = job.Take(1);  // lists the epoch as unconfirmed
  job.Complete(1);
  ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(1); }));
  EXPECT_GT(job.MetricSum(metric_names::kSinkCommittedRecords), 0);
  job.Kill();
  job.Start(1, &manifest);
  ASSERT_TRUE(job.RunUntilRunning());
  EXPECT_EQ(job.MetricSum(metric_names::kSinkCommittedRecords), 0);
  EXPECT_EQ(job.MetricSum(metric_names::kSinkCommits), 0);
}

TEST_F(CheckpointTest, TheStartOfACheckpointIsMeasuredFromItsTrigger) {
  LogInOrder(1, 20);
  CheckpointedJob job(world_, storage_);
  Allow(10);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 10; }));
  job.Trigger(1);
  job.clock.Advance(std::chrono::milliseconds(30));
  ASSERT_TRUE(job.RunUntil([&] { return job.Acknowledged(1); }));
  EXPECT_GE(job.MetricSum(metric_names::kTaskStartDelayNs), 2 * 30e6);  // of two tasks
  EXPECT_EQ(job.MetricSum(metric_names::kTaskAlignmentNs), 0);          // with one channel
}

TEST_F(CheckpointTest, ASinkThatWritesAtOnceHasWrittenWhatTheCheckpointHolds) {
  LogInOrder(1, 20);
  world_->writes_at_once = true;
  CheckpointedJob job(world_, storage_);
  Allow(15);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 15; }));
  job.hold_sink_calls = true;
  job.Trigger(1);
  EXPECT_FALSE(job.RunUntil([&] { return job.Acknowledged(1); }));
  job.hold_sink_calls = false;
  ASSERT_TRUE(job.RunUntil([&] { return job.Acknowledged(1); }));
  EXPECT_GT(world_->visible.size(), 0u);
  EXPECT_THAT(EpochsListed(job.Manifest(1)), IsEmpty());
}

TEST_F(CheckpointTest, SourcesAreToldThePositionsOfACompleteCheckpoint) {
  LogInOrder(1, 20);
  CheckpointedJob job(world_, storage_);
  Allow(10);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 10; }));
  job.Take(1);
  Allow(15);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 15; }));
  job.Complete(1);
  ASSERT_TRUE(job.RunUntil([&] { return job.Confirmed(1); }));
  EXPECT_THAT(world_->told_positions, ElementsAre(std::pair<std::string, int64_t>("split-0", 10)));
}

TEST_F(CheckpointTest, ADamagedFileFailsTheRestoreByName) {
  LogInOrder(1, 20);
  CheckpointedJob job(world_, storage_);
  Allow(10);
  job.Start(1);
  ASSERT_TRUE(job.RunUntil([&] { return RowsRead(job) == 10; }));
  v1::CheckpointManifest manifest = job.Take(1);
  job.Kill();
  const std::string file = manifest.subtasks(1).operators(0).keyed_state().files(0).name();
  ASSERT_TRUE(storage_->Flip(file, 20));
  job.failures_expected = true;
  job.Start(1, &manifest);
  ASSERT_TRUE(job.RunUntil([&] { return job.window().status().state == TaskState::kFailed; }));
  EXPECT_THAT(job.window().status().failure.message,
              ::testing::AllOf(HasSubstr(file), HasSubstr("operator 'sessions' subtask 0")));
  EXPECT_EQ(job.window().status().failure.damaged_file, file);
}

// Kills at random moments, restores at random parallelism: the target shows the same in the end.
TEST_F(CheckpointTest, KilledAndRestoredItEqualsTheUninterruptedRun) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    *world_ = LogWorld();
    storage_ = std::make_shared<FaultyStorage>(&storage_clock_);
    LogInOrder(5, 50);
    const std::multiset<std::string> reference = Reference();
    std::mt19937 random(seed);
    world_->rows_per_poll = 1 + random() % 4;
    CheckpointedJob job(world_, storage_);
    job.watermark_interval_ms = random() % 2 * 20;  // rows may lie in open batches at a barrier
    std::optional<v1::CheckpointManifest> complete;
    int64_t checkpoint = 0;
    job.Start(1 + static_cast<int32_t>(random() % 3));
    bool over = false;
    for (int part = 0; part < 200 && !over; ++part) {
      for (uint32_t steps = random() % 30; steps > 0; --steps) {
        if (!job.StepAll()) job.clock.Advance(std::chrono::milliseconds(5));
      }
      job.Trigger(++checkpoint);
      const bool taken = random() % 5 > 0 && job.RunUntil([&] {
        return job.Acknowledged(checkpoint) || random() % 400 == 0;
      }) && job.Acknowledged(checkpoint);
      if (taken) {
        complete = job.Manifest(checkpoint);
        job.Complete(checkpoint);
      } else {
        job.Abort(checkpoint);
      }
      if (part < 12 && random() % 3 == 0) {
        job.Kill();
        job.Start(1 + static_cast<int32_t>(random() % 4), complete ? &*complete : nullptr);
      }
      over = taken && job.AllEnded() && job.RunToTheEnd();
    }
    ASSERT_TRUE(over);
    ASSERT_EQ(world_->visible, reference);
    job.acknowledged.clear();
  }
}

}  // namespace
}  // namespace watershed
