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

// Takes every registration, and answers heartbeats when it is told to.
class SlowJobManager final : public JobManagerGateway {
 public:
  void Register(const v1::RegisterTaskManagerRequest&,
                Answer<v1::RegisterTaskManagerResponse> done) override {
    v1::RegisterTaskManagerResponse response;
    response.set_leader_epoch(1);
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
    connection_ = std::make_shared<JobManagerConnection>("JobManager", gateway_, &executor_,
                                                         std::move(callbacks));
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

}  // namespace
}  // namespace watershed
