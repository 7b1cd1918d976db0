// Checkpoints and restarts of a job under a Dispatcher, over a real directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(JobCheckpointsTest, TriggersStoresAndNotifies) {
  const std::string job = SubmitAndRun();
  EXPECT_EQ(gateways_["a"]->deployments[0].checkpoints().directory(), directory_ + "/" + job);
  EXPECT_EQ(gateways_["a"]->deployments[0].checkpoints().lineage().size(), 32u);
  EXPECT_FALSE(gateways_["a"]->deployments[0].tasks(0).has_restore());
  executor_.Advance(milliseconds(999));
  EXPECT_TRUE(gateways_["a"]->triggers.empty());
  executor_.Advance(milliseconds(1));
  for (const char* id : {"a", "b"}) {
    ASSERT_EQ(gateways_[id]->triggers.size(), 1u);
    EXPECT_EQ(gateways_[id]->triggers[0].checkpoint_id(), 1);
    EXPECT_EQ(gateways_[id]->triggers[0].attempt(), 1);
    EXPECT_EQ(gateways_[id]->triggers[0].leader_epoch(), epoch_.value);
  }
  Acknowledge(job, 1, 100);
  const v1::CheckpointStatistics shown = Job(job).checkpoints();
  EXPECT_EQ(shown.completed(), 1);
  EXPECT_EQ(shown.latest_completed().state_bytes(), 200);
  EXPECT_EQ(shown.latest_completed().path(), directory_ + "/" + job + "/chk-1-1");
  ASSERT_EQ(gateways_["b"]->notifications.size(), 1u);
  EXPECT_EQ(gateways_["b"]->notifications[0].completed_checkpoint_id(), 1);

  auto storage = OpenStorage(directory_ + "/" + job).value();
  const v1::CheckpointManifest manifest =
      ReadManifest(*storage, ManifestName(CheckpointId{1}, Attempt{1})).value();
  EXPECT_EQ(manifest.job_id(), job);
  EXPECT_EQ(manifest.graph().name(), "test");
  EXPECT_EQ(manifest.plan().vertices_size(), 1);
  ASSERT_EQ(manifest.subtasks_size(), 2);
  EXPECT_EQ(manifest.subtasks(1).splits(0).next_position(), 101);
}

TEST_F(JobCheckpointsTest, WhatIsRetainedNoLongerIsDeleted) {
  const std::string job = SubmitAndRun();
  for (int i = 0; i < 4; ++i) Checkpoint(job, 100);
  EXPECT_FALSE(std::filesystem::exists(ManifestFile(job, 1)));
  for (const int64_t kept : {2, 3, 4}) {
    EXPECT_TRUE(std::filesystem::exists(ManifestFile(job, kept))) << kept;
  }
}

TEST_F(JobCheckpointsTest, StaleReportsAreRefused) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  report.set_declined("no");
  for (const auto& change : std::vector<std::function<void(v1::ReportCheckpointRequest&)>>{
           [](auto& r) { r.set_attempt(2); }, [](auto& r) { r.set_attempt(0); },
           [](auto& r) { r.set_leader_epoch(r.leader_epoch() - 1); },
           [](auto& r) { r.set_task_manager_id("stranger"); },
           [](auto& r) { r.set_job_id("other"); }}) {
    v1::ReportCheckpointRequest stale = report;
    change(stale);
    EXPECT_FALSE(Send(stale));
  }
  EXPECT_EQ(Job(job).checkpoints().failed(), 0);
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(Job(job).checkpoints().failed(), 1);
  EXPECT_THAT(Job(job).checkpoints().latest_failed().failure(), HasSubstr("(1/2): no"));
  EXPECT_EQ(gateways_["b"]->notifications.back().aborted_checkpoint_id(), 1);
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(JobCheckpointsTest, AStorageThatFailsFailsTheCheckpointNotTheJob) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  const std::string folder = directory_ + "/" + job;
  std::filesystem::remove_all(folder);
  std::ofstream(folder) << "in its place";
  Acknowledge(job, 1, 100);
  EXPECT_THAT(Job(job).checkpoints().latest_failed().failure(),
              HasSubstr("the manifest could not be stored"));
  EXPECT_EQ(State(job), v1::RUNNING);
  std::filesystem::remove(folder);
  std::filesystem::create_directory(folder);
  EXPECT_EQ(Checkpoint(job, 200), 2);
}

