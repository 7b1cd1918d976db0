// Checkpoints of tasks that go on under another JobManager, and what it goes on counting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class AdoptionTest : public JobCheckpointsTest {
 protected:
  void Report(const std::string& job, const std::string& task_manager, int64_t checkpoint,
              bool ended, int attempt = 1) {
    const int subtask = SubtaskOn(task_manager);
    v1::ReportCheckpointRequest report =
        JobCheckpointsTest::Report(job, checkpoint, subtask, attempt);
    *report.mutable_acknowledged() = Part(subtask, 100 * checkpoint, ended);
    EXPECT_TRUE(Send(report));
  }
  // A job whose task on b has finished, with checkpoint 1.
  std::string JobWithAFinishedTask() {
    const std::string job = SubmitAndRun();
    executor_.Advance(seconds(1));
    Report(job, "a", 1, /*ended=*/false);
    Report(job, "b", 1, /*ended=*/true);
    Confirm(job, 1);
    finished_ = SubtaskOn("b");
    EXPECT_TRUE(Update("b", job, finished_, v1::TASK_FINISHED));
    return job;
  }
  void ConfirmFor(const std::string& job, int64_t checkpoint, int subtask) {
    v1::ReportCheckpointRequest report = JobCheckpointsTest::Report(job, checkpoint, subtask, 1);
    report.set_confirmed(true);
    EXPECT_TRUE(Send(report));
  }

  int finished_ = -1;
};

// Tasks that have answered a checkpoint say the same again when they hear of that id from another.
TEST_F(AdoptionTest, NoTwoJobManagersUseTheSameCheckpointId) {
  const std::string job = SubmitAndRun();
  const auto running = WhatRuns(job);
  std::set<int64_t> used;
  for (int leader = 0; leader < 3; ++leader) {
    Succeed(running);
    executor_.Advance(seconds(1));
    ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
    EXPECT_TRUE(used.insert(gateways_["a"]->triggers[0].checkpoint_id()).second);
  }
}

TEST_F(AdoptionTest, WhatAFinishedTaskHeldIsInTheNextCheckpoint) {
  const std::string job = JobWithAFinishedTask();
  const auto running = WhatRuns(job);
  Succeed(running);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).attempt(), 1);
  ConfirmFor(job, 1, 1 - finished_);
  executor_.Advance(seconds(1));
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
  const int64_t next = gateways_["a"]->triggers[0].checkpoint_id();
  v1::ReportCheckpointRequest report = JobCheckpointsTest::Report(job, next, 1 - finished_, 1);
  *report.mutable_acknowledged() = Part(1 - finished_, 500);
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), next);
  auto storage = OpenStorage(directory_ + "/" + job).value();
  const v1::CheckpointManifest manifest =
      ReadManifest(*storage, ManifestName(CheckpointId{next}, Attempt{1})).value();
  ASSERT_EQ(manifest.subtasks_size(), 2);
  EXPECT_TRUE(manifest.subtasks(finished_).ended());
  EXPECT_EQ(manifest.subtasks(finished_).splits(0).next_position(), 100 + finished_);
  EXPECT_FALSE(manifest.subtasks(1 - finished_).ended());
}

TEST_F(AdoptionTest, ADamagedManifestOfAFinishedTaskRestartsTheJob) {
  const std::string job = JobWithAFinishedTask();
  const auto running = WhatRuns(job);
  std::filesystem::resize_file(ManifestFile(job, 1), 40);
  Succeed(running);
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_THAT(Reason(job), HasSubstr("its last checkpoint cannot be read"));
  EXPECT_THAT(Reason(job), HasSubstr("chk-1-1/_metadata"));
}

