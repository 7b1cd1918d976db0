// A chain of two subtasks without an exchange: two regions, one on each of a and b.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {

class RegionTest : public JobCheckpointsTest {
 protected:
  void SetUp() override {
    settings_.jobs.restarts_regions = true;
    JobCheckpointsTest::SetUp();
  }
  static constexpr const char* kFixedDelay =
      "checkpointing: {interval: 1s}\n"
      "restart-strategy: {type: fixed-delay, attempts: 100, delay: 2s}\n";

  std::string RunInRegions(const std::string& fields = kFixedDelay) {
    Register("a", 1);
    b_ = Register("b", 1);
    v1::JobGraph graph = Graph(fields);
    graph.set_parallelism(2);
    const Result<JobId> job = Submit(graph);
    EXPECT_TRUE(job) << job.error().message;
    AnswerDiscovery("a", 3);
    for (const char* id : {"a", "b"}) RunOn(id, job->hex);
    EXPECT_EQ(State(job->hex), v1::RUNNING);
    return job->hex;
  }
  // What is deployed there.
  int AttemptOn(const std::string& task_manager) {
    return gateways_[task_manager]->deployments.back().attempt();
  }
  void RunOn(const std::string& task_manager, const std::string& job) {
    AnswerDeployment(task_manager);
    Report(task_manager, job, v1::TASK_RUNNING);
  }
  void Report(const std::string& task_manager, const std::string& job, v1::TaskState state,
              const std::string& message = "") {
    EXPECT_TRUE(Update(task_manager, job, SubtaskOn(task_manager), state, message,
                       AttemptOn(task_manager)));
  }
  v1::SubtaskStatus On(const std::string& task_manager, const std::string& job) {
    return Job(job).subtasks(SubtaskOn(task_manager));
  }
  void AcknowledgeOn(const std::string& task_manager, const std::string& job, int64_t checkpoint,
                     int64_t position, bool ended = false) {
    const int subtask = SubtaskOn(task_manager);
    v1::ReportCheckpointRequest report =
        JobCheckpointsTest::Report(job, checkpoint, subtask, AttemptOn(task_manager));
    *report.mutable_acknowledged() = Part(subtask, position, ended);
    EXPECT_TRUE(Send(report));
  }
  void ConfirmOn(const std::string& task_manager, const std::string& job, int64_t checkpoint) {
    v1::ReportCheckpointRequest report = JobCheckpointsTest::Report(
        job, checkpoint, SubtaskOn(task_manager), AttemptOn(task_manager));
    report.set_confirmed(true);
    EXPECT_TRUE(Send(report));
  }
  int64_t Trigger() {
    const size_t before = gateways_["a"]->triggers.size();
    executor_.Advance(std::chrono::seconds(1));
    EXPECT_EQ(gateways_["a"]->triggers.size(), before + 1);
    return gateways_["a"]->triggers.back().checkpoint_id();
  }
  int64_t CheckpointOfBoth(const std::string& job, int64_t position) {
    const int64_t id = Trigger();
    for (const char* on : {"a", "b"}) AcknowledgeOn(on, job, id, position);
    for (const char* on : {"a", "b"}) ConfirmOn(on, job, id);
    EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), id);
    return id;
  }
  // The task on a fails, and its region waits for the delay.
  void FailA(const std::string& job) {
    Report("a", job, v1::TASK_FAILED, "boom");
    EXPECT_EQ(State(job), v1::RESTARTING);
  }
  void FailAAndRestart(const std::string& job) {
    FailA(job);
    executor_.Advance(std::chrono::seconds(2));
    RunOn("a", job);
    EXPECT_EQ(State(job), v1::RUNNING);
  }
  // All tasks restart: those on b are cancelled.
  void ExpectAllRestart(const std::string& job) {
    EXPECT_EQ(State(job), v1::FAILING);
    EXPECT_EQ(gateways_["b"]->cancels.size(), 1u);
    EXPECT_EQ(On("b", job).state(), v1::TASK_CANCELING);
  }

  int64_t b_ = 0;  // registration
};

}  // namespace watershed
