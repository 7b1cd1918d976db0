#include "tests/sim/simulation.h"

#include <gtest/gtest.h>

#include "runtime/logging/log.h"

namespace watershed::sim {
namespace {

class SimulationTest : public testing::Test {
 protected:
  SimulationTest() { InitializeLogging({.level = kNoLogs}); }

  static void ExpectGreen(Scenario (*make)(uint64_t seed), uint64_t seeds) {
    Totals totals;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      const Scenario scenario = make(seed);
      const Outcome outcome = Simulate(scenario);
      totals.Add(outcome);
      EXPECT_TRUE(outcome.ok()) << scenario.Describe() << "\n" << outcome.Describe();
    }
    RecordProperty("totals", totals.Describe());
  }
};

TEST_F(SimulationTest, AThousandSeedsGiveWhatTheirRowsMustGive) { ExpectGreen(MakeScenario, 1000); }

TEST_F(SimulationTest, RowsAroundTheWatermarkAreCountedOrLateAsTheyMust) {
  ExpectGreen(MakeWatermarkScenario, 300);
}

// For as long as scenarios are drawn as they were then.
TEST_F(SimulationTest, SeedsThatHaveFoundAMistakeAreGreen) {
  // A JobManager that went round for ever: two TaskManagers lost during a restart of regions.
  for (const uint64_t seed : {1772}) {
    const Outcome outcome = Simulate(seed);
    EXPECT_TRUE(outcome.ok()) << outcome.Describe();
  }
}

TEST_F(SimulationTest, TheSameSeedIsTheSameRun) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(Simulate(seed).trace, Simulate(seed).trace) << "seed " << seed;
  }
}

}  // namespace
}  // namespace watershed::sim
