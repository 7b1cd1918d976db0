// When a job starts in fewer slots than it asks for, and when it takes more.
#include "jobmanager/scheduler/adaptive.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

using std::chrono::seconds;

constexpr AdaptiveSettings kAdaptive{.enabled = true,
                                     .wait = seconds(100),
                                     .stabilization = seconds(10),
                                     .cooldown = seconds(30),
                                     .growth_stabilization = seconds(60)};

TEST(DecideStartTest, AllThatItWantsAreTakenAtOnce) {
  EXPECT_EQ(DecideStart(kAdaptive, {.wanted = 4, .free = 4}).slots, 4);
  EXPECT_EQ(DecideStart(kAdaptive, {.wanted = 4, .free = 9}).slots, 4);
  EXPECT_EQ(DecideStart({}, {.wanted = 4, .free = 9}).slots, 4);
}

TEST(DecideStartTest, TheDefaultWaitsForAllForEver) {
  const StartDecision decision = DecideStart({}, {.wanted = 4, .free = 3, .now = seconds(10'000)});
  EXPECT_EQ(decision.slots, 0);
  EXPECT_FALSE(decision.look_again_at);
}

TEST(DecideStartTest, FewerAreTakenOnceTheyHaveBeenThereForAWhile) {
  StartFacts facts{.wanted = 4,
                   .free = 3,
                   .now = seconds(39),
                   .waits_since = seconds(0),
                   .some_since = seconds(30)};
  EXPECT_EQ(DecideStart(kAdaptive, facts).slots, 0);
  EXPECT_EQ(DecideStart(kAdaptive, facts).look_again_at, seconds(40));
  facts.now = seconds(40);
  EXPECT_EQ(DecideStart(kAdaptive, facts).slots, 3);
}

TEST(DecideStartTest, AfterTheWaitTheyAreTakenSooner) {
  StartFacts facts{.wanted = 4,
                   .free = 1,
                   .now = seconds(96),
                   .waits_since = seconds(0),
                   .some_since = seconds(95)};
  EXPECT_EQ(DecideStart(kAdaptive, facts).look_again_at, seconds(100));
  facts.now = seconds(100);
  EXPECT_EQ(DecideStart(kAdaptive, facts).slots, 1);
}

TEST(DecideStartTest, TheFirstSlotMayComeAfterTheWaitAndIsNotAloneForThat) {
  StartFacts facts{.wanted = 4, .free = 0, .now = seconds(1000), .waits_since = seconds(0)};
  EXPECT_EQ(DecideStart(kAdaptive, facts).slots, 0);
  EXPECT_FALSE(DecideStart(kAdaptive, facts).look_again_at);
  facts.free = 1;
  facts.some_since = facts.now;
  EXPECT_EQ(DecideStart(kAdaptive, facts).slots, 0);
  EXPECT_EQ(DecideStart(kAdaptive, facts).look_again_at, seconds(1010));
}

TEST(DecideStartTest, AJobThatMovesOntoMoreSlotsDoesNotWaitAgain) {
  const StartFacts facts{.wanted = 4, .free = 3, .has_waited = true};
  EXPECT_EQ(DecideStart(kAdaptive, facts).slots, 3);
  EXPECT_EQ(DecideStart(kAdaptive, {.wanted = 4, .free = 0, .has_waited = true}).slots, 0);
}

TEST(DecideGrowthTest, ItGrowsToAllThatItWantsOnceItHasRunForAWhile) {
  GrowthFacts facts{.wanted = 4,
                    .held = 2,
                    .free = 2,
                    .now = seconds(129),
                    .runs_since = seconds(100),
                    .more_since = seconds(129)};
  EXPECT_FALSE(DecideGrowth(kAdaptive, facts).grow);
  EXPECT_EQ(DecideGrowth(kAdaptive, facts).look_again_at, seconds(130));
  facts.now = seconds(130);
  EXPECT_TRUE(DecideGrowth(kAdaptive, facts).grow);
}

TEST(DecideGrowthTest, ForAPartOfThemItWaitsWhetherTheRestComes) {
  GrowthFacts facts{.wanted = 4,
                    .held = 2,
                    .free = 1,
                    .now = seconds(500),
                    .runs_since = seconds(100),
                    .more_since = seconds(450)};
  EXPECT_FALSE(DecideGrowth(kAdaptive, facts).grow);
  EXPECT_EQ(DecideGrowth(kAdaptive, facts).look_again_at, seconds(510));
  facts.now = seconds(510);
  EXPECT_TRUE(DecideGrowth(kAdaptive, facts).grow);
}

TEST(DecideGrowthTest, NothingToGrowToIsNothingToWaitFor) {
  for (const GrowthFacts& facts :
       {GrowthFacts{.wanted = 4, .held = 4, .free = 2, .now = seconds(500)},
        GrowthFacts{.wanted = 4, .held = 2, .free = 0, .now = seconds(500)}}) {
    EXPECT_FALSE(DecideGrowth(kAdaptive, facts).grow);
    EXPECT_FALSE(DecideGrowth(kAdaptive, facts).look_again_at);
  }
  EXPECT_FALSE(DecideGrowth({}, {.wanted = 4, .held = 2, .free = 2, .now = seconds(500)}).grow);
}

}  // namespace
}  // namespace watershed
