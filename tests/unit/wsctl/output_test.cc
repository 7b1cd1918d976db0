// YAML, what a watch prints, and rates from two looks.
#include "wsctl/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

#include "wsctl/job_rates.h"
#include "wsctl/listing.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

TEST(YamlTest, IsReadBackAsTheSameByAnotherReader) {
  const Json json = {
      {"jobs",
       {{{"id", "3f2a"}, {"n", 5}, {"none", nullptr}, {"ok", true}},
        {{"empty", Json::array()}, {"map", Json::object()}}}},
      {"odd", {"true", "no", "1e3", "", " x", "a: b", "- c", "#d", "two\nlines", "é", "~"}},
      {"ratio", 0.25}};
  const YAML::Node yaml = YAML::Load(ToYaml(json));
  EXPECT_EQ(yaml["jobs"][0]["id"].as<std::string>(), "3f2a");
  EXPECT_EQ(yaml["jobs"][0]["n"].as<int>(), 5);
  EXPECT_TRUE(yaml["jobs"][0]["none"].IsNull());
  EXPECT_TRUE(yaml["jobs"][0]["ok"].as<bool>());
  EXPECT_EQ(yaml["jobs"][1]["empty"].size(), 0U);
  EXPECT_TRUE(yaml["jobs"][1]["map"].IsMap());
  ASSERT_EQ(yaml["odd"].size(), json["odd"].size());
  for (size_t i = 0; i < json["odd"].size(); ++i) {
    EXPECT_EQ(yaml["odd"][i].as<std::string>(), json["odd"][i].get<std::string>());
    EXPECT_NE(yaml["odd"][i].Tag(), "?") << "not quoted: " << json["odd"][i];
  }
  EXPECT_EQ(yaml["ratio"].as<double>(), 0.25);
  EXPECT_EQ(ToYaml(Json::array()), "[]\n");
}

Listing ListingOf(const std::vector<std::pair<std::string, std::string>>& states) {
  Listing listing{.columns = {{{"ID"}}, {{"STATE"}}, {{"AGE"}, false, /*is_watched=*/false}}};
  static int age = 0;
  for (const auto& [id, state] : states) {
    listing.rows.push_back({id, id, {id, state, std::to_string(age++)}, {{"id", id}}});
  }
  return listing;
}

TEST(WatchTest, PrintsWhatIsNewChangedOrGone) {
  std::ostringstream out;
  CommandContext context;
  context.console.out = &out;
  context.options.output = OutputFormat::kName;
  ListingChanges changes(context);
  changes.Print(ListingOf({{"a", "CREATED"}, {"b", "RUNNING"}}));
  EXPECT_EQ(out.str(), "a\nb\n");
  changes.Print(ListingOf({{"a", "CREATED"}, {"b", "RUNNING"}}));  // only older
  EXPECT_EQ(out.str(), "a\nb\n");
  changes.Print(ListingOf({{"a", "RUNNING"}, {"b", "RUNNING"}, {"c", "CREATED"}}));
  EXPECT_EQ(out.str(), "a\nb\na\nc\n");
  context.options.output = OutputFormat::kJson;
  changes.Print(ListingOf({{"a", "RUNNING"}, {"c", "CREATED"}}));
  EXPECT_THAT(out.str(), testing::EndsWith("{\"id\":\"b\",\"gone\":true}\n"));
}

v1::JobDetails JobWith(int64_t records, int64_t busy_ms, int64_t idle_ms, int attempt = 1) {
  v1::JobDetails job;
  job.set_attempt(attempt);
  v1::Vertex* vertex = job.mutable_plan()->add_vertices();
  vertex->set_id("v");
  vertex->set_parallelism(2);
  for (int i = 0; i < 2; ++i) {
    v1::SubtaskStatus* subtask = job.add_subtasks();
    subtask->set_vertex_id("v");
    subtask->set_subtask(i);
    subtask->set_state(v1::TASK_RUNNING);
    subtask->mutable_counters()->set_records_in(records);
    subtask->mutable_counters()->set_busy_ms(busy_ms);
    subtask->mutable_counters()->set_idle_ms(idle_ms);
    subtask->mutable_counters()->set_input_watermark_ms(9'000);
  }
  return job;
}

TEST(RatesTest, AreByTheTimeBetweenTheHeartbeats) {
  const VertexRates rates =
      RatesOf(JobWith(1000, 500, 500), JobWith(3000, 1500, 1500), /*now_ms=*/10'000)[0];
  // 2,000 records in each of two subtasks, in 2 s of each's time.
  EXPECT_DOUBLE_EQ(rates.records_in_per_second, 2000);
  EXPECT_DOUBLE_EQ(rates.busy, 0.5);
  EXPECT_DOUBLE_EQ(rates.backpressured, 0);
  EXPECT_EQ(rates.watermark_lag_ms, 1000);
}

TEST(RatesTest, AreUnknownWithoutTwoLooksAtOneAttempt) {
  const v1::JobDetails later = JobWith(3000, 1500, 1500, /*attempt=*/2);
  EXPECT_EQ(RatesOf({}, later, 0)[0].records_in_per_second, -1);
  EXPECT_EQ(RatesOf(JobWith(1000, 500, 500), later, 0)[0].records_in_per_second, -1);
  EXPECT_EQ(RatesOf(later, later, 0)[0].busy, -1);  // no heartbeat between them
  EXPECT_EQ(RateText(-1), "–");
  EXPECT_TRUE(ToJson(RatesOf({}, later, 0)[0])["busy"].is_null());
}

}  // namespace
}  // namespace watershed
