// The definitions of the metrics are well formed, and docs/metrics.md is what they say.
#include "runtime/metrics/reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "runtime/metrics/definition.h"

namespace watershed {
namespace {

TEST(MetricReferenceTest, ThePageIsMadeFromTheDefinitions) {
  std::ifstream file(REFERENCE_PAGE);
  ASSERT_TRUE(file) << REFERENCE_PAGE;
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), MetricsPage())
      << "write it anew: build/dev/bin/metric_reference > docs/metrics.md";
}

TEST(MetricReferenceTest, EachMetricIsDefinedOnceAndWhole) {
  std::set<std::string_view> names;
  for (const MetricDefinition& metric : AllMetrics()) {
    SCOPED_TRACE(metric.name);
    EXPECT_TRUE(names.insert(metric.name).second);
    const bool of_job_manager =
        metric.scope == MetricScope::kJobManager || metric.scope == MetricScope::kJob;
    EXPECT_TRUE(
        metric.name.starts_with("watershed_") ||
        metric.name.starts_with(of_job_manager ? "flink_jobmanager_" : "flink_taskmanager_"));
    EXPECT_FALSE(metric.unit.empty());
    EXPECT_FALSE(metric.meaning.empty());
    EXPECT_NE(metric.meaning.back(), '.');
    EXPECT_EQ(FindMetric(metric.name), &metric);
  }
  EXPECT_GT(names.size(), 80U);
  EXPECT_EQ(FindMetric("flink_jobmanager_numRegistered"), nullptr);
}

}  // namespace
}  // namespace watershed
