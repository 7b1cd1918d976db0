// Savepoints and stops of a job under a Dispatcher, over a real directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/storage/content_hash.h"
#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* kOperation = "0123456789abcdef0123456789abcdef";

class SavepointsTest : public JobCheckpointsTest {
 protected:
  void SetUp() override {
    JobCheckpointsTest::SetUp();
    savepoints_ = directory_ + "-savepoints";
    std::filesystem::remove_all(savepoints_);
  }
  void TearDown() override {
    JobCheckpointsTest::TearDown();
    std::filesystem::remove_all(savepoints_);
  }
  Result<std::string> Trigger(const std::string& job, const std::string& directory) {
    v1::TriggerSavepointRequest request;
    request.set_job_id(job);
    request.set_directory(directory);
    request.set_operation_id(kOperation);
    Result<std::string> answer = InternalError("not answered");
    dispatcher_->TriggerSavepoint(request, [&](Result<std::string> id) { answer = std::move(id); });
    executor_.RunAll();
    return answer;
  }
  Result<std::string> Stop(const std::string& job, bool drain = false) {
    v1::StopWithSavepointRequest request;
    request.set_job_id(job);
    request.set_directory(savepoints_);
    request.set_operation_id(kOperation);
    request.set_drain(drain);
    Result<std::string> answer = InternalError("not answered");
    dispatcher_->StopWithSavepoint(request,
                                   [&](Result<std::string> id) { answer = std::move(id); });
    executor_.RunAll();
    return answer;
  }
  v1::Operation Operation(const std::string& job, const std::string& id = kOperation) {
    v1::GetOperationRequest request;
    request.set_job_id(job);
    request.set_operation_id(id);
    const Result<v1::Operation> operation = dispatcher_->FindOperation(request);
    EXPECT_TRUE(operation) << operation.error().message;
    return operation ? *operation : v1::Operation();
  }
  Status Dispose(const std::string& path) {
    Status answer = InternalError("not answered");
    dispatcher_->DisposeSavepoint(path, [&](Status status) { answer = std::move(status); });
    executor_.RunAll();
    return answer;
  }
  // The file that subtask 0 names in its answer.
  v1::SubtaskSnapshot PartWithFile(const std::string& job, int64_t position) {
    v1::SubtaskSnapshot part = Part(0, position);
    const std::string content = "state";
    std::filesystem::create_directories(directory_ + "/" + job + "/shared");
    std::ofstream(directory_ + "/" + job + "/shared/1-v-0-u-0") << content;
    v1::FileRef* file = part.add_sinks()->add_unconfirmed()->mutable_file();
    part.mutable_sinks(0)->set_operator_id("out");
    part.mutable_sinks(0)->mutable_unconfirmed(0)->set_epoch(1);
    file->set_name("shared/1-v-0-u-0");
    file->set_size_bytes(static_cast<int64_t>(content.size()));
    file->set_xxh3(ContentHash::Of(content));
    return part;
  }
  int64_t LastTrigger() { return gateways_["a"]->triggers.back().checkpoint_id(); }
  void Finish(const std::string& job, int attempt = 1) {
    EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FINISHED, "", attempt));
    EXPECT_TRUE(Update("b", job, SubtaskOn("b"), v1::TASK_FINISHED, "", attempt));
  }
  // Another JobManager, which adopts the tasks.
  void LoseTheJobManager(const std::string& job) {
    Succeed(WhatRuns(job));
    EXPECT_EQ(State(job), v1::RUNNING);
  }
  void FinishAdopted(const std::string& job) {
    EXPECT_TRUE(Update("a", job, 0, v1::TASK_FINISHED));
    EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  }

  std::string savepoints_;
};

