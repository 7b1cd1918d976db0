#include "runtime/connectors/kafka/prefetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

TEST(KafkaPrefetchTest, KeepsToTheMemoryThatItWasGiven) {
  for (const int64_t partitions : {1, 3, 16, 60}) {
    for (const int64_t memory : {10 * kMiB, 45 * kMiB, 1000 * kMiB}) {
      const auto plan = PlanKafkaPrefetch(partitions, memory, {});
      ASSERT_TRUE(plan) << plan.error().message;
      EXPECT_LE(plan->memory_bytes, memory);
      EXPECT_GE(plan->memory_bytes, 2 * plan->queued_bytes * partitions);
      EXPECT_LE(plan->fetch_bytes, plan->queued_bytes);
      EXPECT_GE(plan->max_fetch_bytes, 1 * kMiB);
    }
  }
  EXPECT_EQ(PlanKafkaPrefetch(1, 0, {})->queued_bytes, 8 * kMiB);  // not bounded by an account
}

TEST(KafkaPrefetchTest, WhatDoesNotFitNamesTheSetting) {
  const auto partitions = PlanKafkaPrefetch(100, 10 * kMiB, {});
  ASSERT_FALSE(partitions);
  EXPECT_EQ(partitions.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(partitions.error().message, HasSubstr("100 partitions"));
  EXPECT_THAT(partitions.error().message, HasSubstr("taskmanager.memory.process.size"));

  const KafkaSettings own = {{"queued.max.messages.kbytes", "8192"}};
  const auto queues = PlanKafkaPrefetch(4, 40 * kMiB, own);
  ASSERT_FALSE(queues);
  EXPECT_THAT(queues.error().message, HasSubstr("properties.queued.max.messages.kbytes"));
  EXPECT_EQ(PlanKafkaPrefetch(4, 80 * kMiB, own)->queued_bytes, 8 * kMiB);
  // More than librdkafka takes.
  EXPECT_FALSE(PlanKafkaPrefetch(4, 80 * kMiB, {{own.begin()->first, "99999999999999999"}}));
}

}  // namespace
}  // namespace watershed
