#include "runtime/job/physical_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/job/job_files.h"

namespace watershed {
namespace {

using testing::CompileOrFail;
using ::testing::HasSubstr;

constexpr const char* kSources = R"(
kind: Job
name: test
parallelism: 2
sources:
  events:
    connector: kafka
    topic: web
    properties.bootstrap.servers: h:1
    scan.startup.mode: earliest-offset
    format: json
    columns:
      url: { type: string, path: u }
      ip: string
      host: { type: string, path: h }
      size: bigint
      sent: { type: timestamp, epoch: ms }
      at: { type: timestamp, epoch: s }
    watermark: { column: at, delay: 5s }
)";

v1::JobGraph Graph(const std::string& operators_and_sinks) {
  return CompileOrFail(kSources + operators_and_sinks);
}

std::string PlanText(const std::string& operators_and_sinks) {
  const auto plan = PlanJob(Graph(operators_and_sinks), {});
  return plan ? ToText(*plan) : plan.error().message;
}

// The lines about the scan are the same in most plans.
constexpr const char* kScanOptions =
    "      kafka properties.bootstrap.servers=h:1 scan.startup.mode=earliest-offset topic=web "
    "on-error=FAIL\n";

TEST(PhysicalPlannerTest, ReadsOnlyWhatIsUsedAndSendsOnlyWhatIsNeeded) {
  EXPECT_EQ(PlanText(R"(
operators:
  sessions:
    input: events
    type: session-window
    gap: 90s
    key: [ip]
    aggregate: { n: count(*) }
  sizes:
    input: events
    type: tumbling-window
    size: 1h
    key: [host]
    aggregate: { total: sum(size), average: avg(size), latest: max(at) }
sinks:
  a: { input: sessions, connector: print }
  b: { input: sizes, connector: blackhole }
)"),
            R"(Job test, max parallelism 128
Vertex 735790f8e73eacd4193dc5063157bd66 x2: Source: events -> WatermarkAssigner -> (Calc, LocalWindowAggregate[sizes])
  events
      TableSourceScan(table=[events], fields=[ip, host, size, at])
)" + std::string(kScanOptions) +
                R"(      format json host: path=h at: epoch=SECONDS
      [ip string, host string, size bigint, at timestamp not null (event time)]
  events/watermark <- events
      WatermarkAssigner(rowtime=[at], watermark=[at - 5 s])
      [ip string, host string, size bigint, at timestamp not null (event time)]
  sessions/input <- events/watermark
      Calc(select=[ip, at])
      [ip string, at timestamp not null (event time)]
  sizes/local <- events/watermark
      LocalWindowAggregate(window=[TUMBLE(size=[1 h])], groupBy=[host], select=[SUM(size) AS total, AVG(size) AS average, MAX(at) AS latest])
      [host string, $window_end timestamp not null, $rows bigint not null, $agg0 bigint, $agg1_sum bigint not null, $agg1_count bigint not null, $agg2 timestamp]
Vertex 2b6d10b07ca4433e5afc3e3c3367a214 x2: WindowAggregate[sessions] -> Sink: a
  sessions
      WindowAggregate(window=[SESSION(gap=[90 s])], groupBy=[ip], select=[COUNT(*) AS n])
      [ip string, window_start timestamp not null, window_end timestamp not null, n bigint not null]
  a <- sessions
      Sink(table=[a], fields=[ip, window_start, window_end, n])
      print
Vertex 4b696bb93168abb498529b580027c8a8 x2: GlobalWindowAggregate[sizes] -> Sink: b
  sizes
      GlobalWindowAggregate(window=[TUMBLE(size=[1 h])], groupBy=[host], select=[SUM(size) AS total, AVG(size) AS average, MAX(at) AS latest])
      [host string, window_start timestamp not null, window_end timestamp not null, total bigint, average bigint, latest timestamp]
  b <- sizes
      Sink(table=[b], fields=[host, window_start, window_end, total, average, latest])
      blackhole
Edge sessions/input => sessions by columns [0] of [ip string, at timestamp not null (event time)]
Edge sizes/local => sizes by columns [0] of [host string, $window_end timestamp not null, $rows bigint not null, $agg0 bigint, $agg1_sum bigint not null, $agg1_count bigint not null, $agg2 timestamp]
)");
}