TEST_F(SavepointsTest, ASavepointHasAllItsFilesInADirectoryOfItsOwn) {
  const std::string job = SubmitAndRun();
  EXPECT_EQ(Trigger(job, savepoints_).value(), kOperation);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_IN_PROGRESS);
  EXPECT_TRUE(gateways_["a"]->triggers.back().is_savepoint());
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  *report.mutable_acknowledged() = PartWithFile(job, 100);
  EXPECT_TRUE(Send(report));
  report = Report(job, 1, 1, 1);
  *report.mutable_acknowledged() = Part(1, 100);
  EXPECT_TRUE(Send(report));
  const v1::Operation done = Operation(job);
  EXPECT_EQ(done.status(), v1::Operation::OPERATION_COMPLETED);
  EXPECT_EQ(done.path(), savepoints_ + "/savepoint-" + job.substr(0, 6) + "-1-01234567");
  EXPECT_EQ(done.checkpoint_id(), 1);
  EXPECT_TRUE(Job(job).checkpoints().latest_completed().is_savepoint());
  // It publishes sinks as any checkpoint does, and the job goes on.
  EXPECT_EQ(gateways_["b"]->notifications.back().completed_checkpoint_id(), 1);
  EXPECT_FALSE(gateways_["b"]->notifications.back().is_last());
  Confirm(job, 1);
  EXPECT_EQ(State(job), v1::RUNNING);

  // Nothing of the job's own is needed for it.
  Cancel(job);
  std::filesystem::remove_all(directory_ + "/" + job);
  v1::JobGraph graph = Graph(kEverySecond);
  graph.set_parallelism(2);
  const Result<JobId> other = Submit(graph, done.path());
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(DeployedPositions().at("0"), 100);
  EXPECT_EQ(gateways_["a"]->deployments.back().checkpoints().restore_directory(), done.path());
  EXPECT_FALSE(gateways_["a"]->deployments.back().suspended());
  for (const std::string& spelled :
       {done.path(), "file://" + done.path(), done.path() + "/", "file:" + done.path()}) {
    EXPECT_THAT(Dispose(spelled).error().message, HasSubstr(other->hex + " begins with"));
  }
  Run(other->hex, 2);
  Checkpoint(other->hex, 200, 2);
  EXPECT_TRUE(Dispose(done.path()));
  EXPECT_FALSE(std::filesystem::exists(done.path()));
  EXPECT_THAT(Dispose(done.path()).error().message, HasSubstr("there is no savepoint at"));
  EXPECT_FALSE(std::filesystem::exists(done.path()));
}

TEST_F(SavepointsTest, WhatCannotBeWrittenFailsTheOperationAndLeavesNothing) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Trigger(job, savepoints_));
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  *report.mutable_acknowledged() = PartWithFile(job, 100);
  EXPECT_TRUE(Send(report));
  std::ofstream(directory_ + "/" + job + "/shared/1-v-0-u-0") << "other";
  report = Report(job, 1, 1, 1);
  *report.mutable_acknowledged() = Part(1, 100);
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_FAILED);
  EXPECT_THAT(Operation(job).failure(), HasSubstr("the savepoint could not be stored"));
  EXPECT_THAT(Operation(job).failure(), HasSubstr("1-v-0-u-0"));
  EXPECT_FALSE(std::filesystem::exists(ManifestFile(job, 1)));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Checkpoint(job, 200), 2);
}

TEST_F(SavepointsTest, WhatCannotBeAskedIsRefusedWithAReason) {
  const std::string job = SubmitAndRun();
  EXPECT_THAT(Trigger(job, "").error().message, HasSubstr("execution.checkpointing.savepoint-dir"));
  EXPECT_THAT(Trigger("nobody", savepoints_).error().message, HasSubstr("there is no job nobody"));
  EXPECT_THAT(Trigger(job, "s3://bucket/x").error().message, HasSubstr("s3"));
  EXPECT_THAT(Dispose(directory_ + "/" + job + "/chk-1-1").error().message,
              HasSubstr("is a checkpoint of a job"));
  Cancel(job);
  EXPECT_THAT(Trigger(job, savepoints_).error().message, HasSubstr("has ended: it is CANCELED"));
  EXPECT_THAT(Stop(job).error().message, HasSubstr("has ended: it is CANCELED"));
}

TEST_F(SavepointsTest, AskingTwiceIsAskingOnce) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Trigger(job, savepoints_));
  ASSERT_TRUE(Trigger(job, savepoints_));
  Acknowledge(job, 1, 100);
  Confirm(job, 1);
  EXPECT_EQ(gateways_["a"]->triggers.size(), 1u);
  ASSERT_TRUE(Trigger(job, savepoints_));
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_COMPLETED);
}

TEST_F(SavepointsTest, AStopOfAJobThatWaitsSaysSo) {
  v1::JobGraph graph = Graph(kEverySecond);
  const std::string job = Submit(graph)->hex;
  ASSERT_TRUE(Stop(job));
  EXPECT_EQ(State(job), v1::CREATED);
  EXPECT_THAT(Reason(job), StartsWith("waiting for 1 more slot"));
  EXPECT_THAT(Reason(job),
              HasSubstr("; to be stopped with a savepoint in " + savepoints_ + " once it runs"));
}