TEST_F(JobCheckpointsTest, AJobWhoseCheckpointsFailIsDegradedUntilOneSucceeds) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  report.set_declined("no room");
  EXPECT_TRUE(Send(report));
  EXPECT_THAT(Reason(job), HasSubstr("degraded: checkpoint 1 failed: "));
  EXPECT_THAT(Reason(job), HasSubstr("no room"));
  Checkpoint(job, 100);
  EXPECT_EQ(Reason(job), "");
  executor_.Advance(seconds(1));  // left open by an attempt that fails: not a trouble of the next
  FailAndRestart(job);
  Run(job, 2);
  EXPECT_EQ(Reason(job), "");
}

TEST_F(JobCheckpointsTest, RestartsFromTheLatestCheckpoint) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  Checkpoint(job, 200);
  FailAndRestart(job);
  EXPECT_EQ(State(job), v1::CREATED);
  ASSERT_EQ(gateways_["a"]->deployments.size(), 2u);
  EXPECT_EQ(gateways_["a"]->deployments[1].attempt(), 2);
  EXPECT_EQ(gateways_["a"]->deployments[1].tasks(0).restore().checkpoint_id(), 2);
  EXPECT_THAT(DeployedPositions(),
              ElementsAre(std::pair("0", 200), std::pair("1", 201), std::pair("2", 202)));
  Run(job, 2);
  const v1::JobDetails details = Job(job);
  EXPECT_EQ(details.restarts(), 1);
  EXPECT_THAT(details.last_restart_reason(), HasSubstr("boom"));
  EXPECT_EQ(details.summary().status_reason(), "");
  EXPECT_EQ(details.checkpoints().restored().id(), 2);
  EXPECT_EQ(Checkpoint(job, 300, 2), 3);  // ids rise over the attempts
  EXPECT_FALSE(Send(Report(job, 2, 0, 1)));
}

TEST_F(JobCheckpointsTest, AfterALostTaskManagerAnAttemptThatGotSomewhereIsNotDelayed) {
  const std::string job = SubmitAndRun();
  Register("b", 1);  // again: the one before is lost
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::RESTARTING);  // it had completed no checkpoint
  executor_.Advance(seconds(3));
  Run(job, 2);
  Checkpoint(job, 100, 2);
  Register("b", 1);
  AnswerCancel("a");
  EXPECT_EQ(gateways_["b"]->deployments.size(), 1u);
  Run(job, 3);
  Register("b", 1);
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::RESTARTING);  // nor has this one
}

TEST_F(JobCheckpointsTest, ALateReportOfTheAttemptBeforeIsNoNews) {
  const std::string job = SubmitAndRun();
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FAILED, "boom"));
  AnswerCancel("b");
  store_.holds = true;  // slots are held, but the new attempt is not stored yet
  executor_.Advance(seconds(3));
  EXPECT_EQ(State(job), v1::CREATED);
  EXPECT_TRUE(Update("b", job, SubtaskOn("b"), v1::TASK_FAILED, "late"));
  EXPECT_EQ(State(job), v1::CREATED);
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_task_manager_id("b");
  heartbeat.set_leader_epoch(epoch_.value);
  heartbeat.add_tasks()->set_job_id(job);
  heartbeat.mutable_tasks(0)->mutable_status()->set_attempt(1);
  EXPECT_EQ(dispatcher_->Heartbeat(heartbeat).stale_size(), 1);
  store_.Release();
  executor_.RunAll();
  EXPECT_EQ(gateways_["b"]->deployments.back().attempt(), 2);
}

