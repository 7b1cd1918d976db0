// What tasks answer about checkpoints reaches the JobManager, however often that takes.
#include "taskmanager/cluster/checkpoint_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/unit/jobmanager/stepped_executor.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

// Takes reports and answers when it is told to.
class SilentJobManager final : public JobManagerGateway {
 public:
  void Register(const v1::RegisterTaskManagerRequest&,
                Answer<v1::RegisterTaskManagerResponse>) override {}
  void Attach(const v1::AttachRequest&, std::function<void()>) override {}
  void Detach() override {}
  void Heartbeat(const v1::HeartbeatRequest&, milliseconds,
                 Answer<v1::HeartbeatResponse>) override {}
  void UpdateTasks(const v1::UpdateTasksRequest&, Answer<v1::UpdateTasksResponse>) override {}
  void ReportCheckpoint(const v1::ReportCheckpointRequest& request,
                        Answer<v1::ReportCheckpointResponse> done) override {
    told.push_back(request);
    answers.push_back(std::move(done));
  }

  std::vector<v1::ReportCheckpointRequest> told;
  std::vector<Answer<v1::ReportCheckpointResponse>> answers;
};

class CheckpointReportsTest : public testing::Test {
 protected:
  void Add(int64_t checkpoint) {
    v1::ReportCheckpointRequest report;
    report.set_checkpoint_id(checkpoint);
    reports_->Add(std::move(report));
  }
  // What has been told since the last call.
  std::vector<int64_t> Told() {
    std::vector<int64_t> checkpoints;
    for (; seen_ < gateway_->told.size(); ++seen_) {
      checkpoints.push_back(gateway_->told[seen_].checkpoint_id());
    }
    return checkpoints;
  }
  void Answer(size_t which, const Result<v1::ReportCheckpointResponse>& answer) {
    gateway_->answers[which](answer);
    executor_.RunAll();
  }

  SteppedExecutor executor_;
  std::shared_ptr<SilentJobManager> gateway_ = std::make_shared<SilentJobManager>();
  std::shared_ptr<CheckpointReports> reports_ =
      std::make_shared<CheckpointReports>(gateway_, &executor_);
  size_t seen_ = 0;
};

TEST_F(CheckpointReportsTest, OneThatIsLostIsToldAgainUntilItIsAnswered) {
  reports_->OnRegistered("a", LeaderEpoch{1});
  Add(7);
  EXPECT_THAT(Told(), ElementsAre(7));
  for (size_t lost = 0; lost < 5; ++lost) {
    Answer(lost, TransientError("no answer in time"));
    EXPECT_FALSE(reports_->empty());
    executor_.Advance(milliseconds(200));
    ASSERT_THAT(Told(), ElementsAre(7));
  }
  Answer(5, v1::ReportCheckpointResponse());
  EXPECT_TRUE(reports_->empty());
  executor_.Advance(milliseconds(10'000));
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(CheckpointReportsTest, ANewLeaderIsToldWhatTheOneBeforeDidNotAnswer) {
  Add(7);
  EXPECT_THAT(Told(), IsEmpty());  // nobody is there
  reports_->OnRegistered("a", LeaderEpoch{1});
  ASSERT_THAT(Told(), ElementsAre(7));
  reports_->OnDetached();
  Answer(0, TransientError("the connection broke"));
  executor_.Advance(milliseconds(10'000));
  EXPECT_THAT(Told(), IsEmpty());
  Add(8);
  reports_->OnRegistered("a", LeaderEpoch{2});
  EXPECT_THAT(Told(), ElementsAre(7, 8));
  EXPECT_EQ(gateway_->told.back().leader_epoch(), 2);
}

TEST_F(CheckpointReportsTest, OneThatIsRefusedForGoodIsDropped) {
  reports_->OnRegistered("a", LeaderEpoch{1});
  Add(7);
  Answer(0, InternalError("attempt 1 is not current"));
  EXPECT_TRUE(reports_->empty());
  executor_.Advance(milliseconds(10'000));
  EXPECT_THAT(Told(), ElementsAre(7));
}

}  // namespace
}  // namespace watershed