TEST_F(SavepointsTest, WhereASavepointLiesIsLogged) {
  testing::internal::CaptureStderr();
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  Acknowledge(job, 1, 100);
  Confirm(job, 1);
  Finish(job);
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string path = Operation(job).path();
  EXPECT_THAT(log, HasSubstr("savepoint complete: " + path + "\n"));
  EXPECT_THAT(log, HasSubstr("stopped with the savepoint " + path + "\n"));
}

TEST_F(SavepointsTest, AnIdMeansOneThing) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Trigger(job, savepoints_));
  EXPECT_THAT(Stop(job).error().message, HasSubstr("that of a SAVEPOINT already"));
  EXPECT_EQ(Operation(job).kind(), v1::Operation::SAVEPOINT);
  EXPECT_EQ(Reason(job), "");
}

TEST_F(SavepointsTest, ADisposalIsAnOperation) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Trigger(job, savepoints_));
  Acknowledge(job, 1, 100);
  const std::string path = Operation(job).path();
  const std::string disposal = dispatcher_->BeginDisposal(path);
  EXPECT_EQ(disposal.size(), 32u);
  EXPECT_EQ(Operation("", disposal).status(), v1::Operation::OPERATION_IN_PROGRESS);
  EXPECT_TRUE(std::filesystem::exists(path));
  executor_.RunAll();
  EXPECT_EQ(Operation("", disposal).status(), v1::Operation::OPERATION_COMPLETED);
  EXPECT_FALSE(std::filesystem::exists(path));
  const std::string again = dispatcher_->BeginDisposal(path);
  executor_.RunAll();
  EXPECT_EQ(Operation("", again).status(), v1::Operation::OPERATION_FAILED);
  EXPECT_THAT(Operation("", again).failure(), HasSubstr("there is no savepoint at"));
  v1::GetOperationRequest unknown;
  unknown.set_operation_id(kOperation);  // a job's, and no disposal
  EXPECT_THAT(dispatcher_->FindOperation(unknown).error().message, HasSubstr(kOperation));
}

TEST_F(SavepointsTest, ACheckpointCanBeAskedFor) {
  const std::string job = SubmitAndRun();
  v1::RequestCheckpointRequest request;
  request.set_job_id(job);
  const std::string id = dispatcher_->RequestCheckpoint(request).value();
  EXPECT_EQ(id.size(), 32u);
  executor_.RunAll();
  EXPECT_FALSE(gateways_["a"]->triggers.back().is_savepoint());
  Acknowledge(job, 1, 100);
  EXPECT_EQ(Operation(job, id).path(), directory_ + "/" + job + "/chk-1-1");
}

TEST_F(SavepointsTest, OperationsFailWithTheirAttempt) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Trigger(job, savepoints_));
  FailAndRestart(job);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_FAILED);
  EXPECT_THAT(Operation(job).failure(), HasSubstr("boom"));
}

TEST_F(SavepointsTest, AStoppedJobFinishesOnceItsTasksHave) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  EXPECT_EQ(gateways_["b"]->triggers.back().stop(), v1::SUSPEND);
  EXPECT_THAT(Reason(job), HasSubstr("being stopped with a savepoint in " + savepoints_));
  EXPECT_THAT(Stop(job).value(), kOperation);  // asked again
  Acknowledge(job, 1, 100);
  EXPECT_TRUE(gateways_["b"]->notifications.back().is_last());
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_IN_PROGRESS);
  // Why the stop takes its time does not hide that there is one.
  ASSERT_TRUE(Update("b", job, 1, v1::TASK_RUNNING, "lock timeout"));
  EXPECT_THAT(Reason(job), MatchesRegex("being stopped with a savepoint .*; .*: lock timeout"));
  Confirm(job, 1);
  Finish(job);
  EXPECT_EQ(State(job), v1::FINISHED);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_COMPLETED);
  EXPECT_THAT(Operation(job).path(), StartsWith(savepoints_ + "/savepoint-"));
  const std::string path = Operation(job).path();
  EXPECT_TRUE(std::filesystem::exists(path + "/_metadata"));
  Lead();  // also the next JobManager knows
  EXPECT_EQ(Operation(job).path(), path);
}

