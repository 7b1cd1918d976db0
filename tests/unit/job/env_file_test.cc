#include "runtime/job/env_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

auto Parse(std::string_view text) { return ParseEnvFile(text, "flink-env.env"); }

TEST(EnvFileTest, ReadsWhatShellAndComposeTake) {
  const auto variables = Parse(
      "\xEF\xBB\xBF# comment\n"
      "\n"
      "KAFKA_URL=broker:9092\r\n"
      "  export KAFKA_GROUP = web events  \n"
      "exported=1\n"
      "EMPTY=\n"
      "HASH=a#b # comment\n"
      "ONLY_COMMENT=# nothing\n"
      "EQUALS=a=b==\n"
      "LAST=no newline");
  ASSERT_TRUE(variables) << variables.error().message;
  EXPECT_THAT(*variables, ElementsAre(Pair("EMPTY", ""), Pair("EQUALS", "a=b=="),
                                      Pair("HASH", "a#b"), Pair("KAFKA_GROUP", "web events"),
                                      Pair("KAFKA_URL", "broker:9092"), Pair("LAST", "no newline"),
                                      Pair("ONLY_COMMENT", ""), Pair("exported", "1")));
}

TEST(EnvFileTest, Quotes) {
  const auto variables = Parse(
      "SINGLE='a \\n \"b\" # $c'  # comment\n"
      "DOUBLE=\"a \\\"b\\\" \\$c \\\\ \\n \\x\"\n");
  ASSERT_TRUE(variables) << variables.error().message;
  EXPECT_THAT(*variables, ElementsAre(Pair("DOUBLE", "a \"b\" $c \\ \n \\x"),
                                      Pair("SINGLE", "a \\n \"b\" # $c")));
}

TEST(EnvFileTest, LaterLineWins) {
  EXPECT_THAT(*Parse("A=1\nB=2\nA=3\n"), ElementsAre(Pair("A", "3"), Pair("B", "2")));
}

TEST(EnvFileTest, EmptyFile) { EXPECT_THAT(*Parse(""), ElementsAre()); }

TEST(EnvFileTest, BadLinesAreNamedWithoutTheirValues) {
  const std::pair<const char*, const char*> kCases[] = {
      {"A=1\nsecret-without-equals",
       "flink-env.env:2: expected NAME=VALUE, a comment or an empty line"},
      {"1A=secret", "flink-env.env:1: expected NAME=VALUE, a comment or an empty line"},
      {"A-B=secret", "flink-env.env:1: expected NAME=VALUE, a comment or an empty line"},
      {"=secret", "flink-env.env:1: expected NAME=VALUE, a comment or an empty line"},
      {"\n\nA='secret", "flink-env.env:3: value of A: the closing ' is missing"},
      {"A=\"secret", "flink-env.env:1: value of A: the closing \" is missing"},
      {"A=\"secret\\", "flink-env.env:1: value of A: the closing \" is missing"},
      {"A='se'cret", "flink-env.env:1: value of A: text follows the closing quote"},
      {"A=\"se\"cret", "flink-env.env:1: value of A: text follows the closing quote"},
  };
  for (const auto& [text, message] : kCases) {
    const auto variables = Parse(text);
    ASSERT_FALSE(variables) << text;
    EXPECT_EQ(variables.error().message, message);
    EXPECT_EQ(variables.error().domain, ErrorDomain::kUser);
  }
}

}  // namespace
}  // namespace watershed
