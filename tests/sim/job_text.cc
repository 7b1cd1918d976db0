#include "tests/sim/job_text.h"

#include <fmt/format.h>

#include "tests/sim/outside.h"

namespace watershed::sim {

std::string WindowText(const Scenario& scenario) {
  return scenario.sessions
             ? fmt::format("    type: session-window\n    gap: {}ms\n", scenario.window_ms)
             : fmt::format("    type: tumbling-window\n    size: {}ms\n", scenario.window_ms);
}

std::string TextOf(const JobText& job, const Scenario& scenario) {
  std::string text = fmt::format(
      R"(kind: Job
name: simulated
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
{}    key: [key]
    aggregate: {{ n: count(*), total: sum(value) }}
{}sinks:
  results: {{ input: windows, connector: blackhole }}
  rows: {{ input: events, connector: blackhole }}
)",
      job.interval_ms, job.restarts, kColumns, job.delay_ms, job.watermark_options,
      WindowText(scenario), job.late_to_side_output ? "    late: { to: late_rows }\n" : "");
  if (job.late_to_side_output) text += "  late: { input: late_rows, connector: blackhole }\n";
  return text;
}

}  // namespace watershed::sim
