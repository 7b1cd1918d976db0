// Simulates seeds one after the other; prints those that fail and ends with 1 then.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>

#include "runtime/logging/log.h"
#include "tests/sim/planted_bugs.h"
#include "tests/sim/simulation.h"

namespace watershed::sim {
namespace {

std::vector<std::string> BugNames() {
  std::vector<std::string> names;
  for (const NamedBug& planted : kPlantedBugs) names.emplace_back(planted.name);
  return names;
}

int Main(int argc, char** argv) {
  CLI::App app("Simulates whole clusters from seeds");
  uint64_t seeds = 1000;
  uint64_t from = 1;
  bool verbose = false;
  app.add_option("--seeds", seeds, "How many");
  app.add_option("--from", from, "The first");
  std::string bug;
  app.add_option("--bug", bug, "Planted: it must be found")->check(CLI::IsMember(BugNames()));
  app.add_flag("--verbose", verbose, "Says what happens, with the logs of all processes");
  CLI11_PARSE(app, argc, argv);
  LogSettings log{.level = verbose ? LogLevel::kDebug : kNoLogs};
  InitializeLogging(log);
  for (const NamedBug& planted : kPlantedBugs) {
    if (planted.name == bug && !Plant(planted.bug)) {
      fmt::print(stderr, "this build has no planted bugs: use preset dev\n");
      return 2;
    }
  }
  const auto began = std::chrono::steady_clock::now();
  int64_t failed = 0;
  Totals totals;
  for (uint64_t seed = from; seed < from + seeds; ++seed) {
    const Scenario scenario = MakeScenario(seed);
    const Outcome outcome = Simulate(scenario, verbose);
    totals.Add(outcome);
    if (verbose || !outcome.ok()) {
      fmt::print("{}\n{}\n", scenario.Describe(), outcome.Describe());
      std::fflush(stdout);
    }
    failed += !outcome.ok();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} seeds from {} in {:.1f} s, {} failed; {}\n", seeds, from, took.count(), failed,
             totals.Describe());
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace watershed::sim

int main(int argc, char** argv) { return watershed::sim::Main(argc, argv); }
