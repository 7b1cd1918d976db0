// Tasks of a job that is stopped with a checkpoint: what comes before it, and that nothing comes
// after.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/checkpointed_job.h"

namespace watershed {
namespace {

using ::testing::IsEmpty;

class StopTest : public ::testing::Test {
 protected:
  StopTest() {
    for (int i = 0; i < 40; ++i) {
      world_->log["split-0"].emplace_back(fmt::format("k{}", i % 2), 1000 + i * 4 + i / 10 * 20);
    }
    world_->available["split-0"] = 20;
  }
  int64_t RowsRead() { return job_.source().figures().records_in; }
  void RunToRow20() {
    job_.Start(2);
    ASSERT_TRUE(job_.RunUntil([&] { return RowsRead() == 20; }));
  }

  std::shared_ptr<LogWorld> world_ = std::make_shared<LogWorld>();
  ManualClock storage_clock_;
  std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&storage_clock_);
  CheckpointedJob job_{world_, storage_};
};

TEST_F(StopTest, ASuspendedSourceReadsNoMoreAndTheTasksFinishOnceTheirSinksHaveCommitted) {
  RunToRow20();
  const v1::CheckpointManifest manifest = job_.Take(1, SourceStop::kSuspend);
  world_->available["split-0"] = 40;
  EXPECT_FALSE(job_.RunUntil([&] { return RowsRead() > 20; }));
  EXPECT_THAT(world_->visible, IsEmpty());
  EXPECT_EQ(job_.source().status().state, TaskState::kRunning);
  job_.hold_sink_calls = true;
  job_.Complete(1, /*is_last=*/true);
  ASSERT_TRUE(job_.RunUntil([&] { return job_.source().status().state == TaskState::kFinished; }));
  EXPECT_NE(job_.window().status().state, TaskState::kFinished);  // its sink has not committed
  job_.hold_sink_calls = false;
  EXPECT_TRUE(job_.RunToTheEnd());
  EXPECT_TRUE(job_.Confirmed(1));
  // Only what fired before the barrier: no window fires because of the stop.
  const int64_t before = world_->rows_visible();
  EXPECT_LT(before, 20);
  job_.Kill();
  job_.Start(2, &manifest);
  ASSERT_TRUE(job_.RunUntil([&] { return job_.AllEnded(); }));
  EXPECT_EQ(RowsRead(), 20);
  job_.Take(2);
  job_.Complete(2);
  EXPECT_TRUE(job_.RunToTheEnd());
  EXPECT_EQ(world_->rows_visible(), 40);
}

TEST_F(StopTest, ASourceGoesOnWhenTheStopIsGivenUp) {
  RunToRow20();
  job_.Take(1, SourceStop::kSuspend);
  world_->available["split-0"] = 40;
  EXPECT_FALSE(job_.RunUntil([&] { return RowsRead() > 20; }));
  job_.Abort(1);
  EXPECT_TRUE(job_.RunUntil([&] { return RowsRead() == 40; }));
}

TEST_F(StopTest, ASourceGoesOnWithTheNextCheckpointWhenNobodyToldThatTheStopWasGivenUp) {
  RunToRow20();
  job_.Take(1, SourceStop::kSuspend);
  world_->available["split-0"] = 40;
  job_.Trigger(2);
  EXPECT_TRUE(job_.RunUntil([&] { return RowsRead() == 40; }));
}

TEST_F(StopTest, ADrainedSourceEndsInPlaceOfTheBarrierSoThatEverythingFires) {
  RunToRow20();
  const v1::CheckpointManifest manifest = job_.Take(1, SourceStop::kDrain);
  EXPECT_TRUE(job_.AllEnded());
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) EXPECT_TRUE(part.ended());
  EXPECT_THAT(world_->visible, IsEmpty());
  job_.Complete(1, /*is_last=*/true);
  EXPECT_TRUE(job_.RunToTheEnd());
  EXPECT_EQ(world_->rows_visible(), 20);
  // Whoever goes on from it begins without a watermark: the rest is not late.
  job_.Kill();
  world_->available["split-0"] = 40;
  job_.Start(1, &manifest);
  ASSERT_TRUE(job_.RunUntil([&] { return job_.AllEnded(); }));
  EXPECT_EQ(job_.window().figures().late_records, 0);
  job_.Take(2);
  job_.Complete(2);
  EXPECT_TRUE(job_.RunToTheEnd());
  EXPECT_EQ(world_->rows_visible(), 40);
}

TEST_F(StopTest, ATaskThatIsRestoredToBeStoppedReadsNothingAndCommitsWhatWasNot) {
  RunToRow20();
  const v1::CheckpointManifest manifest = job_.Take(1, SourceStop::kSuspend);
  job_.Kill();
  world_->available["split-0"] = 40;
  job_.suspended = true;
  job_.Start(1, &manifest);
  ASSERT_TRUE(job_.RunUntilRunning());
  EXPECT_FALSE(job_.RunUntil([&] { return RowsRead() > 0; }));
  EXPECT_GT(world_->rows_visible(), 0);
  job_.Take(2, SourceStop::kSuspend);
  job_.Complete(2, /*is_last=*/true);
  EXPECT_TRUE(job_.RunToTheEnd());
  EXPECT_EQ(RowsRead(), 0);
}

}  // namespace
}  // namespace watershed
