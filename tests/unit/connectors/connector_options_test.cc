#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/datagen/options.h"
#include "runtime/connectors/filesystem/options.h"
#include "runtime/connectors/kafka/options.h"
#include "runtime/connectors/postgres/options.h"

namespace watershed {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::vector<std::string> ProblemOptions(const char* connector, const OptionMap& options,
                                        bool is_sink = false) {
  std::vector<std::string> names;
  for (const OptionProblem& problem : FindConnector(connector)->check(options, is_sink)) {
    names.push_back(problem.option);
  }
  return names;
}

OptionMap Kafka(OptionMap more) {
  OptionMap options = {{"topic", "events"},
                       {"properties.bootstrap.servers", "broker:9092"},
                       {"scan.startup.mode", "earliest-offset"}};
  for (const auto& [name, value] : more) options[name] = value;
  return options;
}

TEST(ConnectorOptions, EveryConnectorIsListedOnceInOrder) {
  std::vector<std::string_view> names;
  for (const ConnectorSpec& connector : AllConnectors()) {
    names.push_back(connector.name);
    EXPECT_EQ(FindConnector(connector.name), &connector);
    EXPECT_TRUE(connector.is_source || connector.is_sink) << connector.name;
    EXPECT_EQ(connector.is_sink, connector.sink_guarantee != nullptr) << connector.name;
    if (connector.is_sink) {
      const auto& [delivery, meaning, visible_at_checkpoint] = connector.sink_guarantee({});
      EXPECT_THAT(delivery, AnyOf("none", "at-least-once", "exactly-once")) << connector.name;
      EXPECT_NE(meaning, "") << connector.name;
    }
    for (const auto* list : {&connector.source_options, &connector.sink_options}) {
      std::set<std::string_view> seen;
      for (const OptionSpec& option : *list) {
        EXPECT_TRUE(seen.insert(option.name).second) << connector.name << " " << option.name;
        EXPECT_EQ(option.type == OptionType::kEnum, !option.choices.empty()) << option.name;
      }
    }
  }
  EXPECT_THAT(names,
              ElementsAre("blackhole", "datagen", "filesystem", "kafka", "postgres", "print"));
  EXPECT_EQ(FindConnector("kafak"), nullptr);
}

TEST(ConnectorOptions, PasswordsAreSecret) {
  const auto is_secret = [](const std::vector<OptionSpec>& options, std::string_view name) {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const OptionSpec& option) { return option.name == name; });
    return found != options.end() && found->secret;
  };
  const ConnectorSpec& kafka = *FindConnector("kafka");
  for (const auto* list : {&kafka.source_options, &kafka.sink_options}) {
    EXPECT_TRUE(is_secret(*list, "properties.sasl.password"));
    EXPECT_TRUE(is_secret(*list, "properties.ssl.key.password"));
    EXPECT_TRUE(is_secret(*list, "properties.ssl.key.pem"));
  }
  EXPECT_TRUE(is_secret(FindConnector("postgres")->sink_options, "password"));
  EXPECT_TRUE(is_secret(FindConnector("postgres")->sink_options, "url"));
}

TEST(FilesystemOptions, PathIsADirectoryByItsAbsolutePath) {
  const auto directory = [](const std::string& path) {
    return ParseFilesystemSinkOptions({{"path", path}})->directory;
  };
  EXPECT_EQ(directory("/data/hits"), "/data/hits");
  EXPECT_EQ(directory("file:///data//x/../hits/"), "/data/hits");
  for (const char* wrong : {"hits", "s3://bucket/hits", "/", "file:///", "file://hits"}) {
    EXPECT_THAT(ProblemOptions("filesystem", {{"path", wrong}}, true), ElementsAre("path"))
        << wrong;
    EXPECT_FALSE(ParseFilesystemSinkOptions({{"path", wrong}})) << wrong;
  }
}

TEST(FilesystemOptions, DeliversExactlyOnceUnlessToldOtherwise) {
  const ConnectorSpec& filesystem = *FindConnector("filesystem");
  const auto visible_at_checkpoint = [&](const OptionMap& options) {
    return filesystem.sink_guarantee(options).visible_at_checkpoint;
  };
  OptionMap options = {{"path", "/data"}};
  EXPECT_EQ(ParseFilesystemSinkOptions(options)->delivery, FilesystemDelivery::kExactlyOnce);
  EXPECT_EQ(filesystem.sink_guarantee(options).delivery, "exactly-once");
  EXPECT_TRUE(visible_at_checkpoint(options));
  options["delivery"] = "at-least-once";
  EXPECT_EQ(ParseFilesystemSinkOptions(options)->delivery, FilesystemDelivery::kAtLeastOnce);
  EXPECT_EQ(filesystem.sink_guarantee(options).delivery, "at-least-once");
  EXPECT_FALSE(visible_at_checkpoint(options));
}

