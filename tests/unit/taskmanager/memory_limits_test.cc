// How one setting is dealt out, and what is said when it is too small.
#include "taskmanager/memory_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>

#include "runtime/config/units.h"
#include "taskmanager/network/network_channel_provider.h"

namespace watershed {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

Result<MemoryLimits> LimitsOf(const std::map<std::string, std::string>& settings) {
  Config config;
  for (const auto& [key, value] : settings) EXPECT_TRUE(config.Set(key, value)) << key;
  return MemoryLimitsFrom(config);
}
int64_t SumOf(const MemoryLimits& limits) {
  return std::accumulate(limits.shares_bytes.begin(), limits.shares_bytes.end(),
                         limits.fixed_bytes + limits.task_bytes);
}

TEST(MemoryLimitsTest, ThePartsMakeTheWhole) {
  const std::map<std::string, std::string> cases[] = {
      {},
      {{"taskmanager.numberOfTaskSlots", "64"}},
      {{"taskmanager.memory.process.size", "96mb"}},
      {{"taskmanager.memory.process.size", "16gb"}, {"taskmanager.numberOfTaskSlots", "8"}},
      {{"taskmanager.memory.managed.size", "8mb"}},
      {{"taskmanager.memory.managed.size", "4gb"}},
      {{"taskmanager.memory.process.size", "200mb"}, {"taskmanager.memory.managed.size", "64mb"}},
  };
  for (const auto& settings : cases) {
    const auto limits = LimitsOf(settings);
    ASSERT_TRUE(limits) << limits.error().message;
    EXPECT_LE(SumOf(*limits), limits->process_bytes);
    EXPECT_GE(SumOf(*limits), limits->process_bytes - 64);  // rounding
    for (const MemoryShare share : kMemoryShares) EXPECT_GE(limits->of(share), 800 << 10);
  }
}

TEST(MemoryLimitsTest, WhatIsSetIsWhatIsTaken) {
  EXPECT_EQ(LimitsOf({})->process_bytes, 400 * kMiB);
  const auto process = LimitsOf({{"taskmanager.memory.process.size", "300mb"}});
  EXPECT_EQ(process->process_bytes, 300 * kMiB);
  const auto managed = LimitsOf({{"taskmanager.memory.managed.size", "20mb"}});
  EXPECT_EQ(managed->of(MemoryShare::kState), 20 * kMiB);
  // The others have what they have by default, and the whole is what comes of it.
  EXPECT_EQ(managed->of(MemoryShare::kSources), LimitsOf({})->of(MemoryShare::kSources));
  EXPECT_LT(managed->process_bytes, 300 * kMiB);
  const auto both = LimitsOf(
      {{"taskmanager.memory.process.size", "200mb"}, {"taskmanager.memory.managed.size", "20mb"}});
  EXPECT_EQ(both->process_bytes, 200 * kMiB);
  EXPECT_EQ(both->of(MemoryShare::kState), 20 * kMiB);
}

TEST(MemoryLimitsTest, TooLittleForTheSlotsSaysHowMuchItTakes) {
  for (const char* managed : {"", "40mb"}) {
    std::map<std::string, std::string> settings = {{"taskmanager.memory.process.size", "100mb"},
                                                   {"taskmanager.numberOfTaskSlots", "4"}};
    if (*managed != 0) settings["taskmanager.memory.managed.size"] = managed;
    const auto refused = LimitsOf(settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().domain, ErrorDomain::kUser);
    const std::string& message = refused.error().message;
    EXPECT_THAT(message, HasSubstr("taskmanager.memory.process.size is 100mb"));
    EXPECT_THAT(message, HasSubstr("4 slots"));
    const size_t begin = message.find("at least ") + 9;
    settings["taskmanager.memory.process.size"] = message.substr(begin, message.find(':') - begin);
    const auto enough = LimitsOf(settings);
    EXPECT_TRUE(enough) << enough.error().message;
  }
}

// One vertex of `sources` subtasks here and one of as many that another TaskManager runs.
v1::DeployTasksRequest Deployment(int sources) {
  v1::DeployTasksRequest deployment;
  deployment.set_job_id("job");
  deployment.set_attempt(1);
  deployment.mutable_plan()->set_job_name("visits");
  v1::Edge* edge = deployment.mutable_plan()->add_edges();
  edge->set_source_vertex_id("up");
  edge->set_target_vertex_id("down");
  deployment.add_tasks()->set_vertex_id("up");
  for (int i = 0; i < sources; ++i) {
    for (const auto& [vertex, at] : {std::pair("up", "here"), std::pair("down", "there")}) {
      v1::TaskPlacement* placement = deployment.add_placements();
      placement->set_vertex_id(vertex);
      placement->set_subtask(i);
      placement->set_task_manager_id(at);
    }
  }
  return deployment;
}

TEST(NetworkShareTest, ChannelsShareItBySlots) {
  MemoryLimits limits;
  limits.slots = 8;
  limits.process_bytes = 100 * kMiB;
  limits.shares_bytes.fill(8 * kMiB);
  MemoryAccount account(limits);
  auto context = std::make_shared<NetworkContext>();
  context->task_manager_id = "here";
  context->memory = &account;
  NetworkChannelProvider provider(context, std::make_shared<ReceiverRegistry>(context));
  // 2 of 8 slots have 2 MB, for 4 channels.
  ASSERT_TRUE(provider.AddAttempt(Deployment(2)));
  EXPECT_EQ(account.used_bytes(MemoryShare::kNetwork), 2 * kMiB);
  provider.ForgetAttempt({"job"}, {1});
  EXPECT_EQ(account.used_bytes(MemoryShare::kNetwork), 0);

  limits.shares_bytes.fill(16 << 10);
  MemoryAccount small(limits);
  context->memory = &small;
  const Status refused = provider.AddAttempt(Deployment(2));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("taskmanager.memory.process.size (now 100mb)"));
  EXPECT_THAT(refused.error().message, HasSubstr("'visits'"));
  EXPECT_THAT(refused.error().message, HasSubstr("4 channels"));
  EXPECT_EQ(small.used_bytes(MemoryShare::kNetwork), 0);
}