TEST_F(JobCheckpointsTest, WithoutACheckpointItBeginsWithTheStoredSplits) {
  const std::string job = SubmitAndRun();
  FailAndRestart(job);
  EXPECT_EQ(gateways_["a"]->discoveries.size() + gateways_["b"]->discoveries.size(), 1u);
  EXPECT_EQ(DeployedPositions().size(), 3u);
  EXPECT_FALSE(gateways_["a"]->deployments[1].tasks(0).has_restore());
}

TEST_F(JobCheckpointsTest, ACheckpointWhoseEntryWasUnderWayIsRestored) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  for (int subtask = 0; subtask < 2; ++subtask) {
    v1::ReportCheckpointRequest report = Report(job, 1, subtask, 1);
    *report.mutable_acknowledged() = Part(subtask, 100);
    EXPECT_TRUE(dispatcher_->ReportCheckpoint(report));
  }
  store_.holds = true;
  executor_.RunAll();
  ASSERT_EQ(store_.held.size(), 1u);  // its manifest is stored, its entry is not durable yet
  FailAndRestart(job);
  EXPECT_EQ(Job(job).checkpoints().completed(), 0);
  store_.holds = false;
  store_.Release();
  executor_.RunAll();
  EXPECT_EQ(Job(job).checkpoints().completed(), 1);
  EXPECT_TRUE(gateways_["a"]->notifications.empty());
  EXPECT_EQ(gateways_["a"]->deployments[1].tasks(0).restore().checkpoint_id(), 1);
}

TEST_F(JobCheckpointsTest, ADamagedCheckpointGivesWayToTheOneBefore) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  Checkpoint(job, 200);
  std::filesystem::resize_file(ManifestFile(job, 2), 40);
  FailAndRestart(job);
  EXPECT_EQ(gateways_["a"]->deployments[1].tasks(0).restore().checkpoint_id(), 1);
  const v1::CheckpointStatistics shown = Job(job).checkpoints();
  EXPECT_EQ(shown.damaged(), 1);
  EXPECT_THAT(shown.last_damage(), HasSubstr("chk-2-1/_metadata"));
  EXPECT_EQ(shown.restored().id(), 1);
}

TEST_F(JobCheckpointsTest, WithoutAnyReadableCheckpointTheJobFailsByName) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  std::filesystem::resize_file(ManifestFile(job, 1), 40);
  FailAndRestart(job);
  EXPECT_EQ(State(job), v1::FAILED);
  EXPECT_THAT(Reason(job), HasSubstr("chk-1-1/_metadata"));
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
}

TEST_F(JobCheckpointsTest, AStorageThatIsAwayDelaysTheRestore) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  storage_error_ = "stale file handle";
  FailAndRestart(job);
  EXPECT_EQ(State(job), v1::CREATED);
  EXPECT_THAT(Reason(job), HasSubstr("trying again: stale file handle"));
  executor_.Advance(seconds(60));
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
  storage_error_.clear();
  executor_.Advance(seconds(11));
  EXPECT_EQ(gateways_["a"]->deployments[1].tasks(0).restore().checkpoint_id(), 1);
}

TEST_F(JobCheckpointsTest, ABoundedJobEndsWithOneCheckpointAlsoWithoutAnInterval) {
  const std::string job = SubmitAndRun("", /*bounded=*/true);
  EXPECT_TRUE(gateways_["a"]->deployments[0].has_checkpoints());
  executor_.Advance(seconds(60));
  EXPECT_TRUE(gateways_["a"]->triggers.empty());
  for (const char* id : {"a", "b"}) {
    v1::HeartbeatRequest heartbeat;
    heartbeat.set_task_manager_id(id);
    heartbeat.set_leader_epoch(epoch_.value);
    v1::SubtaskReport* report = heartbeat.add_tasks();
    report->set_job_id(job);
    *report->mutable_status() = Job(job).subtasks(SubtaskOn(id));
    report->mutable_status()->mutable_counters()->set_ended(true);
    EXPECT_FALSE(dispatcher_->Heartbeat(heartbeat).unknown());
    executor_.RunAll();
  }
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
  Acknowledge(job, 1, 100, /*attempt=*/1, /*ended=*/true);
  EXPECT_EQ(gateways_["a"]->notifications.back().completed_checkpoint_id(), 1);
  Confirm(job, 1);
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FINISHED));
  EXPECT_TRUE(Update("b", job, SubtaskOn("b"), v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::FINISHED);
}

