// A job of two subtasks that takes checkpoints, under a Dispatcher, over a real directory.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "tests/unit/jobmanager/dispatcher_fixture.h"

namespace watershed {

inline constexpr const char* kEverySecond = "checkpointing: {interval: 1s}\n";

class JobCheckpointsTest : public DispatcherTest {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "/jobmanager-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    settings_.jobs.checkpoint_directory = directory_;
    settings_.heartbeat_timeout = std::chrono::hours(1);  // nobody heartbeats here
    Lead();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  Result<std::shared_ptr<ObjectStorage>> Open(const std::string& uri) override {
    if (!storage_error_.empty()) return TransientError("{}", storage_error_);
    return OpenStorage(uri);
  }

  // Two subtasks, on a and b, deployed and running as the given attempt.
  void Run(const std::string& job, int attempt = 1) {
    if (!gateways_["a"]->deployments.empty()) {
      AnswerDeployment("a");
      AnswerDeployment("b");
    }
    EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_RUNNING, "", attempt));
    EXPECT_TRUE(Update("b", job, SubtaskOn("b"), v1::TASK_RUNNING, "", attempt));
    EXPECT_EQ(State(job), v1::RUNNING);
  }
  int SubtaskOn(const std::string& task_manager) {
    return gateways_[task_manager]->deployments.back().tasks(0).subtask();
  }
  std::string SubmitAndRun(const std::string& fields = kEverySecond, bool bounded = false) {
    Register("a", 1);
    Register("b", 1);
    v1::JobGraph graph = Graph(fields);
    graph.set_parallelism(2);
    const Result<JobId> job = Submit(graph);
    EXPECT_TRUE(job) << job.error().message;
    AnswerDiscovery("a", 3, bounded);
    Run(job->hex);
    return job->hex;
  }

  v1::ReportCheckpointRequest Report(const std::string& job, int64_t checkpoint, int subtask,
                                     int attempt) {
    v1::ReportCheckpointRequest report;
    report.set_task_manager_id("a");
    report.set_leader_epoch(epoch_.value);
    report.set_job_id(job);
    report.set_attempt(attempt);
    report.set_checkpoint_id(checkpoint);
    report.set_vertex_id(Job(job).subtasks(0).vertex_id());
    report.set_subtask(subtask);
    return report;
  }
  Status Send(const v1::ReportCheckpointRequest& report) {
    const Status status = dispatcher_->ReportCheckpoint(report);
    executor_.RunAll();
    return status;
  }
  v1::SubtaskSnapshot Part(int subtask, int64_t position, bool ended = false) {
    v1::SubtaskSnapshot part;
    // Splits 0, 1, 2 were dealt out in turn.
    for (int split = subtask; split < 3; split += 2) {
      v1::SplitSnapshot* snapshot = part.add_splits();
      snapshot->set_split_id(std::to_string(split));
      snapshot->set_partition(split);
      snapshot->set_next_position(position + split);
    }
    part.set_ended(ended);
    part.mutable_figures()->set_state_bytes(100);
    part.mutable_figures()->set_written_bytes(10);
    return part;
  }
  void Acknowledge(const std::string& job, int64_t checkpoint, int64_t position, int attempt = 1,
                   bool ended = false) {
    for (int subtask = 0; subtask < 2; ++subtask) {
      v1::ReportCheckpointRequest report = Report(job, checkpoint, subtask, attempt);
      *report.mutable_acknowledged() = Part(subtask, position, ended);
      EXPECT_TRUE(Send(report));
    }
  }
  void Confirm(const std::string& job, int64_t checkpoint, int attempt = 1) {
    for (int subtask = 0; subtask < 2; ++subtask) {
      v1::ReportCheckpointRequest report = Report(job, checkpoint, subtask, attempt);
      report.set_confirmed(true);
      EXPECT_TRUE(Send(report));
    }
  }
  // The next periodic one, with positions position, position + 1, position + 2.
  int64_t Checkpoint(const std::string& job, int64_t position, int attempt = 1) {
    executor_.Advance(std::chrono::seconds(1));
    const int64_t id = gateways_["a"]->triggers.back().checkpoint_id();
    Acknowledge(job, id, position, attempt);
    Confirm(job, id, attempt);
    EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), id);
    return id;
  }
  // Both TaskManagers' tasks end after a failure on a; then the restart's delay passes.
  void FailAndRestart(const std::string& job, int attempt = 1) {
    EXPECT_TRUE(Update("a", job, SubtaskOn("a"), v1::TASK_FAILED, "boom", attempt));
    AnswerCancel("b");
    EXPECT_EQ(State(job), v1::RESTARTING);
    executor_.Advance(std::chrono::seconds(3));
  }
  // While it runs on both.
  void Cancel(const std::string& job) {
    EXPECT_TRUE(dispatcher_->Cancel(job));
    executor_.RunAll();
    AnswerCancel("a");
    AnswerCancel("b");
    EXPECT_EQ(State(job), v1::CANCELED);
  }
  // Of what a and b run now; those whose input has ended say so.
  std::map<std::string, v1::RegisterTaskManagerRequest> WhatRuns(const std::string& job,
                                                                 bool ended = false) {
    std::map<std::string, v1::RegisterTaskManagerRequest> running;
    v1::JobDetails details = Job(job);
    for (v1::SubtaskStatus& status : *details.mutable_subtasks()) {
      if (status.state() == v1::TASK_FINISHED) continue;
      status.mutable_counters()->set_ended(ended);
      v1::RunningAttempt* attempt = running[status.task_manager_id()].add_running();
      attempt->set_job_id(job);
      attempt->set_attempt(status.attempt());
      *attempt->add_tasks()->mutable_status() = status;
    }
    return running;
  }
  // Another JobManager, to which both TaskManagers come.
  void Succeed(const std::map<std::string, v1::RegisterTaskManagerRequest>& running) {
    Lead();
    for (const char* id : {"a", "b"}) {
      const auto found = running.find(id);
      Register(id, 1, found == running.end() ? v1::RegisterTaskManagerRequest() : found->second);
    }
  }
  // Another job of two subtasks, from a checkpoint of the first attempt of this one.
  std::string SubmitFrom(const std::string& job, int64_t checkpoint) {
    v1::JobGraph graph = Graph(kEverySecond);
    graph.set_parallelism(2);
    const std::string path = directory_ + "/" + job + "/chk-" + std::to_string(checkpoint) + "-1";
    const Result<JobId> id = Submit(graph, path);
    EXPECT_TRUE(id) << id.error().message;
    return id->hex;
  }
  std::map<std::string, int64_t> DeployedPositions() {
    std::map<std::string, int64_t> positions;
    for (const auto& [id, gateway] : gateways_) {
      for (const v1::TaskDeployment& task : gateway->deployments.back().tasks()) {
        for (const v1::Split& split : task.splits()) {
          positions[split.id()] = split.start_position();
        }
      }
    }
    return positions;
  }
  std::string ManifestFile(const std::string& job, int64_t checkpoint, int attempt = 1) {
    return directory_ + "/" + job + "/" + ManifestName(CheckpointId{checkpoint}, Attempt{attempt});
  }

  std::string directory_;
  std::string storage_error_;
};

}  // namespace watershed
