// A JobManager that takes over what another one left behind in the store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobmanager/dispatcher_fixture.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class RecoveryTest : public DispatcherTest {
 protected:
  // What a TaskManager registers with that still runs this subtask.
  v1::RegisterTaskManagerRequest Running(const std::string& job, int subtask,
                                         v1::TaskState state = v1::TASK_RUNNING, int attempt = 1) {
    v1::RegisterTaskManagerRequest request;
    v1::RunningAttempt* running = request.add_running();
    running->set_job_id(job);
    running->set_attempt(attempt);
    v1::SubtaskReport* report = running->add_tasks();
    report->set_job_id(job);
    report->mutable_status()->set_vertex_id(Job(job).subtasks(0).vertex_id());
    report->mutable_status()->set_subtask(subtask);
    report->mutable_status()->set_attempt(attempt);
    report->mutable_status()->set_state(state);
    return request;
  }
  void Beat(const std::string& task_manager) {
    v1::HeartbeatRequest heartbeat;
    heartbeat.set_task_manager_id(task_manager);
    heartbeat.set_leader_epoch(epoch_.value);
    dispatcher_->Heartbeat(heartbeat);
  }
  // The heartbeat timeout, in which these are not silent.
  void PassTheTimeout(const std::vector<std::string>& task_managers) {
    for (int i = 0; i < 6; ++i) {
      for (const std::string& id : task_managers) Beat(id);
      executor_.Advance(seconds(1));
    }
  }
};

TEST_F(RecoveryTest, AdoptsAJobWhoseEveryTaskIsReported) {
  const std::string job = RunningJob();
  const LeaderEpoch before = epoch_;
  Lead();
  EXPECT_GT(epoch_, before);
  EXPECT_EQ(State(job), v1::RECONCILING);
  Register("a", 1, Running(job, 0));
  EXPECT_EQ(State(job), v1::RECONCILING);
  Register("b", 1, Running(job, 1));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).attempt(), 1);
  EXPECT_EQ(Job(job).restarts(), 0);
  for (const char* id : {"a", "b"}) {
    EXPECT_TRUE(gateways_[id]->deployments.empty());
    EXPECT_TRUE(gateways_[id]->cancels.empty());
  }
  for (const TaskManagerView& view : dispatcher_->TaskManagers()) EXPECT_EQ(view.free_slots, 0);
  PassTheTimeout({"a", "b"});
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::FINISHED);
}

TEST_F(RecoveryTest, WaitsForTasksThatStillStart) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  Register("b", 1, Running(job, 1, v1::TASK_INITIALIZING));
  EXPECT_EQ(State(job), v1::RECONCILING);
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_RUNNING));
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(RecoveryTest, AFinishedTaskIsRememberedByTheLog) {
  const std::string job = RunningJob();
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  Lead();
  Register("b", 1);
  EXPECT_EQ(State(job), v1::RECONCILING);
  Register("a", 1, Running(job, 0));
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_EQ(Job(job).attempt(), 1);
  EXPECT_EQ(Job(job).subtasks(1).state(), v1::TASK_FINISHED);
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::FINISHED);
}

TEST_F(RecoveryTest, AFinishedTaskIsDurableBeforeItIsAnswered) {
  const std::string job = RunningJob();
  store_.holds = true;
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  bool answered = false;
  dispatcher_->WhenStored([&] { answered = true; });
  ASSERT_EQ(store_.held.size(), 1u);
  const v1::TasksFinishedEntry entry = store_.held[0].first.tasks_finished();
  EXPECT_EQ(entry.attempt(), 1);
  ASSERT_EQ(entry.tasks_size(), 1);
  EXPECT_EQ(entry.tasks(0).subtask(), 1);
  EXPECT_FALSE(answered);
  store_.Release();
  executor_.RunAll();
  EXPECT_TRUE(answered);
  store_.holds = true;
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FINISHED));  // the last one: the end says enough
  ASSERT_EQ(store_.held.size(), 1u);
  EXPECT_TRUE(store_.held[0].first.has_job_end());
}

TEST_F(RecoveryTest, ATaskThatFinishedWhileNobodyLedIsAdoptedByItsReport) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  Register("b", 1);
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED, "", /*attempt=*/2));
  EXPECT_EQ(State(job), v1::RECONCILING);
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::RUNNING);
  Lead();  // and it is remembered
  Register("a", 1, Running(job, 0));
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(RecoveryTest, ATaskThatWasReportedAsFinishedIsRemembered) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  Register("b", 1, Running(job, 1, v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::RUNNING);
  Lead();
  Register("a", 1, Running(job, 0));
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(RecoveryTest, ATaskThatFailedWhileNobodyLedFailsTheJobByName) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  Register("b", 1);
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FAILED, "boom"));
  EXPECT_EQ(State(job), v1::FAILING);
  EXPECT_THAT(Reason(job), HasSubstr("(2/2) on TaskManager b: boom"));
}

