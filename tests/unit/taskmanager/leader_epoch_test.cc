#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "taskmanager/task/task_manager_control.h"
#include "tests/unit/jobmanager/stepped_executor.h"

namespace watershed {
namespace {

using testing::HasSubstr;

class LeaderEpochTest : public testing::Test {
 protected:
  LeaderEpochTest()
      : tasks_({.executor = &executor_, .reaper = &executor_}),
        control_({.executor = &executor_, .tasks = &tasks_}) {}

  // What is said to a message of that leader; none of it runs here.
  std::string Ask(int64_t epoch) {
    v1::NotifyCheckpointRequest request;
    request.set_leader_epoch(epoch);
    request.set_job_id("job");
    return control_.NotifyCheckpoint(request).error().message;
  }

  SteppedExecutor executor_;
  TaskExecutor tasks_;
  TaskManagerControl control_;
};

TEST_F(LeaderEpochTest, OfLeadersWithALogTheHighestIsObeyed) {
  control_.OnRegistered(LeaderEpoch{7}, /*without_log=*/false);
  control_.OnRegistered(LeaderEpoch{5}, /*without_log=*/false);
  EXPECT_THAT(Ask(5), HasSubstr("leader epoch 5 is stale: it is 7"));
  EXPECT_THAT(Ask(7), HasSubstr("does not run here"));
}

// Its epoch is of the wall clock, which has been set back since the JobManager before began.
TEST_F(LeaderEpochTest, OneWithoutALogIsObeyedWhateverWasBefore) {
  control_.OnRegistered(LeaderEpoch{7}, /*without_log=*/true);
  control_.OnRegistered(LeaderEpoch{5}, /*without_log=*/true);
  EXPECT_THAT(Ask(5), HasSubstr("does not run here"));
  EXPECT_THAT(Ask(4), HasSubstr("stale"));
}

}  // namespace
}  // namespace watershed
