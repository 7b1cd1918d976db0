// One seed from its beginning to its end: the job is submitted, what is planned goes wrong, and
// what came of it is judged by the oracles.
//
// Oracles: rows-lost, rows-invented, rows-repeated, window-missing, window-too-low,
// window-too-high, window-invented, late (results); restore, stale-attempt, stale-leader,
// lost-too-early, lost-too-late, checkpoint-duration, stop-forgotten, stop-outcome, savepoint-lost,
// savepoint-unusable, fenced-writer, committed-early, durable-lost (protocol); stuck, job-failed
// (progress); checkpoints, faults (the seed did what it is for).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/logging/log.h"
#include "tests/sim/observer.h"
#include "tests/sim/scenario.h"

namespace watershed::sim {

struct Outcome {
  uint64_t seed = 0;
  std::vector<Violation> violations;
  uint64_t trace = 0;  // the same for the same seed
  int64_t checkpoints = 0;
  int64_t faults = 0;
  int64_t kills = 0;
  std::map<std::string, int64_t> by_kind;   // of faults
  std::map<std::string, int64_t> features;  // of rows that were drawn around the watermark
  bool fell_back = false;  // to an older checkpoint than the newest, which was damaged
  int64_t stops = 0;       // with a savepoint, completed
  int64_t failed_stops = 0;
  bool gave_up = false;  // all checkpoints were
  int64_t attempts = 0;
  int64_t resized = 0;          // attempts in another number of slots than the one before
  int64_t region_restarts = 0;  // of some, while the job's others ran
  int64_t restores = 0;         // distinct checkpoints that an attempt began with
  int64_t refused = 0;          // stale messages
  int64_t refused_commits = 0;  // of zombies, by the target
  int64_t events = 0;
  int64_t virtual_ms = 0;

  bool ok() const { return violations.empty(); }
  bool Found(const std::string& oracle) const;
  std::string Describe() const;
};

// Sums over seeds.
struct Totals {
  int64_t seeds = 0, checkpoints = 0, faults = 0, kills = 0, attempts = 0, resized = 0,
          region_restarts = 0, region_seeds = 0, restored_seeds = 0, refused = 0,
          refused_commits = 0, events = 0, fell_back = 0, gave_up = 0, stops = 0, failed_stops = 0;
  std::map<std::string, int64_t> by_kind;
  struct Feature {
    int64_t seeds = 0, count = 0;
  };
  std::map<std::string, Feature> by_feature;
  void Add(const Outcome& outcome);
  std::string Describe() const;
};

// Above every level: what fails on purpose is not worth a line.
inline constexpr auto kNoLogs = static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1);

// Prints what happens when `verbose`.
Outcome Simulate(const Scenario& scenario, bool verbose = false);
inline Outcome Simulate(uint64_t seed, bool verbose = false) {
  return Simulate(MakeScenario(seed), verbose);
}

}  // namespace watershed::sim
