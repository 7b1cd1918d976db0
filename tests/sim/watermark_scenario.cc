#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/scenario.h"

namespace watershed::sim {
namespace {

std::string JobFile(const Scenario& scenario, const char* restarts, int64_t interval_ms) {
  const WatermarkSettings& settings = *scenario.watermarks;
  const std::string idle = settings.idle_timeout_ms > 0
                               ? fmt::format(", idle-timeout: {}ms", settings.idle_timeout_ms)
                               : "";
  const std::string window =
      scenario.sessions ? fmt::format("type: session-window\n    gap: {}ms", scenario.window_ms)
                        : fmt::format("type: tumbling-window\n    size: {}ms", scenario.window_ms);
  std::string job = fmt::format(
      R"(kind: Job
name: watermarks
checkpointing: {{ interval: {}ms }}
restart-strategy: {}
sources:
  events:
    connector: kafka
    topic: events
    properties.bootstrap.servers: nowhere
    scan.startup.mode: earliest-offset
    format: json
    columns: {}
    watermark: {{ column: time, delay: {}ms{} }}
operators:
  windows:
    input: events
    {}
    key: [key]
    aggregate: {{ n: count(*), total: sum(value) }}{}
sinks:
  results: {{ input: windows, connector: blackhole }}
  rows: {{ input: events, connector: blackhole }}
)",
      interval_ms, restarts, kColumns, settings.delay_ms, idle, window,
      settings.late_to_side_output ? "\n    late: { to: late_rows }" : "");
  if (settings.late_to_side_output) {
    job += "  late: { input: late_rows, connector: blackhole }\n";
  }
  return job;
}

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
  scenario.job = JobFile(scenario, "{ type: fixed-delay, attempts: 1000000, delay: 50ms }",
                         random.Between(60, 250));
  return scenario;
}

}  // namespace watershed::sim
