// What good files become, apart from plans (job_files_test, physical_planner_test).
#include "runtime/job/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/job/job_files.h"

namespace watershed {
namespace {

using testing::CompileOrFail;
using testing::ReadRepositoryFile;

TEST(CompileTest, AllFieldsArrive) {
  const v1::JobGraph graph = CompileOrFail(R"(
kind: Job
name: all
parallelism: 3
max-parallelism: 64
sources:
  events:
    connector: kafka
    topic: web
    properties.bootstrap.servers: h:1
    scan.startup.mode: latest-offset
    format: { type: json, strict-json: true }
    on-error: { action: skip }
    columns:
      user: { type: bigint, path: userId, not-null: true }
      at: { type: timestamp, epoch: s }
    watermark: { column: at, delay: 1s, idle-timeout: 2min, max-drift: 1h }
    parallelism: 2
operators:
  counts:
    input: events
    type: tumbling-window
    size: 1d
    offset: 1h
    key: user
    aggregate: { n: COUNT( * ), users: count(user), most: Max(user) }
    window-start: day
    window-end: until
    late: { to: too_late }
    parallelism: 4
sinks:
  out: { input: counts, connector: print }
  late: { input: too_late, connector: blackhole }
)");
  EXPECT_EQ(graph.parallelism(), 3);
  EXPECT_EQ(graph.max_parallelism(), 64);
  const v1::SourceNode& source = graph.sources(0);
  EXPECT_EQ(source.parallelism(), 2);
  EXPECT_EQ(source.on_error().action(), v1::OnError::SKIP);
  EXPECT_EQ(source.format().options().at("strict-json"), "true");
  EXPECT_EQ(source.format().columns(0).path(), "userId");
  EXPECT_EQ(source.format().columns(1).timestamp().epoch(), v1::TimestampFormat::SECONDS);
  EXPECT_TRUE(source.schema().fields(0).not_null());
  EXPECT_TRUE(source.schema().fields(1).not_null());  // the event time must be there
  EXPECT_EQ(source.schema().event_time_index(), 1);
  EXPECT_EQ(source.watermark().delay_ms(), 1000);
  EXPECT_EQ(source.watermark().idle_timeout_ms(), 120'000);
  EXPECT_EQ(source.watermark().max_drift_ms(), 3'600'000);
  const v1::OperatorNode& op = graph.operators(0);
  EXPECT_EQ(op.parallelism(), 4);
  const v1::WindowAggregate& window = op.window_aggregate();
  EXPECT_EQ(window.window().tumbling().size_ms(), 86'400'000);
  EXPECT_EQ(window.window().tumbling().offset_ms(), 3'600'000);
  EXPECT_TRUE(window.late_to_side_output());
  EXPECT_EQ(window.aggregates(0).function(), v1::AggregateCall::COUNT_STAR);
  EXPECT_EQ(window.aggregates(1).function(), v1::AggregateCall::COUNT);
  EXPECT_EQ(window.aggregates(2).output_type().kind(), v1::DataType::INT64);
  std::vector<std::string> names;
  for (const v1::Field& field : op.output_schema().fields()) names.push_back(field.name());
  EXPECT_THAT(names, ::testing::ElementsAre("user", "day", "until", "n", "users", "most"));
  EXPECT_EQ(graph.sinks(1).input().node(), "counts");
  EXPECT_EQ(graph.sinks(1).input().side_output(), "late");
}

TEST(CompileTest, OperatorsMayStandInAnyOrder) {
  const v1::JobGraph graph = CompileOrFail(R"(
kind: Job
name: order
sources:
  events: { connector: datagen, columns: { ip: string } }
operators:
  c: { input: b, type: project, columns: [address] }
  d: { input: events, type: project, columns: [ip] }
  b: { input: a, type: project, columns: { address: ip } }
  a: { input: events, type: project, columns: [ip] }
sinks:
  out: { input: c, connector: print }
  other: { input: d, connector: print }
)");
  std::vector<std::string> names;
  for (const v1::OperatorNode& op : graph.operators()) names.push_back(op.name());
  EXPECT_THAT(names, ::testing::ElementsAre("a", "b", "c", "d"));
}

TEST(CompileTest, CarriesCheckpointingAndRestartStrategy) {
  CompileOptions options;
  options.file_name = "jobs/x.yaml";
  const CompileResult result = CompileJobFile(R"(kind: Job
name: lasting
checkpointing: { interval: 10s }
restart-strategy: { type: fixed-delay, attempts: 3, delay: 5s }
sources:
  events: { connector: datagen, columns: { ip: string } }
sinks:
  out: { input: events, connector: print }
)",
                                              options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.graph->checkpointing().interval_ms(), 10'000);
  EXPECT_EQ(result.graph->checkpointing().mode(), "exactly-once");
  EXPECT_EQ(result.graph->restart_strategy().options().at("delay"), "5000ms");
  EXPECT_TRUE(result.diagnostics.empty()) << ToString(result.diagnostics);
}

TEST(CompileTest, KeyAndSecretOfAHostedBrokerReachTheClient) {
  const Variables variables = {{"KAFKA_SECURITY_PROTOCOL", "SASL_SSL"},
                               {"KAFKA_WEB_TRAFFIC_KEY", "key"},
                               {"KAFKA_WEB_TRAFFIC_SECRET", "secret"}};
  const std::string text = ReadRepositoryFile("jobs/session.yaml");
  const v1::JobGraph hosted = CompileOrFail(text, variables);
  const auto& options = hosted.sources(0).connector().options();
  EXPECT_EQ(options.at("properties.security.protocol"), "SASL_SSL");
  EXPECT_EQ(options.at("properties.sasl.username"), "key");
  EXPECT_EQ(options.at("properties.sasl.password"), "secret");
  // For a local broker they are unset, and not options with empty values.
  const v1::JobGraph local = CompileOrFail(text);
  const auto& plain = local.sources(0).connector().options();
  EXPECT_EQ(plain.at("properties.security.protocol"), "PLAINTEXT");
  EXPECT_FALSE(plain.contains("properties.sasl.username"));
  EXPECT_FALSE(plain.contains("properties.sasl.password"));
}

TEST(CompileTest, BothKindsOfDatabaseUrl) {
  const std::string text = ReadRepositoryFile("jobs/session.yaml");
  for (const char* url : {"jdbc:postgresql://h:5432/db", "postgresql://h:5432/db"}) {
    const v1::JobGraph graph = CompileOrFail(text, {{"POSTGRES_URL", url}});
    EXPECT_EQ(graph.sinks(0).connector().options().at("url"), url);
  }
}

TEST(MakeBoundedTest, KafkaEndsAtTheTopicsPresentEnd) {
  v1::JobGraph graph = CompileOrFail(ReadRepositoryFile("jobs/aggregation.yaml"));
  ASSERT_TRUE(MakeBounded(graph));
  EXPECT_EQ(graph.sources(0).connector().options().at("scan.bounded.mode"), "latest-offset");
}

TEST(MakeBoundedTest, DatagenMustHaveAnEnd) {
  const std::string text = ReadRepositoryFile("jobs/generate-web-traffic.yaml");
  v1::JobGraph endless = CompileOrFail(text);
  const Status refused = MakeBounded(endless);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "source 'generator': connector 'datagen' has no end by itself; give it "
            "'number-of-rows' to run the job bounded");
  v1::JobGraph ending = CompileOrFail(text, {{"NUMBER_OF_ROWS", "100"}});
  EXPECT_TRUE(MakeBounded(ending));
}

// Nothing a file contains may take the compiler down.
TEST(CompileTest, SurvivesStrangeFiles) {
  const std::string deep(10'000, '[');
  std::string laughs = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    laughs += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  const std::string kTexts[] = {
      deep,
      laughs,
      "&a [*a]",
      "sources: &a { events: *a }",
      std::string("kind: \0Job", 10),
      "\xff\xfe\x00",
      "kind: \"\xff\xff",
      "%YAML 9.9\n---\nkind: Job",
      "? ? ?",
      "- - -\n :",
      "*x",
      "sources: {events: {columns: [a, b], watermark: 3, format: [], on-error: {}}}",
      "operators: {a: {type: tumbling-window, key: {a: b}, aggregate: [x], late: []}}",
      "operators: {a: {type: project, columns: ~}}",
      "sinks: {out: {columns: {a: {column: []}}}}",
      "${",
      "kind: ${",
      "sinks: {'': {}}",
      "sources: ~",
      "name: {a: b}\nkind: [Job]"};
  for (const std::string& text : kTexts) {
    const CompileResult result = CompileJobFile(text, {});
    EXPECT_FALSE(result.ok());
    EXPECT_FALSE(result.diagnostics.empty());
  }
}

// Cut the longest job file anywhere: an error, but never a crash, and never a graph of half a file
// that has lost its sink.
TEST(CompileTest, SurvivesCutFiles) {
  const std::string text = ReadRepositoryFile("jobs/aggregation.yaml");
  const size_t sinks = text.find("sinks:");
  for (size_t length = 0; length < sinks; ++length) {
    EXPECT_FALSE(CompileJobFile(text.substr(0, length), {}).ok()) << length;
  }
  for (size_t length = sinks; length < text.size(); ++length) {
    CompileJobFile(text.substr(0, length), {});
  }
}

}  // namespace
}  // namespace watershed