TEST_F(AdoptionTest, AnAdoptionThatFailedWhileItReadSaysNothingOfTheNextAttempt) {
  const std::string job = JobWithAFinishedTask();
  const auto running = WhatRuns(job);
  io_.hangs = true;
  Lead();
  Register("a", 1, running.contains("a") ? running.at("a") : v1::RegisterTaskManagerRequest());
  const int64_t b =
      Register("b", 1, running.contains("b") ? running.at("b") : v1::RegisterTaskManagerRequest());
  EXPECT_EQ(State(job), v1::RECONCILING);
  EXPECT_EQ(io_.hanging.size(), 1u);
  const std::string runs_on = running.begin()->first;
  dispatcher_->OnDetached(runs_on, runs_on == "b" ? b : b - 1);
  Register(runs_on, 1);
  executor_.Advance(seconds(5));
  EXPECT_EQ(State(job), v1::CREATED);
  io_.Release();
  executor_.RunAll();
  ASSERT_EQ(gateways_["a"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["a"]->deployments[0].tasks(0).restore().checkpoint_id(), 1);
}

TEST_F(AdoptionTest, AStorageThatIsAwayDelaysTheAdoption) {
  const std::string job = JobWithAFinishedTask();
  const auto running = WhatRuns(job);
  storage_error_ = "stale file handle";
  Succeed(running);
  EXPECT_EQ(State(job), v1::RECONCILING);
  EXPECT_THAT(Reason(job), HasSubstr("trying again: stale file handle"));
  storage_error_.clear();
  executor_.Advance(seconds(1));
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(AdoptionTest, TasksThatRunNeedNoStorageToBeAdopted) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  const auto running = WhatRuns(job);
  storage_error_ = "stale file handle";
  Succeed(running);
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(AdoptionTest, ACheckpointOfTheAttemptBeforeIsNobodysLastWord) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  for (const char* id : {"a", "b"}) Report(job, id, 1, /*ended=*/true);
  FailAndRestart(job);
  Run(job, 2);
  const auto running = WhatRuns(job, /*ended=*/true);
  Succeed(running);
  EXPECT_EQ(State(job), v1::RUNNING);
  Confirm(job, 1, /*attempt=*/2);
  executor_.Advance(seconds(1));
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);  // its end needs a checkpoint of its own
}

TEST_F(AdoptionTest, TasksWhoseInputHasEndedGetTheirLastCheckpointAtOnce) {
  const std::string job = SubmitAndRun("", /*bounded=*/true);
  Succeed(WhatRuns(job, /*ended=*/true));
  EXPECT_EQ(State(job), v1::RUNNING);
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
}

TEST_F(AdoptionTest, DetailsTellWhoHasAnswered) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  const int first = SubtaskOn("a");
  Report(job, "a", 1, /*ended=*/false);
  executor_.Advance(seconds(1));
  Report(job, "a", 1, /*ended=*/false);  // told again
  v1::CheckpointDetails details = dispatcher_->FindCheckpoint(job, CheckpointId{1}).value();
  ASSERT_EQ(details.subtasks_size(), 1);
  EXPECT_EQ(details.subtasks(0).subtask(), first);
  EXPECT_EQ(details.subtasks(0).vertex_id(), Job(job).subtasks(0).vertex_id());
  EXPECT_EQ(details.subtasks(0).answered_time_ms(), details.summary().trigger_time_ms());
  EXPECT_EQ(details.subtasks(0).written_bytes(), 10);
  Report(job, "b", 1, /*ended=*/true);
  Confirm(job, 1);
  EXPECT_TRUE(Update("b", job, SubtaskOn("b"), v1::TASK_FINISHED));
  executor_.Advance(seconds(1));
  Report(job, "a", 2, /*ended=*/false);
  details = dispatcher_->FindCheckpoint(job, CheckpointId{2}).value();
  EXPECT_EQ(details.summary().status(), v1::CheckpointSummary::COMPLETED);
  EXPECT_EQ(details.subtasks_size(), 2);  // the finished one's last word counts
  EXPECT_FALSE(dispatcher_->FindCheckpoint(job, CheckpointId{30}));
  EXPECT_FALSE(dispatcher_->FindCheckpoint("other", CheckpointId{1}));
  Succeed(WhatRuns(job));
  details = dispatcher_->FindCheckpoint(job, CheckpointId{2}).value();
  EXPECT_EQ(details.subtasks_size(), 0);
}

TEST_F(AdoptionTest, CountsGoOn) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  executor_.Advance(seconds(1));
  v1::ReportCheckpointRequest declined = JobCheckpointsTest::Report(job, 2, 0, 1);
  declined.set_declined("disk full");
  EXPECT_TRUE(Send(declined));
  FailAndRestart(job);
  Run(job, 2);
  Checkpoint(job, 300, 2);
  const v1::JobDetails before = Job(job);
  EXPECT_EQ(before.checkpoints().triggered(), 3);
  Succeed(WhatRuns(job));
  const v1::JobDetails after = Job(job);
  EXPECT_EQ(after.attempt(), 2);
  EXPECT_EQ(after.restarts(), 1);
  EXPECT_EQ(after.last_restart_reason(), before.last_restart_reason());
  EXPECT_EQ(after.checkpoints().triggered(), 3);
  EXPECT_EQ(after.checkpoints().completed(), 2);
  EXPECT_EQ(after.checkpoints().failed(), 1);
  EXPECT_EQ(after.checkpoints().restored_count(), 1);
  EXPECT_EQ(after.checkpoints().in_progress(), 0);
  Confirm(job, 3, 2);
  Checkpoint(job, 400, 2);
  EXPECT_EQ(Job(job).checkpoints().completed(), 3);
}

