// Simulates seeds one after the other; prints those that fail and ends with 1 then. With a planted
// bug each seed runs with it and without it: what the bug changed, and which oracle saw it.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/logging/log.h"
#include "tests/sim/planted_bugs.h"
#include "tests/sim/simulation.h"

namespace watershed::sim {
namespace {

std::vector<std::string> BugNames() {
  std::vector<std::string> names;
  names.reserve(kPlantedBugs.size());
  for (const NamedBug& planted : kPlantedBugs) names.emplace_back(planted.name);
  return names;
}

// What a planted bug did to the seeds.
class BugFigures {
 public:
  explicit BugFigures(const NamedBug& bug) : bug_(bug) {}

  void Add(uint64_t seed, bool verbose) {
    const Scenario scenario = MakeScenario(seed);
    const Outcome without = Simulate(scenario);
    Plant(bug_.bug);
    const Outcome with = Simulate(scenario, verbose);
    Plant(PlantedBug::kNone);
    if (!without.ok()) fmt::print("{}\n", without.Describe());
    if (verbose) fmt::print("{}\n{}\n", scenario.Describe(), with.Describe());
    ++seeds_;
    red_without_ += !without.ok();
    if (with.trace == without.trace) return;
    ++acted_;
    std::set<std::string> oracles;
    for (const Violation& violation : with.violations) oracles.insert(violation.oracle);
    for (const std::string& oracle : oracles) ++by_oracle_[oracle];
    unseen_ += oracles.empty();
    const bool is_found = with.Found(std::string(bug_.oracle));
    found_ += is_found;
    if (is_found && first_ == 0) first_ = seed;
  }
  // Whether it was found, and by nothing but itself.
  bool ok() const { return found_ > 0 && red_without_ == 0; }
  std::string Describe() const {
    std::string text = fmt::format(
        "{}: {} of {} seeds run otherwise with it; its oracle, {}, found it in {}, first in seed "
        "{}; {} gave right results all the same; {} failed without it; seeds by oracle:",
        bug_.name, acted_, seeds_, bug_.oracle, found_, first_, unseen_, red_without_);
    for (const auto& [oracle, count] : by_oracle_)
      text += fmt::format("\n  {:>8}  {}", count, oracle);
    return text;
  }

 private:
  const NamedBug bug_;
  int64_t seeds_ = 0, acted_ = 0, found_ = 0, unseen_ = 0, red_without_ = 0;
  uint64_t first_ = 0;
  std::map<std::string, int64_t> by_oracle_;
};

int Main(int argc, char** argv) {
  CLI::App app("Simulates whole clusters from seeds");
  uint64_t seeds = 1000;
  uint64_t from = 1;
  bool verbose = false;
  app.add_option("--seeds", seeds, "How many");
  app.add_option("--from", from, "The first");
  bool watermarks = false;
  app.add_flag("--watermarks", watermarks,
               "Rows are drawn around the watermark: idle partitions, skew, bridges, late rows");
  std::string bug;
  app.add_option("--bug", bug, "Planted: its oracle must find it")
      ->check(CLI::IsMember(BugNames()));
  app.add_flag("--verbose", verbose, "Says what happens, with the logs of all processes");
  CLI11_PARSE(app, argc, argv);
  LogSettings log{.level = verbose ? LogLevel::kDebug : kNoLogs};
  InitializeLogging(log);
  for (const NamedBug& planted : kPlantedBugs) {
    if (planted.name != bug) continue;
    if (!Plant(planted.bug)) {
      fmt::print(stderr, "this build has no planted bugs: use preset dev\n");
      return 2;
    }
    Plant(PlantedBug::kNone);
    BugFigures figures(planted);
    for (uint64_t seed = from; seed < from + seeds; ++seed) figures.Add(seed, verbose);
    fmt::print("{}\n", figures.Describe());
    return figures.ok() ? 0 : 1;
  }
  const auto make = watermarks ? MakeWatermarkScenario : MakeScenario;
  const auto began = std::chrono::steady_clock::now();
  int64_t failed = 0;
  Totals totals;
  for (uint64_t seed = from; seed < from + seeds; ++seed) {
    const Scenario scenario = make(seed);
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
