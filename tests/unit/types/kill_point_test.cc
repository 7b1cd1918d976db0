#include "runtime/types/kill_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#ifdef WATERSHED_INJECTION_POINTS

namespace watershed {
namespace {

// In a child process, which reads the variable when it first passes a point.
void PassAll(const char* appointment) {
  setenv("WATERSHED_KILL_AT", appointment, 1);
  Pass(KillPoint::kCommitHasWritten);
  Pass(KillPoint::kCommitIsDone);
  Pass(KillPoint::kCommitHasWritten);
  std::_Exit(7);
}

TEST(KillPointTest, EndsTheProcessAtThatPassOfThatPoint) {
  EXPECT_EXIT(PassAll("commit.written"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(PassAll("commit.written:2"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(PassAll("commit.written:3"), testing::ExitedWithCode(7), "");
  EXPECT_EXIT(PassAll("commit.confirms"), testing::ExitedWithCode(7), "");
  EXPECT_EXIT(PassAll(""), testing::ExitedWithCode(7), "");
}

TEST(KillPointTest, AnUnknownNameIsNotPassedOver) {
  EXPECT_EXIT(PassAll("commit.writen"), testing::KilledBySignal(SIGABRT), "commit.writen");
}

}  // namespace
}  // namespace watershed

#endif