// Two pipelines in the same slots, deployed one after the other.
TEST(NetworkShareTest, RegionsShareTheSlotsOfTheirJob) {
  MemoryLimits limits;
  limits.slots = 8;
  limits.process_bytes = 100 * kMiB;
  limits.shares_bytes.fill(8 * kMiB);
  MemoryAccount account(limits);
  auto context = std::make_shared<NetworkContext>();
  context->task_manager_id = "here";
  context->memory = &account;
  NetworkChannelProvider provider(context, std::make_shared<ReceiverRegistry>(context));
  v1::DeployTasksRequest first = Deployment(2);
  v1::Edge* edge = first.mutable_plan()->add_edges();
  edge->set_source_vertex_id("other up");
  edge->set_target_vertex_id("other down");
  for (const char* vertex : {"other up", "other down"}) {
    v1::TaskPlacement* placement = first.add_placements();
    placement->set_vertex_id(vertex);
    placement->set_task_manager_id(vertex == std::string("other up") ? "here" : "there");
  }
  v1::DeployTasksRequest second = first;
  second.set_attempt(2);
  second.set_oldest_attempt(1);
  second.mutable_tasks(0)->set_vertex_id("other up");
  // 2 of 8 slots have 2 MB, for 4 channels of the one and 1 of the other.
  const int64_t each = 2 * kMiB / 5;
  ASSERT_TRUE(provider.AddAttempt(first));
  EXPECT_EQ(account.used_bytes(MemoryShare::kNetwork), 4 * each);
  ASSERT_TRUE(provider.AddAttempt(second));
  EXPECT_EQ(account.used_bytes(MemoryShare::kNetwork), 5 * each);
  provider.ForgetAttempt({"job"}, {1});
  EXPECT_EQ(account.used_bytes(MemoryShare::kNetwork), each);
}

}  // namespace
}  // namespace watershed
