// Heartbeats of a TaskManager go out in their time, whatever becomes of those before.
#include "taskmanager/cluster/job_manager_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/unit/jobmanager/stepped_executor.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using testing::Each;

constexpr milliseconds kInterval{250};
constexpr milliseconds kSilence{1000};

// Takes every registration, and answers heartbeats when it is told to.
class SlowJobManager final : public JobManagerGateway {
 public:
  bool TryAnother() override {
    ++others_tried;
    return has_others;
  }
  void Register(const v1::RegisterTaskManagerRequest&,
                Answer<v1::RegisterTaskManagerResponse> done) override {
    v1::RegisterTaskManagerResponse response;
    response.set_leader_epoch(leader_epoch);
    response.set_registration(++registrations);
    response.set_heartbeat_interval_ms(kInterval.count());
    done(response);
  }
  void Attach(const v1::AttachRequest&, std::function<void()> ended) override {
    ended_ = std::move(ended);
  }
  void Detach() override { ended_(); }
  void Heartbeat(const v1::HeartbeatRequest&, milliseconds deadline,
                 Answer<v1::HeartbeatResponse> done) override {
    deadlines.push_back(deadline);
    answers.push_back(std::move(done));
  }
  void UpdateTasks(const v1::UpdateTasksRequest&, Answer<v1::UpdateTasksResponse>) override {}
  void ReportCheckpoint(const v1::ReportCheckpointRequest&,
                        Answer<v1::ReportCheckpointResponse>) override {}

  int64_t registrations = 0;
  int64_t leader_epoch = 1;
  int others_tried = 0;
  bool has_others = false;
  std::vector<milliseconds> deadlines;
  std::vector<Answer<v1::HeartbeatResponse>> answers;

 private:
  std::function<void()> ended_;
};

class JobManagerConnectionTest : public testing::Test {
 protected:
  JobManagerConnectionTest() {
    JobManagerCallbacks callbacks;
    callbacks.fill_registration = [](v1::RegisterTaskManagerRequest&) {};
    callbacks.fill_heartbeat = [](v1::HeartbeatRequest&) {};
    callbacks.on_registered = [](LeaderEpoch, bool) {};
    callbacks.on_stale = [this](const JobId& job, Attempt) { stale_.push_back(job.hex); };
    connection_ = std::make_shared<JobManagerConnection>(gateway_, &executor_, std::move(callbacks),
                                                         kSilence);
    connection_->Start({});
    executor_.RunAll();
  }

  SteppedExecutor executor_;
  std::shared_ptr<SlowJobManager> gateway_ = std::make_shared<SlowJobManager>();
  std::vector<std::string> stale_;
  std::shared_ptr<JobManagerConnection> connection_;
};

// Else one that is lost would be a silence of its whole deadline, and the TaskManager be lost.
TEST_F(JobManagerConnectionTest, HeartbeatsDoNotWaitForTheAnswersToThoseBefore) {
  ASSERT_EQ(gateway_->answers.size(), 1u);
  for (size_t beats = 2; beats < 10; ++beats) {
    executor_.Advance(kInterval);
    EXPECT_EQ(gateway_->answers.size(), beats);
  }
  EXPECT_THAT(gateway_->deadlines, Each(4 * kInterval));
}

TEST_F(JobManagerConnectionTest, ALateAnswerStillCountsUnlessItIsOfAFormerRegistration) {
  executor_.Advance(kInterval);
  v1::HeartbeatResponse stale;
  stale.add_stale()->set_job_id("old");
  gateway_->answers[0](stale);
  executor_.RunAll();
  EXPECT_THAT(stale_, testing::ElementsAre("old"));

  v1::HeartbeatResponse unknown;
  unknown.set_unknown(true);
  gateway_->answers[1](unknown);
  executor_.RunAll();
  EXPECT_EQ(gateway_->registrations, 2);
  gateway_->answers[0](unknown);
  executor_.RunAll();
  EXPECT_EQ(gateway_->registrations, 2);
}

// A process that ends waits for it: the JobManager has heard that it leaves.
TEST_F(JobManagerConnectionTest, AnAnnouncementIsFlushedOnceItIsAnswered) {
  EXPECT_TRUE(connection_->flushed());
  connection_->Announce();
  ASSERT_EQ(gateway_->answers.size(), 2u);
  gateway_->answers[0](v1::HeartbeatResponse());  // that was under way
  executor_.RunAll();
  EXPECT_FALSE(connection_->flushed());
  gateway_->answers[1](v1::HeartbeatResponse());
  executor_.RunAll();
  EXPECT_TRUE(connection_->flushed());
}

TEST_F(JobManagerConnectionTest, ToldWhetherAnAttemptIsStillWanted) {
  std::vector<std::string> told;
  const auto ask = [&] {
    connection_->AskIfWanted(JobId{"job"}, Attempt{3}, [&](const Result<bool>& wanted) {
      told.push_back(wanted ? (*wanted ? "yes" : "no") : wanted.error().message);
    });
    return gateway_->answers.back();
  };
  v1::HeartbeatResponse response;
  v1::ExecutionId* stale = response.add_stale();
  stale->set_job_id("job");
  stale->set_attempt(2);
  ask()(response);
  executor_.RunAll();
  stale->set_attempt(3);
  ask()(response);
  executor_.RunAll();
  ask()(TransientError("no answer"));
  executor_.RunAll();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0], "yes");
  EXPECT_EQ(told[1], "no");
  EXPECT_THAT(told[2], testing::HasSubstr("not known: no answer"));
  gateway_->Detach();
  executor_.RunAll();
  told.clear();
  response.clear_stale();
  response.set_unknown(true);
  ask()(response);
  executor_.RunAll();
  EXPECT_THAT(told, testing::ElementsAre(testing::HasSubstr("does not know this TaskManager")));
}

// Its process may be stopped: then its connections stay open.
TEST_F(JobManagerConnectionTest, ASilentJobManagerIsLeftForAnotherOne) {
  gateway_->has_others = true;
  executor_.Advance(kSilence - kInterval);
  EXPECT_EQ(gateway_->registrations, 1);
  executor_.Advance(kInterval);
  EXPECT_EQ(gateway_->others_tried, 1);
  EXPECT_EQ(gateway_->registrations, 2);
  executor_.Advance(kInterval);
  gateway_->answers.back()(v1::HeartbeatResponse());
  executor_.Advance(kSilence - kInterval);
  EXPECT_EQ(gateway_->registrations, 2);
}

TEST_F(JobManagerConnectionTest, TheOnlyJobManagerMayBeSilent) {
  executor_.Advance(10 * kSilence);
  EXPECT_EQ(gateway_->registrations, 1);
}

// It was stopped for a while, and does not know that it leads no longer.
TEST_F(JobManagerConnectionTest, AFormerLeaderIsNotRegisteredAt) {
  gateway_->leader_epoch = 2;
  gateway_->Detach();
  executor_.RunAll();
  ASSERT_EQ(connection_->leader_epoch(), LeaderEpoch{2});
  gateway_->leader_epoch = 1;
  gateway_->Detach();
  executor_.RunAll();
  EXPECT_FALSE(connection_->registered());
  EXPECT_EQ(gateway_->others_tried, 1);
  gateway_->leader_epoch = 3;
  executor_.Advance(milliseconds(1000));
  EXPECT_EQ(connection_->leader_epoch(), LeaderEpoch{3});
}

}  // namespace
}  // namespace watershed