TEST_F(RecoveryTest, RestartsAJobOfWhichATaskIsMissing) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  Register("b", 1);
  executor_.Advance(milliseconds(4900));
  EXPECT_EQ(State(job), v1::RECONCILING);
  Beat("a");
  Beat("b");
  executor_.Advance(milliseconds(200));
  EXPECT_EQ(State(job), v1::FAILING);
  ASSERT_EQ(gateways_["a"]->cancels.size(), 1u);
  EXPECT_EQ(gateways_["a"]->cancels[0].attempt(), 1);
  EXPECT_TRUE(gateways_["b"]->cancels.empty());
  AnswerCancel("a", {});
  // At once, and without a restart strategy: it was no failure of the job.
  ASSERT_EQ(gateways_["a"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["a"]->deployments[0].attempt(), 2);
  EXPECT_EQ(Job(job).restarts(), 1);
  EXPECT_THAT(Job(job).last_restart_reason(), HasSubstr("not all of its tasks were reported"));
  EXPECT_TRUE(gateways_["a"]->discoveries.empty());  // the splits are those that were stored
  AnswerDeployment("a");
  AnswerDeployment("b");
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "boom", /*attempt=*/2));  // a failure of its own
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::FAILED);
}

TEST_F(RecoveryTest, WhatDoesNotFitTogetherIsRestarted) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  Register("b", 1, Running(job, 0));  // two that run the same subtask
  EXPECT_EQ(State(job), v1::FAILING);
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_task_manager_id("b");
  heartbeat.set_leader_epoch(epoch_.value);
  *heartbeat.add_tasks() = Running(job, 0).running(0).tasks(0);
  EXPECT_EQ(dispatcher_->Heartbeat(heartbeat).stale_size(), 1);
  AnswerCancel("a");
  EXPECT_EQ(gateways_["b"]->deployments.back().attempt(), 2);
}

TEST_F(RecoveryTest, TasksOfAnotherAttemptAreNotAdopted) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0, v1::TASK_RUNNING, /*attempt=*/7));
  Register("b", 1, Running(job, 1));
  EXPECT_EQ(State(job), v1::RECONCILING);
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_task_manager_id("a");
  heartbeat.set_leader_epoch(epoch_.value);
  heartbeat.add_tasks()->set_job_id(job);
  heartbeat.mutable_tasks(0)->mutable_status()->set_attempt(7);
  ASSERT_EQ(dispatcher_->Heartbeat(heartbeat).stale_size(), 1);
}

TEST_F(RecoveryTest, AJobThatNobodyRunsBeginsAnew) {
  const std::string job = RunningJob();
  Lead();
  PassTheTimeout({});
  EXPECT_EQ(State(job), v1::CREATED);
  Register("c", 2);
  ASSERT_EQ(gateways_["c"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["c"]->deployments[0].attempt(), 2);
}

TEST_F(RecoveryTest, AJobThatWasNeverDeployedDoesNotWait) {
  Lead();
  const std::string job = Submit(1);
  Lead();
  EXPECT_EQ(State(job), v1::CREATED);
  Register("a", 1);
  EXPECT_EQ(gateways_["a"]->discoveries.size(), 1u);
}

TEST_F(RecoveryTest, EndedJobsAreStillListed) {
  const std::string job = Submit(1);
  ASSERT_TRUE(dispatcher_->Cancel(job));
  executor_.Advance(seconds(1));
  const v1::JobDetails before = Job(job);
  Lead();
  executor_.Advance(seconds(10));
  EXPECT_EQ(State(job), v1::CANCELED);
  EXPECT_EQ(Job(job).summary().end_time_ms(), before.summary().end_time_ms());
  EXPECT_EQ(Job(job).summary().start_time_ms(), before.summary().start_time_ms());
  EXPECT_TRUE(dispatcher_->Summaries(/*include_ended=*/false).empty());
}

TEST_F(RecoveryTest, AStoreThatHangsIsSaid) {
  const std::string job = RunningJob();
  store_.holds = true;
  ASSERT_TRUE(dispatcher_->Cancel(job));
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  executor_.Advance(milliseconds(4900));
  EXPECT_EQ(Reason(job), "");
  for (const char* id : {"a", "b"}) Beat(id);
  executor_.Advance(milliseconds(1100));
  EXPECT_THAT(Reason(job), HasSubstr("not durable after 6 s, and 1 wait for it: can "
                                     "high-availability.storageDir be written?"));
  EXPECT_EQ(State(job), v1::RUNNING);
  store_.Release();
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CANCELLING);
  EXPECT_EQ(Reason(job), "");
}