TEST_F(JobCheckpointsTest, AnUnboundedJobWithoutAnIntervalTakesNone) {
  const std::string job = SubmitAndRun("");
  EXPECT_FALSE(gateways_["a"]->deployments[0].has_checkpoints());
  executor_.Advance(seconds(60));
  EXPECT_TRUE(gateways_["a"]->triggers.empty());
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FINISHED));
  EXPECT_TRUE(Update("b", job, SubtaskOn("b"), v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::FINISHED);
}

TEST_F(JobCheckpointsTest, ATriggerThatIsAnsweredAfterItsAttemptIsNoNews) {
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  const auto late_answer = gateways_["b"]->triggered;
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FAILED, "boom"));
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::RESTARTING);  // no attempt is under way
  late_answer(TransientError("deadline"));
  executor_.Advance(seconds(3));
  EXPECT_EQ(Job(job).checkpoints().failed(), 1);
  EXPECT_THAT(Job(job).checkpoints().latest_failed().failure(), HasSubstr("boom"));
}

TEST_F(JobCheckpointsTest, AJobThatHasEndedTakesNoMore) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FINISHED));
  EXPECT_TRUE(Update("b", job, SubtaskOn("b"), v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::FINISHED);
  executor_.Advance(seconds(60));
  EXPECT_EQ(Job(job).checkpoints().triggered(), 1);
}

TEST_F(JobCheckpointsTest, TooManyFailuresRestartTheJob) {
  settings_.jobs.checkpoints.tolerable_failures = 0;
  Lead();
  const std::string job = SubmitAndRun();
  executor_.Advance(seconds(1));
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  report.set_declined("No space left on device");
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_THAT(Reason(job), HasSubstr("No space left on device"));
}

TEST_F(JobCheckpointsTest, AFixedNumberOfRestartsThenFailed) {
  const std::string job = SubmitAndRun(
      "checkpointing: {interval: 1s}\n"
      "restart-strategy: {type: fixed-delay, attempts: 1, delay: 500ms}\n");
  FailAndRestart(job);
  Run(job, 2);
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FAILED, "boom again", 2));
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::FAILED);
  EXPECT_THAT(Reason(job), HasSubstr("boom again; restart-strategy fixed-delay: 1 restarts"));
}

TEST_F(JobCheckpointsTest, WhatStartingAgainCannotHealFailsAtOnce) {
  const std::string job = SubmitAndRun();
  EXPECT_TRUE(UpdateAs(epoch_, "a", job, SubtaskOn("a"), v1::TASK_FAILED, "bad record", 1, true));
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::FAILED);
}

TEST_F(JobCheckpointsTest, CancelledWhileItWaitsToRestart) {
  const std::string job = SubmitAndRun();
  EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FAILED, "boom"));
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::RESTARTING);
  EXPECT_THAT(Reason(job), StartsWith("restarting in "));
  EXPECT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CANCELED);
  executor_.Advance(seconds(60));
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
}

TEST_F(JobCheckpointsTest, AnAdoptedJobIsToldOfItsLastCheckpointAndGoesOn) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  const std::string lineage = gateways_["a"]->deployments[0].checkpoints().lineage();
  const auto running = WhatRuns(job);
  executor_.Advance(seconds(1));  // the second is under way when the JobManager dies
  Succeed(running);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(gateways_["a"]->notifications.back().completed_checkpoint_id(), 1);
  executor_.Advance(seconds(5));
  EXPECT_TRUE(gateways_["a"]->triggers.empty());  // before they have confirmed
  Confirm(job, 1);
  ASSERT_EQ(gateways_["a"]->triggers.size(), 1u);
  const int64_t next = gateways_["a"]->triggers[0].checkpoint_id();
  EXPECT_GT(next, 2);  // an id that the JobManager before may have used is not used again
  Acknowledge(job, next, 300);
  Confirm(job, next);
  EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), next);
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "boom"));
  AnswerCancel("b");
  executor_.Advance(seconds(3));
  EXPECT_EQ(gateways_["b"]->deployments.back().checkpoints().lineage(), lineage);
  EXPECT_EQ(gateways_["b"]->deployments.back().tasks(0).restore().checkpoint_id(), next);
}

