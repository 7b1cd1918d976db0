// A checkpoint storage that does not come back from a call: the checkpoint fails by name, the job
// and its next checkpoints go on, and what comes back too late counts for nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class HangingStorageTest : public JobCheckpointsTest {
 protected:
  void SetUp() override {
    settings_.jobs.checkpoints.timeout = seconds(10);
    JobCheckpointsTest::SetUp();
  }
  // The next one, whose manifest hangs until the checkpoint has expired.
  void Expire(const std::string& job, int64_t checkpoint) {
    if (gateways_["a"]->triggers.empty() ||
        gateways_["a"]->triggers.back().checkpoint_id() != checkpoint) {
      executor_.Advance(seconds(1));
    }
    ASSERT_EQ(gateways_["a"]->triggers.back().checkpoint_id(), checkpoint);
    io_.hangs = true;
    Acknowledge(job, checkpoint, 100);
    executor_.Advance(seconds(10));
    EXPECT_EQ(Job(job).checkpoints().latest_failed().id(), checkpoint);
  }
  std::string Failure(const std::string& job) {
    return Job(job).checkpoints().latest_failed().failure();
  }
};

TEST_F(HangingStorageTest, AManifestThatHangsFailsTheCheckpointByNameAndNeverCounts) {
  const std::string job = SubmitAndRun();
  Expire(job, 1);
  EXPECT_THAT(Failure(job), HasSubstr("not complete within 10s"));
  EXPECT_THAT(Failure(job), HasSubstr(directory_ + "/" + job + "/chk-1-1/_metadata"));
  EXPECT_EQ(gateways_["b"]->notifications.back().aborted_checkpoint_id(), 1);
  EXPECT_EQ(State(job), v1::RUNNING);

  io_.hangs = false;
  ASSERT_EQ(gateways_["a"]->triggers.back().checkpoint_id(), 2);
  Acknowledge(job, 2, 200);
  Confirm(job, 2);
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), 2);

  ASSERT_EQ(io_.hanging.size(), 1u);
  io_.Release();
  executor_.RunOne();  // it has come back
  EXPECT_TRUE(std::filesystem::exists(ManifestFile(job, 1)));
  executor_.RunAll();
  EXPECT_FALSE(std::filesystem::exists(ManifestFile(job, 1)));
  const v1::CheckpointStatistics shown = Job(job).checkpoints();
  EXPECT_EQ(shown.completed(), 1);
  EXPECT_EQ(shown.failed(), 1);
  EXPECT_EQ(shown.latest_completed().id(), 2);
  FailAndRestart(job);
  EXPECT_EQ(gateways_["a"]->deployments[1].tasks(0).restore().checkpoint_id(), 2);
}

TEST_F(HangingStorageTest, AFailureThatComesTooLateIsNoOther) {
  const std::string job = SubmitAndRun();
  Expire(job, 1);
  storage_error_ = "stale file handle";
  io_.Release();
  executor_.RunAll();
  EXPECT_EQ(Job(job).checkpoints().failed(), 1);
  EXPECT_THAT(Failure(job), HasSubstr("chk-1-1/_metadata"));
}

TEST_F(HangingStorageTest, HangingManifestsDoNotTakeEveryThread) {
  const std::string job = SubmitAndRun();
  Expire(job, 1);
  Expire(job, 2);
  ASSERT_EQ(gateways_["a"]->triggers.back().checkpoint_id(), 3);
  Acknowledge(job, 3, 100);
  EXPECT_THAT(Failure(job), HasSubstr("2 manifests of earlier checkpoints are still being written "
                                      "to " +
                                      directory_ + "/" + job));
  EXPECT_EQ(io_.hanging.size(), 2u);
  io_.Release();
  executor_.RunAll();
  EXPECT_EQ(Checkpoint(job, 400), 4);
}

TEST_F(HangingStorageTest, AManifestThatOutlivesItsAttemptIsDeleted) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  io_.hangs = true;
  Acknowledge(job, 1, 100);
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FAILED, "boom"));
  AnswerCancel("b");
  EXPECT_THAT(Failure(job), HasSubstr("boom"));
  EXPECT_EQ(Job(job).checkpoints().in_progress(), 0);
  io_.Release();
  executor_.RunAll();
  EXPECT_FALSE(std::filesystem::exists(ManifestFile(job, 1)));
  executor_.Advance(seconds(3));
  EXPECT_FALSE(gateways_["a"]->deployments[1].tasks(0).has_restore());
  EXPECT_EQ(Job(job).checkpoints().failed(), 1);
}

TEST_F(HangingStorageTest, ARestorePointThatComesAfterTheEndIsNoRestore) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  io_.hangs = true;
  FailAndRestart(job);
  ASSERT_EQ(State(job), v1::CREATED);
  EXPECT_THAT(Reason(job), HasSubstr("reading checkpoint 1"));
  EXPECT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  ASSERT_EQ(State(job), v1::CANCELED);
  io_.Release();
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CANCELED);
  EXPECT_EQ(Job(job).checkpoints().restored_count(), 0);
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
}

TEST_F(HangingStorageTest, NorIsAnErrorThatComesAfterTheEndItsReason) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  io_.hangs = true;
  FailAndRestart(job);
  EXPECT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  const std::string reason = Reason(job);
  std::filesystem::resize_file(ManifestFile(job, 1), 40);
  io_.Release();
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CANCELED);
  EXPECT_EQ(Reason(job), reason);
}

}  // namespace
}  // namespace watershed
