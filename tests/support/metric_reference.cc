// Prints docs/metrics.md or, with --json, what the end-to-end test of the metrics compares a scrape
// with: [{"name": …, "process": …, "labels": […], "kind": "total"|"now"}].
#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "runtime/metrics/definition.h"
#include "runtime/metrics/reference.h"

namespace {

std::string Definitions() {
  nlohmann::json all = nlohmann::json::array();
  for (const watershed::MetricDefinition& metric : watershed::AllMetrics()) {
    const bool of_job_manager = metric.scope == watershed::MetricScope::kJobManager ||
                                metric.scope == watershed::MetricScope::kJob;
    all.push_back({{"name", metric.name},
                   {"process", of_job_manager ? "jobmanager" : "taskmanager"},
                   {"labels", watershed::LabelsOf(metric.scope)},
                   {"kind", metric.kind == watershed::MetricKind::kTotal ? "total" : "now"}});
  }
  return all.dump() + "\n";
}

}  // namespace

int main(int argc, char** argv) {
  const bool as_json = argc > 1 && std::string_view(argv[1]) == "--json";
  fmt::print("{}", as_json ? Definitions() : watershed::MetricsPage());
  return 0;
}