TEST(PhysicalPlannerTest, LateRowsKeepTheirColumnsAndForbidPreAggregation) {
  EXPECT_EQ(PlanText(R"(
operators:
  counts:
    input: events
    type: tumbling-window
    size: 5min
    key: [host]
    aggregate: { n: count(*) }
    late: { to: late_events }
sinks:
  a: { input: counts, connector: print }
  late: { input: late_events, connector: blackhole, columns: { link: url, at: at } }
)"),
            R"(Job test, max parallelism 128
Vertex 735790f8e73eacd4193dc5063157bd66 x2: Source: events -> WatermarkAssigner
  events
      TableSourceScan(table=[events], fields=[url, host, at])
)" + std::string(kScanOptions) +
                R"(      format json url: path=u host: path=h at: epoch=SECONDS
      [url string, host string, at timestamp not null (event time)]
  events/watermark <- events
      WatermarkAssigner(rowtime=[at], watermark=[at - 5 s])
      [url string, host string, at timestamp not null (event time)]
Vertex 0b968af6a23ba5e852cf82957260a649 x2: WindowAggregate[counts] -> (Sink: a, Calc -> Sink: late)
  counts
      WindowAggregate(window=[TUMBLE(size=[5 min])], groupBy=[host], select=[COUNT(*) AS n], late=[output])
      [host string, window_start timestamp not null, window_end timestamp not null, n bigint not null]
  a <- counts
      Sink(table=[a], fields=[host, window_start, window_end, n])
      print
  late/input <- counts.late
      Calc(select=[url AS link, at])
      [link string, at timestamp not null (event time)]
  late <- late/input
      Sink(table=[late], fields=[link, at])
      blackhole
Edge events/watermark => counts by columns [1] of [url string, host string, at timestamp not null (event time)]
)");
}

TEST(PhysicalPlannerTest, DeadLettersHaveASinkInTheChainOfTheirSource) {
  v1::JobGraph graph = CompileOrFail(R"(
kind: Job
name: test
parallelism: 2
sources:
  events:
    connector: kafka
    topic: web
    properties.bootstrap.servers: h:1
    properties.group.id: readers
    properties.fetch.min.bytes: 10
    properties.security.protocol: SASL_SSL
    properties.sasl.password: sesame
    scan.startup.mode: earliest-offset
    format: json
    on-error: { action: dead-letter, topic: web-dlq, delivery: at-least-once }
    columns: { ip: string, host: string }
sinks:
  out: { input: events, connector: print, columns: { ip: ip } }
)");
  const auto plan = PlanJob(graph, {});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->edges_size(), 0);
  EXPECT_EQ(ToText(*plan), R"(Job test, max parallelism 128
Vertex 735790f8e73eacd4193dc5063157bd66 x2: Source: events -> (Sink: out, Sink: events-dead-letters)
  events
      TableSourceScan(table=[events], fields=[ip])
      kafka properties.bootstrap.servers=h:1 properties.fetch.min.bytes=10 properties.group.id=readers properties.sasl.password=****** properties.security.protocol=SASL_SSL scan.startup.mode=earliest-offset topic=web on-error=DEAD_LETTER
      format json
      [ip string]
  out <- events
      Sink(table=[out], fields=[ip])
      print
  events-dead-letters <- events.dead-letters
      Sink(table=[events-dead-letters], fields=[value, key, __watershed.errors.message, __watershed.errors.topic, __watershed.errors.partition, __watershed.errors.offset, __watershed.errors.timestamp, __watershed.errors.source])
      kafka delivery=at-least-once properties.bootstrap.servers=h:1 properties.sasl.password=****** properties.security.protocol=SASL_SSL topic=web-dlq
)");
  EXPECT_EQ(plan->vertices(0).nodes(2).sink().connector().options().at("properties.sasl.password"),
            "sesame");
}

TEST(PhysicalPlannerTest, OtherBrokersForDeadLettersGetNoPasswordOfTheSource) {
  const v1::JobGraph graph = CompileOrFail(R"(
kind: Job
name: test
sources:
  events:
    connector: kafka
    topic: web
    properties.bootstrap.servers: h:1
    properties.sasl.password: sesame
    scan.startup.mode: earliest-offset
    format: json
    on-error: { action: dead-letter, topic: web, properties.bootstrap.servers: "other:1" }
    columns: { ip: string }
sinks:
  out: { input: events, connector: print }
)");
  const auto& options = graph.sinks(1).connector().options();
  EXPECT_EQ(options.size(), 2u);
  EXPECT_EQ(options.at("topic"), "web");
  EXPECT_EQ(options.at("properties.bootstrap.servers"), "other:1");
}

