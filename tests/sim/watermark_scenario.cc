#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/job_text.h"
#include "tests/sim/scenario.h"

namespace watershed::sim {
namespace {

// Between the phases and within them.
Fault MakeKill(Random& random, const Scenario& scenario) {
  Fault fault{.kind = FaultKind::kKillTaskManager};
  fault.at = random.Between(milliseconds(0), milliseconds(300));
  fault.after_checkpoints = static_cast<int>(random.Between(1, 12));
  fault.target = static_cast<int>(random.Below(scenario.cluster.task_managers));
  return fault;
}

}  // namespace

Scenario MakeWatermarkScenario(uint64_t seed) {
  Scenario scenario = MakeScenario(seed);
  Random random(seed * 2);
  scenario.pipelines.resize(1);
  scenario.stops = 0;
  scenario.drains = false;
  // An older checkpoint than the newest would undo what the rows were drawn for.
  std::erase_if(scenario.faults, [](const Fault& fault) { return Damages(fault.kind); });
  for (int64_t kills = random.Between(1, 3); kills > 0; --kills) {
    scenario.faults.push_back(MakeKill(random, scenario));
  }
  while (std::ssize(scenario.faults) < kLeastFaults + 1) {
    scenario.faults.push_back(MakeKill(random, scenario));
  }
  if (scenario.second_parallelism == 0 && random.Chance(300)) {
    const int slots = scenario.cluster.task_managers * scenario.cluster.slots;
    scenario.second_parallelism = static_cast<int>(random.Between(1, std::min(4, slots)));
  }
  scenario.sessions = random.Chance(700);
  WatermarkSettings settings;
  settings.delay_ms = random.Between(int64_t{1}, 3 * scenario.window_ms);
  if (random.Chance(700)) settings.idle_timeout_ms = random.Between(20, 200);
  settings.skew_ms = random.Pick<int64_t>(
      {0, 5 * scenario.window_ms, 3'600'000, 3'600'000, random.Between(1, 3'600'000)});
  settings.begins_later = random.Chance(350);
  settings.late_to_side_output = random.Chance(700);
  settings.phases = static_cast<int>(random.Between(5, 9));
  scenario.watermarks = settings;
  scenario.splits.clear();
  const int64_t splits = random.Between(2, 6);
  for (int64_t i = 0; i < splits; ++i) scenario.splits[fmt::format("events-{}", i)];
  scenario.job = TextOf(
      {.interval_ms = random.Between(60, 250),
       .delay_ms = settings.delay_ms,
       .watermark_options = settings.idle_timeout_ms > 0
                                ? fmt::format(", idle-timeout: {}ms", settings.idle_timeout_ms)
                                : "",
       .late_to_side_output = settings.late_to_side_output},
      scenario);
  return scenario;
}

}  // namespace watershed::sim
