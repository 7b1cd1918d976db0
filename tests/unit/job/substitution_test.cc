#include "runtime/job/substitution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/job/nearest_name.h"

namespace watershed {
namespace {

const std::map<std::string, std::string, std::less<>> kVariables = {
    {"HOST", "broker"}, {"PORT", "9092"}, {"EMPTY", ""}, {"NESTED", "${HOST}"}};

SubstitutedText Fill(std::string_view text) {
  SubstitutionContext context;
  context.variables = &kVariables;
  context.read_file = [](const std::string& path) -> Result<std::string> {
    if (path == "/run/secrets/x") return "two\nlines\r\n";
    return UserError("cannot be read");
  };
  return Substitute(text, context);
}

TEST(SubstitutionTest, FillsIn) {
  const std::pair<const char*, const char*> kCases[] = {
      {"plain $text {x}", "plain $text {x}"},
      {"${HOST}", "broker"},
      {"a${HOST}:${PORT}z", "abroker:9092z"},
      {"${NONE:localhost:9092}", "localhost:9092"},
      {"${HOST:other}", "broker"},
      {"${EMPTY:default}", "default"},
      {"${EMPTY:}${NONE:}", ""},
      {"$${HOST} and $$", "${HOST} and $$"},
      {"${HOST}$${HOST}${PORT}", "broker${HOST}9092"},
      {"${NESTED}", "${HOST}"},  // values are not filled in again
      {"${file:/run/secrets/x}", "two\nlines"},
  };
  for (const auto& [text, expected] : kCases) {
    const SubstitutedText filled = Fill(text);
    EXPECT_EQ(filled.value, expected) << text;
    EXPECT_THAT(filled.errors, ::testing::IsEmpty()) << text;
  }
}

TEST(SubstitutionTest, TellsWhereAValueCameFrom) {
  EXPECT_FALSE(Fill("plain $${HOST}").substituted);
  EXPECT_TRUE(Fill("${HOST}").substituted);
  EXPECT_FALSE(Fill("${HOST}").from_file);
  EXPECT_TRUE(Fill("user:${file:/run/secrets/x}").from_file);
}

TEST(SubstitutionTest, ReportsEveryReference) {
  EXPECT_EQ(Fill("${A} ${B} ${HOST} ${file:/nowhere} ${}").errors.size(), 4U);
  EXPECT_EQ(Fill("${HOST").errors.size(), 1U);
  SubstitutionContext without_files;
  without_files.variables = &kVariables;
  EXPECT_EQ(Substitute("${file:/run/secrets/x}", without_files).errors.size(), 1U);
}

TEST(NearestNameTest, EditDistance) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("gap", ""), 3);
  EXPECT_EQ(EditDistance("gap", "gaps"), 1);
  EXPECT_EQ(EditDistance("host", "hots"), 1);  // a swap
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(NearestNameTest, FindsWhatWasMeant) {
  const std::string_view kNames[] = {"earliest-offset", "latest-offset", "key", "parallelism"};
  EXPECT_EQ(NearestName("paralelism", kNames), "parallelism");
  EXPECT_EQ(NearestName("PARALLELISM", kNames), "parallelism");
  EXPECT_EQ(NearestName("earliest", kNames), "earliest-offset");
  EXPECT_EQ(NearestName("keys", kNames), "key");
  EXPECT_EQ(NearestName("x", kNames), "");
  EXPECT_EQ(NearestName("something else", kNames), "");
  EXPECT_EQ(NearestName(std::string(100'000, 'x'), kNames), "");
}

}  // namespace
}  // namespace watershed