TEST_F(RecoveryTest, OnlyTheLastOfManyEndedJobsAreKept) {
  std::vector<std::string> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(Submit(1));
    ASSERT_TRUE(dispatcher_->Cancel(jobs.back()));
    executor_.Advance(seconds(1));
  }
  Lead();
  ASSERT_EQ(dispatcher_->Summaries(/*include_ended=*/true).size(), 2u);  // ended_jobs_kept
  EXPECT_EQ(State(jobs[2]), v1::CANCELED);
  EXPECT_EQ(State(jobs[3]), v1::CANCELED);
  for (const MetricSample& sample : metrics_.Collect()) {
    for (const auto& [label, value] : sample.labels) EXPECT_NE(label, "job_id") << sample.name;
  }
  for (int i = 0; i < 2; ++i) {  // and those that end from now on push these out
    ASSERT_TRUE(dispatcher_->Cancel(Submit(1)));
    executor_.Advance(seconds(1));
  }
  EXPECT_EQ(dispatcher_->Summaries(/*include_ended=*/true).size(), 2u);
  EXPECT_FALSE(dispatcher_->Details(jobs[3]));
}

TEST_F(RecoveryTest, TheLastJobsToEndAreKeptAlsoWhenTheWallClockIsSetBack) {
  std::vector<std::string> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(Submit(1));
    ASSERT_TRUE(dispatcher_->Cancel(jobs.back()));
    executor_.Advance(seconds(1));
    executor_.StepWallClock(std::chrono::minutes(-1));
  }
  executor_.StepWallClock(std::chrono::minutes(3));
  Lead();
  ASSERT_EQ(dispatcher_->Summaries(/*include_ended=*/true).size(), 2u);  // ended_jobs_kept
  EXPECT_FALSE(dispatcher_->Details(jobs[0]));
  EXPECT_EQ(State(jobs[2]), v1::CANCELED);
}

TEST_F(RecoveryTest, AJobStaysAsItWasWhenTheClustersDefaultsChange) {
  settings_.jobs.parallelism = 2;
  settings_.jobs.max_parallelism = 64;
  Lead();
  const std::string job = Submit(Graph())->hex;
  settings_.jobs.parallelism = 3;
  settings_.jobs.max_parallelism = 32;
  Lead();
  EXPECT_EQ(Job(job).subtasks_size(), 2);
  EXPECT_EQ(Job(job).plan().max_parallelism(), 64);
}

TEST_F(RecoveryTest, ATaskThatIsBeingCancelledIsNotAdopted) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  EXPECT_EQ(State(job), v1::RECONCILING);
  Register("b", 1, Running(job, 1, v1::TASK_CANCELING));
  EXPECT_EQ(State(job), v1::FAILING);
}

TEST_F(RecoveryTest, ReconcilingMayBeCancelled) {
  const std::string job = RunningJob();
  Lead();
  Register("a", 1, Running(job, 0));
  ASSERT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CANCELLING);
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::CANCELLING);  // b has not said yet what it runs
  PassTheTimeout({"a"});
  EXPECT_EQ(State(job), v1::CANCELED);
}

TEST_F(RecoveryTest, ACancelIsDurableBeforeItIsAnswered) {
  const std::string job = RunningJob();
  store_.holds = true;
  ASSERT_TRUE(dispatcher_->Cancel(job));
  ASSERT_TRUE(dispatcher_->Cancel(job));
  bool answered = false;
  dispatcher_->WhenStored([&] { answered = true; });
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::RUNNING);
  EXPECT_FALSE(answered);
  ASSERT_EQ(store_.held.size(), 1u);  // asked for twice, stored once
  EXPECT_EQ(store_.held[0].first.kind_case(), v1::LogEntry::kCancel);
  store_.Release();
  executor_.RunAll();
  EXPECT_TRUE(answered);
  EXPECT_EQ(State(job), v1::CANCELLING);
  answered = false;
  dispatcher_->WhenStored([&] { answered = true; });  // nothing is under way
  EXPECT_TRUE(answered);
}

TEST_F(RecoveryTest, WhatACancelLeftRunningIsCancelledByTheNextJobManager) {
  const std::string job = RunningJob();
  ASSERT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  Lead();
  EXPECT_EQ(State(job), v1::CANCELLING);
  Register("a", 1, Running(job, 0));
  Register("b", 1, Running(job, 1));
  for (const char* id : {"a", "b"}) ASSERT_FALSE(gateways_[id]->cancels.empty()) << id;
  AnswerCancel("a");
  EXPECT_EQ(State(job), v1::CANCELLING);
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::CANCELED);
  Lead();
  EXPECT_EQ(State(job), v1::CANCELED);
}

