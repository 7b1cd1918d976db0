#include "tests/sim/planted_bugs.h"

#include <gtest/gtest.h>

#include "tests/sim/simulation.h"

namespace watershed::sim {
namespace {

// Not by the luck of one seed.
constexpr int kFinds = 3;
// Far above what any of them needs.
constexpr uint64_t kMostSeeds = 600;

class PlantedBugTest : public testing::TestWithParam<NamedBug> {
 protected:
  PlantedBugTest() { InitializeLogging({.level = kNoLogs}); }
  static Outcome With(PlantedBug bug, uint64_t seed) {
    EXPECT_TRUE(Plant(bug));
    Outcome outcome = Simulate(seed);
    Plant(PlantedBug::kNone);
    return outcome;
  }
};

TEST_P(PlantedBugTest, IsFoundByItsOracleAndTheSeedIsGreenWithoutIt) {
  const NamedBug& planted = GetParam();
  std::string seeds;
  int finds = 0;
  for (uint64_t seed = 1; seed <= kMostSeeds && finds < kFinds; ++seed) {
    const Outcome found = With(planted.bug, seed);
    if (!found.Found(std::string(planted.oracle))) continue;
    ++finds;
    seeds += fmt::format(" {}", seed);
    EXPECT_EQ(With(planted.bug, seed).trace, found.trace) << "it does not reproduce";
    const Outcome without = Simulate(seed);
    EXPECT_TRUE(without.ok()) << without.Describe();
  }
  RecordProperty("seeds", seeds);
  EXPECT_EQ(finds, kFinds) << planted.oracle << " saw it in seeds" << seeds << " of " << kMostSeeds;
}

INSTANTIATE_TEST_SUITE_P(All, PlantedBugTest, testing::ValuesIn(kPlantedBugs),
                         [](const auto& info) {
                           std::string name(info.param.name);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace watershed::sim