TEST(PhysicalPlannerTest, ProjectionsRunOnlyWhereTheyChangeSomething) {
  EXPECT_EQ(PlanText(R"(
operators:
  same:       # all that is used, in the same order: nothing to do
    input: events
    type: project
    columns: [ip, host, size, at]
  renamed:    # size is used by nobody behind it
    input: same
    type: project
    columns: { address: ip, size: size, time: at }
  sessions:
    input: renamed
    type: session-window
    gap: 1min
    key: [address]
    aggregate: { n: count(*) }
sinks:
  a: { input: sessions, connector: print, columns: { address: address, window_start: window_start, window_end: window_end, n: n } }
  b: { input: same, connector: blackhole, columns: { ip: ip, at: at } }
)"),
            R"(Job test, max parallelism 128
Vertex 735790f8e73eacd4193dc5063157bd66 x2: Source: events -> WatermarkAssigner -> (Calc, Sink: b)
  events
      TableSourceScan(table=[events], fields=[ip, at])
)" + std::string(kScanOptions) +
                R"(      format json at: epoch=SECONDS
      [ip string, at timestamp not null (event time)]
  events/watermark <- events
      WatermarkAssigner(rowtime=[at], watermark=[at - 5 s])
      [ip string, at timestamp not null (event time)]
  renamed <- events/watermark
      Calc(select=[ip AS address, at AS time])
      [address string, time timestamp not null (event time)]
  b <- events/watermark
      Sink(table=[b], fields=[ip, at])
      blackhole
Vertex 2b6d10b07ca4433e5afc3e3c3367a214 x2: WindowAggregate[sessions] -> Sink: a
  sessions
      WindowAggregate(window=[SESSION(gap=[1 min])], groupBy=[address], select=[COUNT(*) AS n])
      [address string, window_start timestamp not null, window_end timestamp not null, n bigint not null]
  a <- sessions
      Sink(table=[a], fields=[address, window_start, window_end, n])
      print
Edge renamed => sessions by columns [0] of [address string, time timestamp not null (event time)]
)");
}

constexpr const char* kCounts = R"(
operators:
  counts: { input: events, type: tumbling-window, size: 1min, key: [ip], aggregate: { n: count(*) } }
sinks:
  a: { input: counts, connector: print }
)";

TEST(PhysicalPlannerTest, ParallelismOfJobClusterAndCommandLine) {
  const auto parallelism_of = [](v1::JobGraph graph, const PlanOptions& options) {
    const auto plan = PlanJob(graph, options);
    std::vector<int> all;
    if (plan) {
      for (const v1::Vertex& vertex : plan->vertices()) all.push_back(vertex.parallelism());
    }
    return all;
  };
  v1::JobGraph graph = Graph(kCounts);
  const std::vector<int> job = {2, 2}, command_line = {5, 5}, cluster = {7, 7}, mixed = {3, 5};
  EXPECT_EQ(parallelism_of(graph, {.default_parallelism = 7}), job);
  EXPECT_EQ(parallelism_of(graph, {.default_parallelism = 7, .parallelism = 5}), command_line);
  graph.clear_parallelism();
  EXPECT_EQ(parallelism_of(graph, {.default_parallelism = 7}), cluster);
  graph.mutable_sources(0)->set_parallelism(3);
  EXPECT_EQ(parallelism_of(graph, {.default_parallelism = 7, .parallelism = 5}), mixed);
}