TEST(KafkaOptions, ASinkDeliversExactlyOnceUnlessToldOtherwise) {
  const auto standard = ParseKafkaSinkOptions(Kafka({}));
  ASSERT_TRUE(standard);
  EXPECT_EQ(standard->delivery, KafkaDelivery::kExactlyOnce);
  EXPECT_THAT(standard->key_fields, IsEmpty());
  const auto other =
      ParseKafkaSinkOptions(Kafka({{"delivery", "at-least-once"}, {"key.fields", "a; b"}}));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->delivery, KafkaDelivery::kAtLeastOnce);
  EXPECT_THAT(other->key_fields, ElementsAre("a", "b"));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"key.fields", ";"}}), true),
              ElementsAre("key.fields"));
  const auto& guarantee = FindConnector("kafka")->sink_guarantee;
  EXPECT_EQ(guarantee({}).delivery, "exactly-once");
  EXPECT_EQ(guarantee({{"delivery", "at-least-once"}}).delivery, "at-least-once");
}

TEST(KafkaOptions, PropertiesOfTheEngineAndOfJavaAreRefusedWithWhatToWriteInstead) {
  for (const char* name :
       {"auto.offset.reset", "enable.auto.commit", "enable.auto.offset.store", "sasl.jaas.config",
        "key.deserializer", "ssl.truststore.location", "partition.assignment.strategy"}) {
    const std::string option = std::string("properties.") + name;
    const auto problems = FindConnector("kafka")->check(Kafka({{option, "x"}}), false);
    ASSERT_EQ(problems.size(), 1u) << name;
    EXPECT_EQ(problems[0].option, option);
    EXPECT_THAT(problems[0].message, testing::ContainsRegex("(write|remove)")) << name;
    EXPECT_FALSE(ParseKafkaSourceOptions(Kafka({{option, "x"}}))) << name;
    EXPECT_FALSE(ParseKafkaSinkOptions(Kafka({{option, "x"}}))) << name;
  }
  const auto jaas =
      FindConnector("kafka")->check(Kafka({{"properties.sasl.jaas.config", "x"}}), false);
  EXPECT_THAT(jaas[0].message, HasSubstr("properties.sasl.username"));
}

TEST(KafkaOptions, OtherPropertiesPassAndEmptyOnesAreDropped) {
  const auto options =
      ParseKafkaSourceOptions(Kafka({{"properties.security.protocol", "SASL_SSL"},
                                     {"properties.sasl.password", ""},
                                     {"properties.auto.offset.reset", ""},
                                     {"properties.isolation.level", "read_uncommitted"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->properties,
              UnorderedElementsAre(Pair("bootstrap.servers", "broker:9092"),
                                   Pair("security.protocol", "SASL_SSL"),
                                   Pair("isolation.level", "read_uncommitted")));
}

TEST(KafkaOptions, SeveralTopics) {
  const auto options = ParseKafkaSourceOptions(Kafka({{"topic", "a; b"}}));
  ASSERT_TRUE(options);
  EXPECT_THAT(options->topics, ElementsAre("a", "b"));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"topic", ";"}})), ElementsAre("topic"));
  EXPECT_THAT(ProblemOptions("kafka", {{"topic", "a;b"}}, true), ElementsAre("topic"));
}

TEST(KafkaOptions, SpecificOffsetsInFlinksSyntax) {
  const auto options = ParseKafkaSourceOptions(
      Kafka({{"scan.startup.mode", "specific-offsets"},
             {"scan.startup.specific-offsets", "partition:0,offset:42; partition:1,offset:300"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->startup_mode, KafkaStartupMode::kSpecificOffsets);
  EXPECT_THAT(options->startup_offsets, ElementsAre(Pair(0, 42), Pair(1, 300)));
  for (const char* bad :
       {"0:42", "partition:0", "partition:0,offset:x", "partition:-1,offset:1",
        "partition:0,offset:1;partition:0,offset:2", "partition:9999999999,offset:1"}) {
    EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.startup.mode", "specific-offsets"},
                                               {"scan.startup.specific-offsets", bad}})),
                ElementsAre("scan.startup.specific-offsets"))
        << bad;
  }
}

TEST(KafkaOptions, AModeNeedsItsOptionAndNoOtherModeTakesIt) {
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.startup.mode", "timestamp"}})),
              ElementsAre("scan.startup.mode"));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.startup.timestamp-millis", "1"}})),
              ElementsAre("scan.startup.timestamp-millis"));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.bounded.mode", "timestamp"}})),
              ElementsAre("scan.bounded.mode"));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.startup.mode", "timestamp"},
                                             {"scan.startup.timestamp-millis", "1"},
                                             {"scan.bounded.mode", "timestamp"},
                                             {"scan.bounded.timestamp-millis", "2"}})),
              IsEmpty());
}

