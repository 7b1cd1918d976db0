#include "runtime/metrics/definition.h"

#include <algorithm>
#include <array>

#include "runtime/metrics/names.h"

namespace watershed {
namespace {

using namespace metric_names;  // NOLINT(google-build-using-namespace)

constexpr std::array kJobManagerLabels = {kHost};
constexpr std::array kJobLabels = {kHost, kJobId, kJobName};
// Each of a TaskManager's scopes has the labels of those around it and some of its own.
constexpr std::array kPartitionLabels = {kTaskManagerId, kHost,         kJobId,        kJobName,
                                         kTaskId,        kTaskName,     kSubtaskIndex, kTaskAttempt,
                                         kOperatorId,    kOperatorName, kTopic,        kPartition};
constexpr size_t kOfTaskManager = 2;
constexpr size_t kOfTask = 8;
constexpr size_t kOfOperator = 10;
constexpr std::array kMemoryShareLabels = {kTaskManagerId, kHost, kMemoryShare};

std::vector<MetricDefinition>& Entered() {
  static std::vector<MetricDefinition> entered;
  return entered;
}

}  // namespace

Metric::Metric(const MetricDefinition& definition) : name_(definition.name) {
  Entered().push_back(definition);
}

const std::vector<MetricDefinition>& AllMetrics() { return Entered(); }

const MetricDefinition* FindMetric(std::string_view name) {
  const auto& all = Entered();
  const auto found = std::find_if(all.begin(), all.end(), [name](const MetricDefinition& metric) {
    return metric.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

std::span<const std::string_view> LabelsOf(MetricScope scope) {
  const std::span<const std::string_view> labels(kPartitionLabels);
  switch (scope) {
    case MetricScope::kJobManager:
      return kJobManagerLabels;
    case MetricScope::kJob:
      return kJobLabels;
    case MetricScope::kTaskManager:
      return labels.first(kOfTaskManager);
    case MetricScope::kMemoryShare:
      return kMemoryShareLabels;
    case MetricScope::kTask:
      return labels.first(kOfTask);
    case MetricScope::kOperator:
      return labels.first(kOfOperator);
    case MetricScope::kPartition:
      return labels;
  }
  return {};
}

}  // namespace watershed
