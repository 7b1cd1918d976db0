#include "runtime/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Shown(const MetricRegistry& registry) {
  std::vector<std::string> shown;
  for (const MetricSample& sample : registry.Collect()) {
    std::string text = sample.name;
    for (const auto& [name, value] : sample.labels) text += " " + name + "=" + value;
    shown.push_back(text + " " + std::to_string(static_cast<int64_t>(sample.value)));
  }
  return shown;
}

TEST(MetricsTest, SameNameAndLabelsAreOneMetric) {
  MetricRegistry registry;
  MetricGroup group(&registry, {{"job", "a"}});
  group.counter("in").Add(2);
  group.counter("in").AddShared(3);
  group.counter("in", {{"partition", "1"}}).Add(7);
  group.gauge("lag").Set(-4);
  EXPECT_THAT(Shown(registry), ElementsAre("in job=a 5", "in job=a partition=1 7", "lag job=a -4"));
}

TEST(MetricsTest, CallbacksAreComputedWhenScraped) {
  MetricRegistry registry;
  MetricGroup group(&registry, {});
  int64_t value = 1;
  group.callback("v", [&value] { return static_cast<double>(value); });
  value = 9;
  EXPECT_THAT(Shown(registry), ElementsAre("v 9"));
  group.callback("v", [] { return 3.0; });
  EXPECT_THAT(Shown(registry), ElementsAre("v 3"));
}

TEST(MetricsTest, MetricsLeaveWithTheirGroup) {
  MetricRegistry registry;
  {
    MetricGroup group(&registry, {});
    group.counter("in").Add(1);
    EXPECT_THAT(Shown(registry), ElementsAre("in 1"));
  }
  EXPECT_THAT(Shown(registry), IsEmpty());
}

TEST(MetricsTest, WorksWithoutRegistry) {
  MetricGroup group(nullptr, {});
  group.counter("in").Add(1);
  EXPECT_EQ(group.counter("in").value(), 1);
}

// For tsan above all: scraping while groups come, count and go.
TEST(MetricsTest, ScrapesWhileGroupsComeAndGo) {
  MetricRegistry registry;
  std::atomic<bool> stop{false};
  std::thread scraper([&] {
    while (!stop) registry.Collect();
  });
  for (int i = 0; i < 500; ++i) {
    int64_t local = i;
    MetricGroup group(&registry, {{"i", std::to_string(i)}});
    group.callback("c", [&local] { return static_cast<double>(local); });
    Counter& counter = group.counter("n");
    for (int j = 0; j < 100; ++j) counter.Add(1);
    EXPECT_EQ(counter.value(), 100);
  }
  stop = true;
  scraper.join();
}

}  // namespace
}  // namespace watershed