TEST_F(JobCheckpointsTest, AJobThatNobodyRunsAnyMoreIsRestored) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 100);
  Lead();
  Register("a", 1);
  Register("b", 1);
  executor_.Advance(settings_.heartbeat_timeout - seconds(1));
  for (const char* id : {"a", "b"}) Register(id, 1);
  executor_.Advance(seconds(1));
  ASSERT_EQ(gateways_["a"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["a"]->deployments[0].attempt(), 2);
  EXPECT_EQ(gateways_["a"]->deployments[0].tasks(0).restore().checkpoint_id(), 1);
}

TEST_F(JobCheckpointsTest, SubmittedFromACheckpointOfAnother) {
  const std::string first = SubmitAndRun();
  Checkpoint(first, 100);
  Cancel(first);

  v1::JobGraph graph = Graph(kEverySecond);
  graph.set_parallelism(1);
  const std::string path = directory_ + "/" + first + "/chk-1-1";
  const Result<JobId> second = Submit(graph, path);
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_NE(second->hex, first);
  const v1::DeployTasksRequest& deployed = gateways_["a"]->deployments.back();
  EXPECT_EQ(deployed.job_id(), second->hex);
  EXPECT_EQ(deployed.attempt(), 2);  // attempts rise within a lineage
  EXPECT_EQ(deployed.checkpoints().lineage(),
            gateways_["a"]->deployments[0].checkpoints().lineage());
  EXPECT_EQ(deployed.checkpoints().restore_directory(), directory_ + "/" + first);
  EXPECT_EQ(deployed.tasks(0).splits_size(), 3);
  EXPECT_EQ(Job(second->hex).restarts(), 0);

  EXPECT_THAT(Submit(graph, path + "0").error().message, HasSubstr("chk-1-10"));
}

// What the targets have of a lineage is told by ids: one that is used again would be taken for
// written.
TEST_F(JobCheckpointsTest, TheNextJobManagerKnowsWhichIdsAnEndedJobHasUsed) {
  const std::string first = SubmitAndRun();
  Checkpoint(first, 100);
  const std::string older = directory_ + "/" + first + "/chk-1-1";
  Checkpoint(first, 100);
  Cancel(first);
  const v1::CheckpointSummary newest = Job(first).checkpoints().latest_completed();
  Lead();
  Register("a", 1);
  Register("b", 1);
  EXPECT_EQ(Job(first).checkpoints().latest_completed().path(), newest.path());

  v1::JobGraph graph = Graph(kEverySecond);
  graph.set_parallelism(1);
  const Result<JobId> second = Submit(graph, older);
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_EQ(gateways_["a"]->deployments.back().job_id(), second->hex);
  EXPECT_TRUE(Update("a", second->hex, 0, v1::TASK_RUNNING, "", 2));
  executor_.Advance(seconds(1));
  ASSERT_FALSE(gateways_["a"]->triggers.empty());
  EXPECT_GT(gateways_["a"]->triggers.back().checkpoint_id(), newest.id());
}

TEST_F(JobCheckpointsTest, WithoutADirectoryAJobThatWantsCheckpointsIsRefused) {
  settings_.jobs.checkpoint_directory.clear();
  Lead();
  const Result<JobId> refused = Submit(Graph(kEverySecond));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(refused.error().message,
              HasSubstr("asks for a checkpoint every 1s, and this cluster has nowhere to put it: "
                        "set execution.checkpointing.dir"));
  EXPECT_THAT(Submit(Graph(), "/some/chk-1-1").error().message,
              HasSubstr("set execution.checkpointing.dir"));
  const Result<JobId> job = Submit(Graph());
  ASSERT_TRUE(job);
  EXPECT_FALSE(Job(job->hex).has_checkpoints());
}

}  // namespace
}  // namespace watershed
