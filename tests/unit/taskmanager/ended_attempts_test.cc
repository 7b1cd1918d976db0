// Which attempts start here no more, in the notes of a TaskManager and in what it refuses.
#include "taskmanager/ended_attempts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "taskmanager/task/task_executor.h"
#include "tests/unit/jobmanager/stepped_executor.h"
#include "tests/unit/taskmanager/network_endpoint.h"

namespace watershed {
namespace {

using testing::HasSubstr;

const JobId kJob{"job"};

TEST(EndedAttemptsTest, OneThatHasEndedSaysNothingOfOthers) {
  EndedAttempts ended;
  ended.End(kJob, Attempt{5});
  EXPECT_TRUE(ended.Contains(kJob, Attempt{5}));
  EXPECT_FALSE(ended.Contains(kJob, Attempt{4}));
  EXPECT_FALSE(ended.Contains(kJob, Attempt{6}));
  EXPECT_FALSE(ended.Contains(JobId{"other"}, Attempt{5}));
}

TEST(EndedAttemptsTest, BelowTheOldestAllHave) {
  EndedAttempts ended;
  ended.End(kJob, Attempt{2});
  ended.End(kJob, Attempt{7});
  ended.EndBelow(kJob, Attempt{4});
  ended.EndBelow(kJob, Attempt{3});  // an older message
  for (const int attempt : {1, 2, 3, 7}) EXPECT_TRUE(ended.Contains(kJob, Attempt{attempt}));
  for (const int attempt : {4, 5, 6, 8}) EXPECT_FALSE(ended.Contains(kJob, Attempt{attempt}));
}

TEST(EndedAttemptsTest, OldOnesAreForgotten) {
  EndedAttempts ended;
  for (int attempt = 2; attempt < 5000; ++attempt) ended.End(kJob, Attempt{attempt});
  EXPECT_FALSE(ended.Contains(kJob, Attempt{2}));
  EXPECT_TRUE(ended.Contains(kJob, Attempt{4999}));
  for (int job = 0; job < 5000; ++job) ended.End(JobId{std::to_string(job)}, Attempt{1});
  EXPECT_FALSE(ended.Contains(kJob, Attempt{4999}));
  EXPECT_TRUE(ended.Contains(JobId{"4999"}, Attempt{1}));
}

class DeploymentTest : public testing::Test {
 protected:
  // Of no task: it is about what is refused.
  std::string Deploy(int attempt, int oldest) {
    v1::DeployTasksRequest request;
    request.set_job_id(kJob.hex);
    request.set_attempt(attempt);
    request.set_oldest_attempt(oldest);
    const Status deployed = tasks_.Deploy(request, {});
    return deployed ? "" : deployed.error().message;
  }

  SteppedExecutor executor_;
  NetworkEndpoint endpoint_{"a", 1000};
  TaskExecutor tasks_{
      {.executor = &executor_, .reaper = &executor_, .channels = &endpoint_.provider()}};
};

TEST_F(DeploymentTest, ACancelOfOneRegionDoesNotRefuseOlderOnes) {
  tasks_.Cancel(kJob, Attempt{3});
  EXPECT_THAT(Deploy(3, 1), HasSubstr("attempt 3 of job job has ended here"));
  EXPECT_EQ(Deploy(2, 1), "");
}

TEST_F(DeploymentTest, WhatIsBelowTheOldestIsRefused) {
  EXPECT_EQ(Deploy(4, 3), "");
  EXPECT_EQ(Deploy(3, 3), "");
  EXPECT_THAT(Deploy(2, 1), HasSubstr("has ended here"));
}

// As of a job of one region, or a JobManager of an earlier version.
TEST_F(DeploymentTest, WithoutAWordOfOthersAllBeforeAreRefused) {
  EXPECT_EQ(Deploy(4, 0), "");
  EXPECT_THAT(Deploy(3, 0), HasSubstr("has ended here"));
}

}  // namespace
}  // namespace watershed