TEST_F(SavepointsTest, AStopOutlivesItsJobManager) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  LoseTheJobManager(job);
  EXPECT_EQ(gateways_["a"]->triggers.back().stop(), v1::SUSPEND);
  const int64_t id = LastTrigger();
  Acknowledge(job, id, 100);
  // It dies again: the savepoint is durable, but not all tasks know that it was the last.
  LoseTheJobManager(job);
  EXPECT_TRUE(gateways_["a"]->triggers.empty());
  EXPECT_EQ(gateways_["a"]->notifications.back().completed_checkpoint_id(), id);
  EXPECT_TRUE(gateways_["a"]->notifications.back().is_last());
  Confirm(job, id);
  FinishAdopted(job);
  EXPECT_EQ(State(job), v1::FINISHED);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_COMPLETED);
}

TEST_F(SavepointsTest, TasksLostBeforeTheSavepointAreStoppedAgain) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 50);
  ASSERT_TRUE(Stop(job));
  FailAndRestart(job);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_IN_PROGRESS);
  EXPECT_FALSE(gateways_["a"]->deployments.back().suspended());
  Run(job, 2);
  EXPECT_EQ(gateways_["a"]->triggers.back().stop(), v1::SUSPEND);
  EXPECT_EQ(gateways_["a"]->triggers.back().attempt(), 2);
}

TEST_F(SavepointsTest, TasksLostAfterTheSavepointCommitAndAreStoppedWithAnother) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  Acknowledge(job, 1, 100);
  const std::string first = Job(job).checkpoints().latest_completed().path();
  FailAndRestart(job);
  EXPECT_TRUE(gateways_["a"]->deployments.back().suspended());
  EXPECT_EQ(DeployedPositions().at("0"), 100);
  Run(job, 2);
  const int64_t id = LastTrigger();
  EXPECT_EQ(id, 2);
  Acknowledge(job, id, 100, 2);
  Confirm(job, id, 2);
  Finish(job, 2);
  EXPECT_EQ(State(job), v1::FINISHED);
  EXPECT_EQ(Operation(job).checkpoint_id(), 2);
  int savepoints = 0;
  for (const auto& entry : std::filesystem::directory_iterator(savepoints_)) {
    savepoints += entry.is_directory();
  }
  EXPECT_EQ(savepoints, 1);  // the one that nobody was told of is gone
  EXPECT_TRUE(std::filesystem::exists(Operation(job).path() + "/_metadata"));
}

TEST_F(SavepointsTest, AStopThatFailsIsGivenUp) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  report.set_declined("no room");
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_FAILED);
  EXPECT_THAT(Operation(job).failure(), HasSubstr("no room"));
  EXPECT_EQ(gateways_["b"]->notifications.back().aborted_checkpoint_id(), 1);
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Checkpoint(job, 100), 2);
  EXPECT_EQ(gateways_["b"]->triggers.back().stop(), v1::GO_ON);
  LoseTheJobManager(job);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_FAILED);
  for (const auto& trigger : gateways_["a"]->triggers) EXPECT_EQ(trigger.stop(), v1::GO_ON);
}

TEST_F(SavepointsTest, TheNextLeaderStopsAgainWhatBeganWithTheStopsSavepoint) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  Acknowledge(job, 1, 100);
  FailAndRestart(job);
  Run(job, 2);
  LoseTheJobManager(job);
  for (const auto& told : gateways_["a"]->notifications) EXPECT_FALSE(told.is_last());
  Confirm(job, 1, 2);
  executor_.RunAll();
  ASSERT_FALSE(gateways_["a"]->triggers.empty());
  EXPECT_EQ(gateways_["a"]->triggers.back().stop(), v1::SUSPEND);
}

TEST_F(SavepointsTest, AStopIsSaidToHaveFailedOnceThatIsDurable) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  store_.holds = true;
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  report.set_declined("no room");
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_IN_PROGRESS);
  store_.Release();
  executor_.RunAll();
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_FAILED);
}

TEST_F(SavepointsTest, ADrainThatFailsTakesBackWhatHasFired) {
  const std::string job = SubmitAndRun();
  Checkpoint(job, 50);
  ASSERT_TRUE(Stop(job, /*drain=*/true));
  EXPECT_EQ(gateways_["b"]->triggers.back().stop(), v1::DRAIN);
  v1::ReportCheckpointRequest report = Report(job, 2, 0, 1);
  report.set_declined("no room");
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(State(job), v1::FAILING);
  AnswerCancel("a");
  AnswerCancel("b");
  executor_.RunAll();
  EXPECT_EQ(DeployedPositions().at("0"), 50);
  Run(job, 2);
  EXPECT_THAT(Job(job).last_restart_reason(), HasSubstr("could not be drained"));
  for (const auto& trigger : gateways_["a"]->triggers) {
    EXPECT_EQ(trigger.stop() == v1::GO_ON, trigger.attempt() == 2 || trigger.checkpoint_id() == 1);
  }
}

