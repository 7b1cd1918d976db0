#include "runtime/engine/split_watermarks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using std::chrono::seconds;

SplitWatermarks Make(int splits, SplitWatermarks::Options options) {
  SplitWatermarks watermarks(options);
  for (int i = 0; i < splits; ++i) watermarks.AddSplit();
  return watermarks;
}

TEST(SplitWatermarks, IsTheNewestEventTimeLessTheDelayOfTheSlowestSplit) {
  auto watermarks = Make(2, {.delay_ms = 15});
  watermarks.OnRows(0, 100);
  EXPECT_EQ(watermarks.watermark_ms(), kMinWatermarkMs);
  watermarks.OnRows(1, 60);
  EXPECT_EQ(watermarks.watermark_ms(), 45);
  watermarks.OnRows(1, 50);  // out of order: nothing goes back
  EXPECT_EQ(watermarks.watermark_ms(), 45);
}

TEST(SplitWatermarks, DoesNotWrapAroundAtTheLeastEventTime) {
  auto watermarks = Make(1, {.delay_ms = 15});
  watermarks.OnRows(0, kMinWatermarkMs + 3);
  EXPECT_EQ(watermarks.watermark_ms(), kMinWatermarkMs);
}

TEST(SplitWatermarks, ASplitIsIdleOnlyWhenCaughtUpForTheTimeout) {
  auto watermarks = Make(2, {.idle_timeout = seconds(30)});
  watermarks.OnRows(0, 100);
  watermarks.OnRows(1, 10);
  watermarks.OnCaughtUp(1, true, seconds(100));
  watermarks.CheckIdleness(seconds(129));
  EXPECT_FALSE(watermarks.split_idle(1));
  watermarks.CheckIdleness(seconds(130));
  EXPECT_TRUE(watermarks.split_idle(1));
  EXPECT_EQ(watermarks.watermark_ms(), 100);
  watermarks.CheckIdleness(seconds(500));
  EXPECT_FALSE(watermarks.split_idle(0));  // silent, but not known to be at its end
}

TEST(SplitWatermarks, RowsEndIdlenessAndStopTheClock) {
  auto watermarks = Make(1, {.idle_timeout = seconds(30)});
  watermarks.OnCaughtUp(0, true, seconds(0));
  watermarks.CheckIdleness(seconds(30));
  EXPECT_TRUE(watermarks.idle());
  watermarks.OnRows(0, 5);
  EXPECT_FALSE(watermarks.idle());
  watermarks.CheckIdleness(seconds(100));
  EXPECT_FALSE(watermarks.idle());
}

TEST(SplitWatermarks, FallingBehindStopsTheClock) {
  auto watermarks = Make(1, {.idle_timeout = seconds(30)});
  watermarks.OnCaughtUp(0, true, seconds(0));
  watermarks.OnCaughtUp(0, false, seconds(20));
  watermarks.CheckIdleness(seconds(40));
  EXPECT_FALSE(watermarks.idle());
}

TEST(SplitWatermarks, BackpressureAndBrokerErrorsDelayIdleness) {
  auto watermarks = Make(1, {.idle_timeout = seconds(30)});
  watermarks.OnCaughtUp(0, true, seconds(0));
  watermarks.HoldIdleClocks(seconds(25));
  watermarks.CheckIdleness(seconds(54));
  EXPECT_FALSE(watermarks.idle());
  watermarks.CheckIdleness(seconds(55));
  EXPECT_TRUE(watermarks.idle());
}

TEST(SplitWatermarks, WithoutATimeoutNothingIsIdle) {
  auto watermarks = Make(1, {});
  watermarks.OnCaughtUp(0, true, seconds(0));
  watermarks.CheckIdleness(seconds(100'000));
  EXPECT_FALSE(watermarks.idle());
}

TEST(SplitWatermarks, ASubtaskWithoutSplitsIsIdle) { EXPECT_TRUE(Make(0, {}).idle()); }

TEST(SplitWatermarks, AFinishedSplitHoldsNobody) {
  auto watermarks = Make(2, {});
  watermarks.OnRows(0, 10);
  watermarks.OnRows(1, 99);
  watermarks.OnFinished(0);
  EXPECT_EQ(watermarks.watermark_ms(), 99);
}

TEST(SplitWatermarks, PausesWhatRunsTooFarAheadAndResumesIt) {
  auto watermarks = Make(3, {.max_drift_ms = 50});
  watermarks.OnRows(0, 100);
  watermarks.OnRows(1, 151);
  watermarks.OnRows(2, 150);
  auto changes = watermarks.CheckDrift();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].split, 1);
  EXPECT_TRUE(changes[0].pause);
  EXPECT_TRUE(watermarks.CheckDrift().empty());
  watermarks.OnRows(0, 120);
  changes = watermarks.CheckDrift();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].split, 1);
  EXPECT_FALSE(changes[0].pause);
}

TEST(SplitWatermarks, NeitherAnIdleNorAnUnreadSplitHoldsTheOthersBack) {
  auto watermarks = Make(3, {.idle_timeout = seconds(1), .max_drift_ms = 50});
  watermarks.OnRows(0, 10);
  watermarks.OnCaughtUp(0, true, seconds(0));
  watermarks.CheckIdleness(seconds(1));
  watermarks.OnRows(1, 1000);
  EXPECT_TRUE(watermarks.CheckDrift().empty());
}

TEST(SplitWatermarks, APausedSplitDoesNotBecomeIdle) {
  auto watermarks = Make(2, {.idle_timeout = seconds(1), .max_drift_ms = 50});
  watermarks.OnRows(0, 0);
  watermarks.OnRows(1, 1000);
  ASSERT_EQ(watermarks.CheckDrift().size(), 1u);
  watermarks.OnCaughtUp(1, true, seconds(0));
  watermarks.CheckIdleness(seconds(10));
  EXPECT_FALSE(watermarks.split_idle(1));
}

}  // namespace
}  // namespace watershed
