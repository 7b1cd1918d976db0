#include "runtime/metrics/reference.h"

#include <fmt/format.h>

#include <array>

#include "runtime/metrics/definition.h"

namespace watershed {
namespace {

constexpr const char* kBegin = R"(# Metrics
Made from the definitions in `runtime/metrics/names.h` by `build/dev/bin/metric_reference > docs/metrics.md`; a test compares
them.

Every JobManager and every TaskManager serves its metrics to Prometheus at `http://HOST:9249/metrics`
(`metrics.reporter.prom.port`, `metrics.reporter.prom.bind-host`). Names that begin with `flink_` are Flink's, with Flink's labels, so that
dashboards made for Flink show what they find; panels about the JVM and about network buffers stay empty.
Names that begin with `watershed_` are ours; a few that begin with `exposer_` are about the page itself. As Flink's reporter does it, every metric has the type gauge and no `_total`. The kind
below says which of them only grow: *total* begins with 0 and is lost with what it is of (a task's attempt, a process;
a job's totals outlive its JobManager), so `rate()` and `increase()` apply; *now* is a value of the moment.

A series is there as long as what it is of: a job's until the job has ended, a task's until its attempt has. Gauges of tasks are brought
up to date once a second.

)";

constexpr std::array kScopes = {MetricScope::kJobManager,  MetricScope::kJob,
                                MetricScope::kTaskManager, MetricScope::kMemoryShare,
                                MetricScope::kTask,        MetricScope::kOperator,
                                MetricScope::kPartition};

std::string_view Heading(MetricScope scope) {
  switch (scope) {
    case MetricScope::kJobManager:
      return "JobManager";
    case MetricScope::kJob:
      return "Jobs, from the JobManager";
    case MetricScope::kTaskManager:
      return "TaskManager";
    case MetricScope::kMemoryShare:
      return "Shares of a TaskManager's memory";
    case MetricScope::kTask:
      return "Tasks, from their TaskManager: one attempt of one subtask of a vertex";
    case MetricScope::kOperator:
      return "Operators, sources and sinks, from the task's TaskManager";
    case MetricScope::kPartition:
      return "Partitions, from the TaskManager of the source's subtask that reads them";
  }
  return {};
}

void AppendScope(MetricScope scope, std::string& page) {
  page += fmt::format("## {}\nLabels:", Heading(scope));
  std::string_view separator = " ";
  for (const std::string_view label : LabelsOf(scope)) {
    page += fmt::format("{}`{}`", separator, label);
    separator = ", ";
  }
  page += ".\n\n| metric | kind | unit | meaning |\n| --- | --- | --- | --- |\n";
  for (const MetricDefinition& metric : AllMetrics()) {
    if (metric.scope != scope) continue;
    page += fmt::format("| `{}` | {} | {} | {}.{} |\n", metric.name,
                        metric.kind == MetricKind::kTotal ? "total" : "now", metric.unit,
                        metric.meaning, metric.of.empty() ? "" : fmt::format(" Of {}.", metric.of));
  }
}

}  // namespace

std::string MetricsPage() {
  std::string page = kBegin;
  for (const MetricScope scope : kScopes) {
    if (scope != kScopes.front()) page += '\n';
    AppendScope(scope, page);
  }
  return page;
}

}  // namespace watershed
