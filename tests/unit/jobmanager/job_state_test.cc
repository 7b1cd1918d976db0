#include "jobmanager/job/job_state.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "runtime/status/job_status.h"

namespace watershed {
namespace {

// Written out by hand from Flink's JobStatus, not derived from the table under test.
const std::set<std::pair<v1::JobState, v1::JobState>> kLegal = {
    {v1::CREATED, v1::RUNNING},       {v1::CREATED, v1::FAILING},
    {v1::CREATED, v1::CANCELLING},    {v1::CREATED, v1::SUSPENDED},
    {v1::RUNNING, v1::FINISHED},      {v1::RUNNING, v1::FAILING},
    {v1::RUNNING, v1::CANCELLING},    {v1::RUNNING, v1::RESTARTING},
    {v1::RUNNING, v1::SUSPENDED},     {v1::FAILING, v1::FAILED},
    {v1::FAILING, v1::CANCELLING},    {v1::FAILING, v1::RESTARTING},
    {v1::FAILING, v1::SUSPENDED},     {v1::CANCELLING, v1::CANCELED},
    {v1::CANCELLING, v1::FAILING},    {v1::CANCELLING, v1::SUSPENDED},
    {v1::RESTARTING, v1::CREATED},    {v1::RESTARTING, v1::RUNNING},
    {v1::RESTARTING, v1::FAILING},    {v1::RESTARTING, v1::CANCELLING},
    {v1::RESTARTING, v1::SUSPENDED},  {v1::SUSPENDED, v1::RECONCILING},
    {v1::RECONCILING, v1::CREATED},   {v1::RECONCILING, v1::RUNNING},
    {v1::RECONCILING, v1::FAILING},   {v1::RECONCILING, v1::CANCELLING},
    {v1::RECONCILING, v1::SUSPENDED},
};

TEST(JobStateTest, EveryPairIsLegalExactlyWhenTheTableSaysSo) {
  for (int from = v1::CREATED; from <= v1::JobState_MAX; ++from) {
    for (int to = v1::CREATED; to <= v1::JobState_MAX; ++to) {
      const std::pair pair(static_cast<v1::JobState>(from), static_cast<v1::JobState>(to));
      EXPECT_EQ(CanTransition(pair.first, pair.second), kLegal.contains(pair))
          << NameOf(pair.first) << " -> " << NameOf(pair.second);
    }
  }
}

TEST(JobStateTest, AnIllegalTransitionIsAnErrorAndChangesNothing) {
  JobStateMachine machine(100);
  ASSERT_TRUE(machine.Enter(v1::RUNNING, 200));
  ASSERT_TRUE(machine.Enter(v1::FINISHED, 300));
  const Status again = machine.Enter(v1::RUNNING, 400);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().domain, ErrorDomain::kInternal);
  EXPECT_EQ(again.error().message, "a job cannot go from FINISHED to RUNNING");
  EXPECT_EQ(machine.state(), v1::FINISHED);
  EXPECT_EQ(machine.entered_ms(v1::CREATED), 100);
  EXPECT_EQ(machine.entered_ms(v1::RUNNING), 200);
  EXPECT_EQ(machine.entered_ms(v1::FAILED), -1);
}

}  // namespace
}  // namespace watershed