TEST(PhysicalPlannerTest, AWindowWithoutKeysRunsOnce) {
  const auto plan = PlanJob(Graph(R"(
operators:
  all: { input: events, type: tumbling-window, size: 1min, aggregate: { n: count(*) } }
sinks:
  a: { input: all, connector: print }
)"),
                            {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->vertices(0).parallelism(), 2);
  EXPECT_EQ(plan->vertices(1).parallelism(), 1);
  EXPECT_EQ(plan->edges(0).key_columns_size(), 0);
}

TEST(PhysicalPlannerTest, VertexIdsDoNotDependOnWhatIsBehindThem) {
  const auto before = PlanJob(Graph(kCounts), {});
  const auto after = PlanJob(
      Graph(std::string(kCounts) + "  b: { input: events, connector: print }"), {.parallelism = 4});
  ASSERT_TRUE(before && after);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(before->vertices(i).id(), after->vertices(i).id());
}

// What the engine relies on (physical_plan.proto), for every kind of job above.
TEST(PhysicalPlannerTest, NodesAreConnected) {
  const auto plan = PlanJob(Graph(R"(
operators:
  p: { input: events, type: project, columns: { a: ip, t: at, h: host } }
  s: { input: p, type: session-window, gap: 1s, key: [a], aggregate: { n: count(h) }, late: { to: l } }
  c: { input: l, type: tumbling-window, size: 1s, key: [h], aggregate: { n: count(*) } }
sinks:
  x: { input: s, connector: print }
  y: { input: c, connector: print, columns: { n: n } }
  z: { input: p, connector: print }
)"),
                            {});
  ASSERT_TRUE(plan) << plan.error().message;
  std::set<std::string> ids;
  std::map<std::string, std::string> head_of;
  for (const v1::Vertex& vertex : plan->vertices()) {
    std::map<std::string, v1::PlanNode> nodes;
    head_of[vertex.id()] = vertex.nodes(0).id();
    for (const v1::PlanNode& node : vertex.nodes()) {
      EXPECT_TRUE(ids.insert(node.id()).second) << node.id();
      EXPECT_EQ(node.inputs_size(), nodes.empty() ? 0 : 1) << node.id();
      for (const v1::NodeInput& input : node.inputs()) {
        ASSERT_TRUE(nodes.contains(input.node_id())) << node.id();
        const v1::PlanNode& from = nodes[input.node_id()];
        EXPECT_EQ((input.side_output() == "late" ? from.input_schema() : from.output_schema())
                      .SerializeAsString(),
                  node.input_schema().SerializeAsString())
            << node.id();
      }
      nodes[node.id()] = node;
    }
  }
  EXPECT_EQ(plan->edges_size(), 2);
  for (const v1::Edge& edge : plan->edges()) {
    EXPECT_EQ(edge.target_node_id(), head_of[edge.target_vertex_id()]);
    EXPECT_TRUE(ids.contains(edge.source_node_id()));
  }
}

TEST(PhysicalPlannerTest, RefusesGraphsThatMakeNoSense) {
  const auto refusal = [](const std::function<void(v1::JobGraph&)>& spoil) {
    v1::JobGraph graph = Graph(kCounts);
    spoil(graph);
    const auto plan = PlanJob(graph, {});
    if (plan) return std::string("accepted");
    EXPECT_EQ(plan.error().domain, ErrorDomain::kUser);
    return plan.error().message;
  };
  EXPECT_THAT(refusal([](auto& g) { g.set_parallelism(129); }),
              HasSubstr("parallelism 129 is not between 1 and max-parallelism 128"));
  EXPECT_THAT(refusal([](auto& g) { g.set_parallelism(0); }), HasSubstr("parallelism 0"));
  EXPECT_THAT(refusal([](auto& g) { g.mutable_operators(0)->mutable_input()->set_node("gone"); }),
              HasSubstr("operator 'counts': its input 'gone'"));
  EXPECT_THAT(refusal([](auto& g) { g.mutable_sinks(0)->mutable_input()->set_node("gone"); }),
              HasSubstr("sink 'a': its input 'gone'"));
  EXPECT_THAT(
      refusal([](auto& g) { g.mutable_sinks(0)->mutable_input()->set_side_output("late"); }),
      HasSubstr("sink 'a': its input 'counts'"));
  EXPECT_THAT(refusal([](auto& g) {
                g.mutable_operators(0)->mutable_window_aggregate()->set_keys(0, "gone");
              }),
              HasSubstr("'counts': its input 'events' has no column 'gone'"));
  EXPECT_THAT(
      refusal([](auto& g) { g.mutable_sources(0)->mutable_schema()->clear_event_time_index(); }),
      HasSubstr("a window needs an event time"));
  EXPECT_THAT(
      refusal([](auto& g) { g.mutable_sources(0)->mutable_schema()->set_event_time_index(99); }),
      HasSubstr("a window needs an event time"));
  EXPECT_THAT(refusal([](auto& g) { g.mutable_operators(0)->clear_kind(); }),
              HasSubstr("operator 'counts' is of a kind that this version does not know"));
  EXPECT_THAT(refusal([](auto& g) { *g.add_operators() = g.operators(0); }),
              HasSubstr("two nodes of the job are named 'counts'"));
  EXPECT_THAT(refusal([](auto& g) { g.clear_sinks(); }), HasSubstr("is the input of nothing"));
  EXPECT_THAT(refusal([](auto& g) {
                auto* call = g.mutable_operators(0)->mutable_window_aggregate()->add_aggregates();
                call->set_function(v1::AggregateCall::SUM);
                call->set_input_column("host");
              }),
              HasSubstr("sum does not take a column of type string"));
}

}  // namespace
}  // namespace watershed
