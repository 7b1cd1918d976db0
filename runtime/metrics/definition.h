// What an exported metric is: its name, which process and thing it is of, and so its labels, its
// unit and its meaning. Each is defined once, in names.h; the help text of a scrape and
// docs/metrics.md come from there.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace watershed {

// Of what there is one series each.
enum class MetricScope : uint8_t {
  kJobManager,
  kJob,  // the JobManager's, of a job that has not ended
  kTaskManager,
  kMemoryShare,  // of a TaskManager
  kTask,         // one attempt of one subtask of a vertex
  kOperator,     // within a task: an operator, a source or a sink
  kPartition,    // of a source that reads topics
};

enum class MetricKind : uint8_t {
  kTotal,  // grows from 0 while the thing it is of lives
  kNow,    // as it is now
};

struct MetricDefinition {
  std::string_view name;
  MetricScope scope;
  MetricKind kind;
  std::string_view unit;
  std::string_view meaning;  // a sentence without its full stop
  std::string_view of = {};  // which of its scope have it; empty: all
};

// Enters its definition into AllMetrics, for good. Stands for the name where metrics are
// registered.
class Metric {
 public:
  explicit Metric(const MetricDefinition& definition);
  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;
  operator std::string_view() const { return name_; }  // NOLINT(google-explicit-constructor)

 private:
  std::string_view name_;
};

// In the order of names.h.
const std::vector<MetricDefinition>& AllMetrics();
// Null: there is none of this name.
const MetricDefinition* FindMetric(std::string_view name);
// The names of the labels that each series of the scope has, no more and no fewer.
std::span<const std::string_view> LabelsOf(MetricScope scope);

}  // namespace watershed
