#include "runtime/engine/watermark_merger.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

using Change = WatermarkMerger::Change;

TEST(WatermarkMerger, TakesTheMinimumOnceEveryInputHasSpoken) {
  WatermarkMerger merger(2);
  EXPECT_EQ(merger.SetWatermark(0, 100), Change{});
  EXPECT_EQ(merger.SetWatermark(1, 50), (Change{.watermark = 50}));
  EXPECT_EQ(merger.SetWatermark(0, 200), Change{});
  EXPECT_EQ(merger.SetWatermark(1, 150), (Change{.watermark = 150}));
}

TEST(WatermarkMerger, NegativeTimesAreOrdinary) {
  WatermarkMerger merger(1);
  EXPECT_EQ(merger.SetWatermark(0, -5000), (Change{.watermark = -5000}));
  EXPECT_EQ(merger.SetWatermark(0, -1), (Change{.watermark = -1}));
}

TEST(WatermarkMerger, NeverGoesBack) {
  WatermarkMerger merger(2);
  merger.SetWatermark(0, 100);
  merger.SetWatermark(1, 100);
  EXPECT_EQ(merger.SetWatermark(0, 40), Change{});
  EXPECT_EQ(merger.watermark_ms(), 100);
  EXPECT_EQ(merger.input_watermark_ms(0), 100);
}

TEST(WatermarkMerger, AnIdleInputHoldsNobody) {
  WatermarkMerger merger(2);
  merger.SetWatermark(0, 100);
  EXPECT_EQ(merger.SetIdle(1, true), (Change{.watermark = 100}));
  EXPECT_EQ(merger.SetWatermark(0, 300), (Change{.watermark = 300}));
}

TEST(WatermarkMerger, AnInputThatWakesUpBehindHoldsTheWatermarkWithoutLoweringIt) {
  WatermarkMerger merger(2);
  merger.SetIdle(1, true);
  merger.SetWatermark(0, 300);
  EXPECT_EQ(merger.SetWatermark(1, 100), Change{});  // active again, behind
  EXPECT_EQ(merger.SetWatermark(0, 400), Change{});
  EXPECT_EQ(merger.watermark_ms(), 300);
  EXPECT_EQ(merger.SetWatermark(1, 350), (Change{.watermark = 350}));
}

TEST(WatermarkMerger, IsIdleWhenAllInputsAre) {
  WatermarkMerger merger(2);
  merger.SetWatermark(0, 10);
  merger.SetWatermark(1, 20);
  EXPECT_EQ(merger.SetIdle(0, true), (Change{.watermark = 20}));
  EXPECT_EQ(merger.SetIdle(1, true), (Change{.idle = true}));
  EXPECT_EQ(merger.watermark_ms(), 20);
  EXPECT_EQ(merger.SetIdle(1, false), (Change{.idle = false}));
}

TEST(WatermarkMerger, AnEndedInputHoldsNobody) {
  WatermarkMerger merger(2);
  merger.SetWatermark(0, 10);
  merger.SetWatermark(1, 500);
  EXPECT_EQ(merger.End(0), (Change{.watermark = 500}));
}

TEST(WatermarkMerger, WithOnlyIdleInputsLeftTheEndMakesItIdle) {
  WatermarkMerger merger(2);
  merger.SetIdle(1, true);
  merger.SetWatermark(0, 7);
  EXPECT_EQ(merger.End(0), (Change{.idle = true}));
}

TEST(WatermarkMerger, WhenAllHaveEndedNothingMoreIsSaid) {
  WatermarkMerger merger(1);
  merger.SetWatermark(0, 7);
  EXPECT_EQ(merger.End(0), Change{});
  EXPECT_EQ(merger.watermark_ms(), 7);  // not +∞: a stop without drain must fire no window
}

}  // namespace
}  // namespace watershed