TEST(KafkaOptions, BoundedOffsetsAreReadLikeStartupOffsets) {
  const auto options = ParseKafkaSourceOptions(
      Kafka({{"scan.bounded.mode", "specific-offsets"},
             {"scan.bounded.specific-offsets", "partition:0,offset:7;partition:2,offset:9"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->bounded_mode, KafkaBoundedMode::kSpecificOffsets);
  EXPECT_THAT(options->bounded_offsets, ElementsAre(Pair(0, 7), Pair(2, 9)));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.bounded.mode", "specific-offsets"}})),
              ElementsAre("scan.bounded.mode"));
  EXPECT_THAT(
      ProblemOptions("kafka", Kafka({{"scan.bounded.specific-offsets", "partition:0,offset:1"}})),
      ElementsAre("scan.bounded.specific-offsets"));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.bounded.mode", "specific-offsets"},
                                             {"scan.bounded.specific-offsets", "0:1"}})),
              ElementsAre("scan.bounded.specific-offsets"));
}

TEST(KafkaOptions, GroupOffsetsNeedAGroup) {
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.startup.mode", "group-offsets"}})),
              ElementsAre("scan.startup.mode"));
  EXPECT_THAT(ProblemOptions("kafka", Kafka({{"scan.startup.mode", ""}})),
              ElementsAre("scan.startup.mode"));
  const auto options =
      ParseKafkaSourceOptions(Kafka({{"scan.startup.mode", "group-offsets"},
                                     {"properties.group.id", "g"},
                                     {"scan.startup.group-offsets-fallback", "fail"}}));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->group_offsets_fallback, KafkaOffsetFallback::kFail);
}

TEST(PostgresOptions, JobFileOverridesTheUrl) {
  const auto options = ParsePostgresSinkOptions({{"url", "postgresql://me:pw@db:6543/one"},
                                                 {"username", "you"},
                                                 {"password", ""},
                                                 {"database", "two"},
                                                 {"table-name", "s.t"},
                                                 {"create-tables", "true"}});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->url.user, "you");
  EXPECT_EQ(options->url.password, "pw");
  EXPECT_EQ(options->url.database, "two");
  EXPECT_EQ(options->schema, "s");
  EXPECT_EQ(options->table, "t");
  EXPECT_TRUE(options->create_tables);
  EXPECT_EQ(options->Describe(), "table s.t of database two at db:6543");
}

TEST(PostgresOptions, TableNames) {
  const auto parse = [](const char* name) {
    return ParsePostgresSinkOptions({{"url", "postgresql://h/d"}, {"table-name", name}});
  };
  EXPECT_EQ(parse("\"odd.name\"")->table, "odd.name");
  EXPECT_EQ(parse("\"a\"\"b\".c")->schema, "a\"b");
  for (const char* bad : {"a.b.c", ".t", "s.", "\"open"}) EXPECT_FALSE(parse(bad)) << bad;
}

TEST(PostgresOptions, AUrlWithoutDatabaseNeedsOne) {
  EXPECT_THAT(ProblemOptions("postgres", {{"url", "postgresql://h"}, {"table-name", "t"}}, true),
              ElementsAre("url"));
  EXPECT_THAT(
      ProblemOptions("postgres",
                     {{"url", "postgresql://h"}, {"database", "d"}, {"table-name", "t"}}, true),
      IsEmpty());
}

TEST(DatagenOptions, ProblemsNameTheOption) {
  EXPECT_THAT(ProblemOptions("datagen", {{"disorder", "10"}}), ElementsAre("disorder"));
  EXPECT_THAT(ProblemOptions("datagen", {{"keys", "0"}}), ElementsAre("keys"));
  EXPECT_THAT(ProblemOptions("datagen", {{"keys", "5"}, {"hosts", "6"}}), ElementsAre("hosts"));
  EXPECT_THAT(ProblemOptions("datagen", {{"null-ratio", "1.5"}}), ElementsAre("null-ratio"));
  EXPECT_THAT(ProblemOptions("datagen", {{"start", "yesterday"}}), ElementsAre("start"));
  EXPECT_THAT(ProblemOptions("datagen", {{"number-of-rows", "-1"}}), ElementsAre("number-of-rows"));
  EXPECT_THAT(ProblemOptions("datagen", {{"disorder", "10s"}, {"skew", "1.2"}, {"start", "now"}}),
              IsEmpty());
}

}  // namespace
}  // namespace watershed
