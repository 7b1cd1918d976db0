// Files of keyed state that are gone, cut or changed: which checkpoint a job goes back to, and when
// it gives up. What is wrong with a file's size the JobManager sees; its contents only a task
// reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "tests/unit/jobmanager/job_checkpoints_fixture.h"

namespace watershed {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kContents = "state";

class DamagedStateTest : public JobCheckpointsTest {
 protected:
  // The next periodic one; both subtasks' state is in these files, which it makes.
  void CheckpointOf(const std::string& job, const std::set<std::string>& files, int attempt = 1) {
    executor_.Advance(std::chrono::seconds(1));
    const int64_t id = gateways_["a"]->triggers.back().checkpoint_id();
    for (int subtask = 0; subtask < 2; ++subtask) {
      v1::ReportCheckpointRequest report = Report(job, id, subtask, attempt);
      v1::SubtaskSnapshot part = Part(subtask, 100);
      v1::OperatorSnapshot* op = part.add_operators();
      op->set_operator_id("events");
      v1::KeyedStateSnapshot* state = op->mutable_keyed_state();
      state->set_first_key_group(64 * subtask);
      state->set_last_key_group(64 * subtask + 63);
      for (const std::string& file : files) {
        std::filesystem::create_directories(directory_ + "/" + job + "/shared");
        const std::string name = NameOf(file, subtask);
        std::ofstream(directory_ + "/" + job + "/" + name) << kContents;
        state->add_files()->set_name(name);
        state->mutable_files()->rbegin()->set_size_bytes(5);
      }
      *report.mutable_acknowledged() = std::move(part);
      EXPECT_TRUE(Send(report));
    }
    Confirm(job, id, attempt);
    EXPECT_EQ(Job(job).checkpoints().latest_completed().id(), id);
  }
  static std::string NameOf(const std::string& file, int subtask) {
    return "shared/1-v1-" + std::to_string(subtask) + "-" + file + "-0";
  }
  std::string PathOf(const std::string& job, const std::string& file) {
    return directory_ + "/" + job + "/" + NameOf(file, 1);
  }
  // The task of subtask 1 has read the file.
  void FindDamaged(const std::string& job, const std::string& file, int attempt) {
    const std::string on = SubtaskOn("a") == 1 ? "a" : "b";
    v1::UpdateTasksRequest request;
    request.set_task_manager_id(on);
    request.set_leader_epoch(epoch_.value);
    v1::SubtaskReport* report = request.add_tasks();
    report->set_job_id(job);
    report->mutable_status()->set_vertex_id(Job(job).subtasks(0).vertex_id());
    report->mutable_status()->set_subtask(1);
    report->mutable_status()->set_attempt(attempt);
    report->mutable_status()->set_state(v1::TASK_FAILED);
    report->mutable_status()->set_message("operator 'events' subtask 1: '" + NameOf(file, 1) +
                                          "' is damaged");
    report->mutable_status()->set_damaged_file(NameOf(file, 1));
    AnswerDeployment("a");
    AnswerDeployment("b");
    EXPECT_TRUE(dispatcher_->UpdateTasks(request));
    executor_.RunAll();
    AnswerCancel(on == "a" ? "b" : "a");
    executor_.RunAll();
  }
  int64_t RestoredLast() {
    return gateways_["a"]->deployments.back().tasks(0).restore().checkpoint_id();
  }
};

TEST_F(DamagedStateTest, AFileThatIsCutOrGoneGivesWayToTheCheckpointBefore) {
  const std::string job = SubmitAndRun();
  CheckpointOf(job, {"first"});
  CheckpointOf(job, {"first", "second"});
  CheckpointOf(job, {"first", "second", "third"});
  std::filesystem::resize_file(PathOf(job, "third"), 4);
  FailAndRestart(job);
  EXPECT_EQ(RestoredLast(), 2);
  EXPECT_THAT(Job(job).checkpoints().last_damage(),
              AllOf(HasSubstr("checkpoint 3"), HasSubstr("operator 'events', subtask 1"),
                    HasSubstr(NameOf("third", 1)), HasSubstr("4 bytes instead of 5")));
  Run(job, 2);
  std::filesystem::remove(PathOf(job, "second"));
  FailAndRestart(job, 2);
  EXPECT_EQ(RestoredLast(), 1);
  EXPECT_EQ(Job(job).checkpoints().damaged(), 3);
}

TEST_F(DamagedStateTest, WhatOnlyATaskCanSeeGivesWayToo) {
  const std::string job = SubmitAndRun(std::string(kEverySecond) +
                                       "restart-strategy: {type: fixed-delay, attempts: 1}\n");
  CheckpointOf(job, {"first"});
  CheckpointOf(job, {"first", "second"});
  FailAndRestart(job);
  EXPECT_EQ(RestoredLast(), 2);
  // Not one more of the restarts that the strategy allows, and without its delay.
  FindDamaged(job, "second", 2);
  ASSERT_EQ(gateways_["a"]->deployments.size(), 3u);
  EXPECT_EQ(RestoredLast(), 1);
  EXPECT_THAT(Job(job).checkpoints().last_damage(),
              AllOf(HasSubstr("checkpoint 2"), HasSubstr("operator 'events' subtask 1"),
                    HasSubstr(NameOf("second", 1))));
  Run(job, 3);
  CheckpointOf(job, {"first", "fourth"}, 3);
  EXPECT_EQ(State(job), v1::RUNNING);
}

TEST_F(DamagedStateTest, AChainThatIsSpoiledAltogetherFailsTheJobAtOnce) {
  const std::string job = SubmitAndRun();
  CheckpointOf(job, {"base"});
  CheckpointOf(job, {"base", "second"});
  CheckpointOf(job, {"base", "third"});
  FailAndRestart(job);
  EXPECT_EQ(RestoredLast(), 3);
  FindDamaged(job, "base", 2);
  EXPECT_EQ(State(job), v1::FAILED);
  EXPECT_EQ(gateways_["a"]->deployments.size(), 2u);
  EXPECT_THAT(Reason(job),
              AllOf(HasSubstr("no retained checkpoint can be read"), HasSubstr("checkpoint 3"),
                    HasSubstr("operator 'events' subtask 1"), HasSubstr(NameOf("base", 1)),
                    HasSubstr("another checkpoint")));
}

TEST_F(DamagedStateTest, ASharedFileThatIsGoneFailsTheJobAtOnce) {
  const std::string job = SubmitAndRun();
  CheckpointOf(job, {"base"});
  CheckpointOf(job, {"base", "second"});
  std::filesystem::remove(PathOf(job, "base"));
  FailAndRestart(job);
  EXPECT_EQ(State(job), v1::FAILED);
  EXPECT_EQ(gateways_["a"]->deployments.size(), 1u);
  EXPECT_THAT(Reason(job),
              AllOf(HasSubstr("checkpoint 2"), HasSubstr("operator 'events', subtask 1"),
                    HasSubstr(NameOf("base", 1)), HasSubstr("is not there")));
}

// Nothing of what the attempt began with: the checkpoint is as good as it was.
TEST_F(DamagedStateTest, AFileOfNoCheckpointIsAFailureLikeAnyOther) {
  const std::string job = SubmitAndRun();
  CheckpointOf(job, {"first"});
  FailAndRestart(job);
  FindDamaged(job, "other", 2);
  EXPECT_EQ(State(job), v1::RESTARTING);
  executor_.Advance(std::chrono::seconds(10));
  EXPECT_EQ(RestoredLast(), 1);
  EXPECT_EQ(gateways_["a"]->deployments.size(), 3u);
}

}  // namespace
}  // namespace watershed