// Every window of it has fired: it cannot go on as if nobody had asked for the drain.
TEST_F(SavepointsTest, ADrainWhoseSavepointWasCompleteIsAskedForAgainUntilItsTasksHaveCommitted) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job, /*drain=*/true));
  Acknowledge(job, 1, 100);
  FailAndRestart(job);
  Run(job, 2);
  v1::ReportCheckpointRequest report = Report(job, LastTrigger(), 0, 2);
  report.set_declined("no room");
  EXPECT_TRUE(Send(report));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_IN_PROGRESS);
  // Before any other, though the interval is long over: with that all tasks would end.
  executor_.Advance(std::chrono::milliseconds(1000));
  ASSERT_EQ(LastTrigger(), 3);
  EXPECT_EQ(gateways_["a"]->triggers.back().stop(), v1::DRAIN);
  Acknowledge(job, 3, 100, 2);
  Confirm(job, 3, 2);
  Finish(job, 2);
  EXPECT_EQ(State(job), v1::FINISHED);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_COMPLETED);
}

TEST_F(SavepointsTest, ADrainedSavepointIsRefusedUnlessThatIsAskedFor) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job, /*drain=*/true));
  Acknowledge(job, 1, 100, 1, /*ended=*/true);
  Confirm(job, 1);
  Finish(job);
  const std::string path = Operation(job).path();
  v1::SubmitJobRequest request;
  *request.mutable_graph() = Graph(kEverySecond);
  request.mutable_graph()->set_parallelism(2);
  request.set_restore_path(path);
  Result<JobId> answer = InternalError("not answered");
  const auto done = [&](Result<JobId> id) { answer = std::move(id); };
  dispatcher_->Submit(request, done);
  executor_.RunAll();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("--allow-drained"));
  request.mutable_restore_options()->set_allow_drained(true);
  dispatcher_->Submit(request, done);
  executor_.RunAll();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_FALSE(gateways_["a"]->deployments.back().suspended());
}

TEST_F(SavepointsTest, AForkHasALineageOfItsOwn) {
  const std::string job = SubmitAndRun();
  const std::string lineage = gateways_["a"]->deployments.back().checkpoints().lineage();
  ASSERT_TRUE(Trigger(job, savepoints_));
  v1::ReportCheckpointRequest report = Report(job, 1, 0, 1);
  *report.mutable_acknowledged() = PartWithFile(job, 100);
  EXPECT_TRUE(Send(report));
  report = Report(job, 1, 1, 1);
  *report.mutable_acknowledged() = Part(1, 100);
  EXPECT_TRUE(Send(report));
  Confirm(job, 1);
  const std::string path = Operation(job).path();
  Cancel(job);
  for (const bool fork : {true, false}) {
    v1::SubmitJobRequest request;
    *request.mutable_graph() = Graph(kEverySecond);
    request.mutable_graph()->set_parallelism(2);
    request.set_restore_path(path);
    request.mutable_restore_options()->set_fork(fork);
    Result<JobId> answer = InternalError("not answered");
    dispatcher_->Submit(request, [&](Result<JobId> id) { answer = std::move(id); });
    executor_.RunAll();
    ASSERT_TRUE(answer) << answer.error().message;
    const v1::DeployTasksRequest& deployed = gateways_["a"]->deployments.back();
    EXPECT_EQ(deployed.checkpoints().lineage() == lineage, !fork);
    int sinks = 0;
    for (const auto& [id, gateway] : gateways_) {
      sinks += gateway->deployments.back().tasks(0).restore().sinks_size();
    }
    EXPECT_EQ(sinks, fork ? 0 : 1);  // what was not confirmed is the old lineage's
    Run(answer->hex, deployed.attempt());
    Cancel(answer->hex);
  }
}

TEST_F(SavepointsTest, ACancelOverridesAStop) {
  const std::string job = SubmitAndRun();
  ASSERT_TRUE(Stop(job));
  Cancel(job);
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_FAILED);
  EXPECT_THAT(Operation(job).failure(), HasSubstr("CANCELED"));
  Lead();
  EXPECT_EQ(Operation(job).status(), v1::Operation::OPERATION_FAILED);
}

}  // namespace
}  // namespace watershed
