#include "jobmanager/job/restart_strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

v1::JobGraph GraphWith(const std::string& type, std::map<std::string, std::string> options = {}) {
  v1::JobGraph graph;
  graph.mutable_restart_strategy()->set_type(type);
  for (const auto& [name, value] : options) {
    (*graph.mutable_restart_strategy()->mutable_options())[name] = value;
  }
  return graph;
}

RestartStrategy StrategyOf(const v1::JobGraph& graph) {
  return RestartStrategy(RestartSettingsOf(graph).value());
}

// Delays in milliseconds of the failures at these seconds; -1: no restart.
std::vector<int64_t> Delays(RestartStrategy strategy, const std::vector<int>& failures_s,
                            double jitter = 0) {
  std::vector<int64_t> delays;
  for (const int at : failures_s) {
    const RestartDecision decision = strategy.OnFailure(seconds(at), jitter);
    delays.push_back(decision.restart ? decision.delay.count() : -1);
  }
  return delays;
}

TEST(RestartStrategyTest, DefaultsFollowCheckpointing) {
  v1::JobGraph graph;
  EXPECT_EQ(RestartSettingsOf(graph)->type, RestartSettings::Type::kNone);
  EXPECT_THAT(Delays(StrategyOf(graph), {1}), ElementsAre(-1));
  graph.mutable_checkpointing()->set_interval_ms(1000);
  EXPECT_EQ(RestartSettingsOf(graph)->type, RestartSettings::Type::kExponentialDelay);
  graph.mutable_restart_strategy()->set_type("none");
  EXPECT_EQ(RestartSettingsOf(graph)->type, RestartSettings::Type::kNone);
}

TEST(RestartStrategyTest, FixedDelay) {
  EXPECT_THAT(Delays(StrategyOf(GraphWith("fixed-delay")), {1, 2}), ElementsAre(1000, -1));
  RestartStrategy strategy =
      StrategyOf(GraphWith("fixed-delay", {{"attempts", "2"}, {"delay", "50ms"}}));
  EXPECT_THAT(Delays(strategy, {1, 1000, 100'000}), ElementsAre(50, 50, -1));
  strategy.OnFailure(seconds(1), 0);
  strategy.OnFailure(seconds(1), 0);
  EXPECT_EQ(strategy.OnFailure(seconds(1), 0).refusal,
            "restart-strategy fixed-delay: 2 restarts were allowed");
}

TEST(RestartStrategyTest, ExponentialDelayGrowsToItsMaximum) {
  const v1::JobGraph graph = GraphWith("exponential-delay", {{"initial-backoff", "100ms"},
                                                             {"max-backoff", "500ms"},
                                                             {"backoff-multiplier", "2"},
                                                             {"reset-backoff-threshold", "60s"}});
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 2, 3, 4, 5}), ElementsAre(100, 200, 400, 500, 500));
  // A minute without a failure after the last restart, which began half a second after second 4.
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 2, 3, 4, 64, 125}),
              ElementsAre(100, 200, 400, 500, 500, 100));
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 2}, 1.0), ElementsAre(110, 220));
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 2}, -1.0), ElementsAre(90, 180));
}

TEST(RestartStrategyTest, ExponentialDelayMayBeBounded) {
  const v1::JobGraph graph = GraphWith("exponential-delay", {{"attempts-before-reset-backoff", "2"},
                                                             {"reset-backoff-threshold", "60s"}});
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 2, 3}), ElementsAre(1000, 1500, -1));
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 2, 100}), ElementsAre(1000, 1500, 1000));
}

TEST(RestartStrategyTest, FailureRate) {
  const v1::JobGraph graph = GraphWith(
      "failure-rate",
      {{"max-failures-per-interval", "2"}, {"failure-rate-interval", "10s"}, {"delay", "1s"}});
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 2, 20, 21, 31, 35}),
              ElementsAre(1000, 1000, 1000, 1000, 1000, 1000));
  EXPECT_THAT(Delays(StrategyOf(graph), {1, 5, 9}), ElementsAre(1000, 1000, -1));
}

TEST(RestartStrategyTest, OptionsThatCannotBeReadAreNamed) {
  EXPECT_THAT(RestartSettingsOf(GraphWith("fixed-delay", {{"attempts", "x"}})).error().message,
              HasSubstr("attempts is 'x'; expected a count"));
  EXPECT_THAT(RestartSettingsOf(GraphWith("failure-rate", {{"delay", "3"}})).error().message,
              HasSubstr("delay is '3'; expected a duration"));
  EXPECT_THAT(RestartSettingsOf(GraphWith("sometimes")).error().message,
              HasSubstr("'sometimes' is unknown"));
}

}  // namespace
}  // namespace watershed