TEST_F(AdoptionTest, ARestartThatFollowsACheckpointOnItsWayTakesNoCountBack) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  store_.holds = true;
  Acknowledge(job, 1, 100);  // its entry is on its way, and that of the next attempt follows it
  FailAndRestart(job);
  store_.holds = false;
  store_.Release();
  executor_.RunAll();
  Lead();
  EXPECT_EQ(Job(job).checkpoints().triggered(), 1);
  EXPECT_EQ(Job(job).checkpoints().completed(), 1);
  EXPECT_EQ(Job(job).checkpoints().failed(), 0);
}

TEST_F(AdoptionTest, TheReasonOfARestartIsCutAtACharacter) {
  const std::string job = SubmitAndRun();
  std::string reason;
  for (int i = 0; i < 400; ++i) reason += "\xc3\xa4";
  for (const char* prefix : {"", "x"}) {
    const int attempt = Job(job).attempt();
    EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FAILED, prefix + reason, attempt));
    AnswerCancel("b");
    executor_.Advance(seconds(10));
    Run(job, attempt + 1);
    Succeed(WhatRuns(job));
    const std::string kept = Job(job).last_restart_reason();
    EXPECT_GT(kept.size(), 290u);
    EXPECT_LE(kept.size(), 300u);
    EXPECT_EQ(kept.substr(kept.size() - 2), "\xc3\xa4");
    Confirm(job, 0, attempt + 1);
    gateways_["a"]->deployments.emplace_back().add_tasks()->set_subtask(0);
    gateways_["b"]->deployments.emplace_back().add_tasks()->set_subtask(1);
  }
}

TEST_F(AdoptionTest, IdsOfCheckpointsRiseWithinALineage) {
  const std::string first = SubmitAndRun();
  for (int i = 0; i < 3; ++i) Checkpoint(first, 100);
  Cancel(first);
  const std::string second = SubmitFrom(first, 1);
  Run(second, 2);
  EXPECT_EQ(Checkpoint(second, 200, 2), 4);
  Cancel(second);
  dispatcher_->OnDetached("a", Register("a", 1));
  dispatcher_->OnDetached("b", Register("b", 1));
  const std::string third = SubmitFrom(first, 1);  // it has never run when the JobManager dies
  Succeed({});
  EXPECT_EQ(gateways_["a"]->deployments.back().attempt(), 3);
  Run(third, 3);
  EXPECT_EQ(Checkpoint(third, 300, 3), 5);
}

TEST_F(AdoptionTest, AJobWithCheckpointsOfItsOwnNeverGoesBackBehindThem) {
  const std::string first = SubmitAndRun();
  Checkpoint(first, 100);
  Cancel(first);
  const std::string second = SubmitFrom(first, 1);
  Run(second, 2);
  EXPECT_EQ(Checkpoint(second, 200, 2), 2);
  std::filesystem::resize_file(ManifestFile(second, 2, 2), 40);
  FailAndRestart(second, 2);
  EXPECT_EQ(State(second), v1::FAILED);
  EXPECT_THAT(Reason(second), HasSubstr("chk-2-2/_metadata"));
}

TEST_F(AdoptionTest, ARestoredJobsRestartsAreItsOwn) {
  const std::string first = SubmitAndRun();
  Checkpoint(first, 100);
  FailAndRestart(first);
  Run(first, 2);
  Cancel(first);
  const std::string second = SubmitFrom(first, 1);
  Run(second, 3);
  EXPECT_EQ(Job(second).restarts(), 0);
  Succeed(WhatRuns(second));
  EXPECT_EQ(State(second), v1::RUNNING);
  EXPECT_EQ(Job(second).restarts(), 0);
}

}  // namespace
}  // namespace watershed