TEST_F(RecoveryTest, ACancelledJobThatNobodyReportsEndsAfterTheTimeout) {
  const std::string job = RunningJob();
  ASSERT_TRUE(dispatcher_->Cancel(job));
  executor_.RunAll();
  Lead();
  Register("a", 2);
  executor_.Advance(milliseconds(4900));
  EXPECT_EQ(State(job), v1::CANCELLING);
  Beat("a");
  executor_.Advance(milliseconds(200));
  EXPECT_EQ(State(job), v1::CANCELED);
  EXPECT_TRUE(gateways_["a"]->deployments.empty());
}

TEST_F(RecoveryTest, ACancelOnItsWayDecidesTheEndOfAJobThatFinishes) {
  const std::string job = RunningJob();
  store_.holds = true;
  ASSERT_TRUE(dispatcher_->Cancel(job));
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FINISHED));
  EXPECT_TRUE(Update("b", job, 1, v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::RUNNING);
  store_.holds = false;
  store_.Release();
  executor_.RunAll();
  EXPECT_EQ(State(job), v1::CANCELED);
}

TEST_F(RecoveryTest, AnEndOnItsWayIsAnsweredToACancelWhenItIsDurable) {
  const std::string job = RunningJob();
  store_.holds = true;
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FAILED, "boom"));
  AnswerCancel("b");
  EXPECT_EQ(State(job), v1::FAILING);
  ASSERT_TRUE(dispatcher_->Cancel(job));
  bool answered = false;
  dispatcher_->WhenStored([&] { answered = true; });
  executor_.RunAll();
  EXPECT_FALSE(answered);
  ASSERT_EQ(store_.held.size(), 1u);
  EXPECT_EQ(store_.held[0].first.kind_case(), v1::LogEntry::kJobEnd);
  store_.Release();
  executor_.RunAll();
  EXPECT_TRUE(answered);
  EXPECT_EQ(State(job), v1::FAILED);
}

TEST_F(RecoveryTest, NothingIsDoneBeforeItsEntryIsDurable) {
  Register("a", 1);
  store_.holds = true;
  v1::SubmitJobRequest request;
  *request.mutable_graph() = Graph();
  std::string job;
  dispatcher_->Submit(request, [&](const Result<JobId>& id) { job = id->hex; });
  executor_.RunAll();
  EXPECT_EQ(job, "");
  EXPECT_TRUE(dispatcher_->Summaries(true).empty());
  const auto next = [&](v1::LogEntry::KindCase kind) {
    ASSERT_EQ(store_.held.size(), 1u);
    EXPECT_EQ(store_.held[0].first.kind_case(), kind);
    store_.Release();
    executor_.RunAll();
  };
  next(v1::LogEntry::kSubmission);
  EXPECT_NE(job, "");
  EXPECT_TRUE(gateways_["a"]->discoveries.empty());
  next(v1::LogEntry::kAttempt);
  AnswerDiscovery("a", 1);
  EXPECT_TRUE(gateways_["a"]->deployments.empty());
  next(v1::LogEntry::kSplits);
  ASSERT_EQ(gateways_["a"]->deployments.size(), 1u);
  AnswerDeployment("a");
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_RUNNING));
  EXPECT_TRUE(Update("a", job, 0, v1::TASK_FINISHED));
  EXPECT_EQ(State(job), v1::RUNNING);
  next(v1::LogEntry::kJobEnd);
  EXPECT_EQ(State(job), v1::FINISHED);
}

TEST_F(RecoveryTest, SplitsOnTheirWayIntoTheLogAreNotDiscoveredAgain) {
  const int64_t registration = Register("a", 1);
  const std::string job = Submit(1);
  store_.holds = true;
  AnswerDiscovery("a", 2);
  dispatcher_->OnDetached("a", registration);
  Register("b", 1);
  EXPECT_TRUE(gateways_["b"]->discoveries.empty());
  store_.holds = false;
  store_.Release();
  executor_.RunAll();
  EXPECT_TRUE(gateways_["b"]->discoveries.empty());
  ASSERT_EQ(gateways_["b"]->deployments.size(), 1u);
  EXPECT_EQ(gateways_["b"]->deployments[0].tasks(0).splits_size(), 2);
}

TEST_F(RecoveryTest, AStoreThatFailsEndsTheProcessAndNothingMoreIsDone) {
  Register("a", 1);
  store_.error = "somebody else leads";
  v1::SubmitJobRequest request;
  *request.mutable_graph() = Graph();
  bool answered = false;
  dispatcher_->Submit(request, [&](const Result<JobId>&) { answered = true; });
  executor_.RunAll();
  dispatcher_->Submit(request, [&](const Result<JobId>&) { answered = true; });
  executor_.RunAll();
  EXPECT_EQ(fatal_, "somebody else leads");
  EXPECT_EQ(fatal_calls_, 1);
  EXPECT_FALSE(answered);
  EXPECT_TRUE(dispatcher_->Summaries(true).empty());
}

}  // namespace
}  // namespace watershed
