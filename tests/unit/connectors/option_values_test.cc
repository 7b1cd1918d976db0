#include "runtime/connectors/option_values.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

TEST(OptionValues, NumbersMustBeWhole) {
  EXPECT_EQ(ParseInt64(" -42 ").value(), -42);
  for (const char* bad : {"", "4 2", "42x", "0x10", "9223372036854775808", "1.5"}) {
    EXPECT_FALSE(ParseInt64(bad)) << bad;
  }
  EXPECT_DOUBLE_EQ(ParseDouble("1.25").value(), 1.25);
  for (const char* bad : {"", "nan", "inf", "1,5", "1.5 s"}) EXPECT_FALSE(ParseDouble(bad)) << bad;
}

TEST(OptionValues, Bools) {
  EXPECT_TRUE(ParseBool("true").value());
  EXPECT_FALSE(ParseBool("false").value());
  for (const char* bad : {"", "yes", "True", "1"}) EXPECT_FALSE(ParseBool(bad)) << bad;
}

TEST(OptionValues, TimesAreUtc) {
  EXPECT_EQ(ParseTimestampMs("1970-01-01").value(), 0);
  EXPECT_EQ(ParseTimestampMs("2024-01-31T08:00:00.123Z").value(), 1706688000123);
  EXPECT_EQ(ParseTimestampMs("2024-01-31 08:00:00").value(), 1706688000000);
  for (const char* bad : {"", "now", "2024-02-30", "2024-01-31T24:00:00Z", "2024-01-31T08:00",
                          "2024-01-31T08:00:00.1Z", "2024-01-31T08:00:00+01:00",
                          "2024-01-31T08:00:00Zx", "31.01.2024"}) {
    EXPECT_FALSE(ParseTimestampMs(bad)) << bad;
  }
}

TEST(OptionValues, ListsDropBlanksAndEmptyPieces) {
  EXPECT_EQ(SplitList(" a; b ;;c;", ';'), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(SplitList("", ';').empty());
}

TEST(OptionValues, AnEmptyValueCountsAsAbsent) {
  const OptionMap options = {{"rate", ""}, {"keys", "many"}};
  EXPECT_EQ(FindOption(options, "rate"), nullptr);
  EXPECT_FALSE(ReadInt64(options, "rate").value().has_value());
  EXPECT_EQ(ReadInt64(options, "keys").error().message, "keys: expected an integer, got 'many'");
}

}  // namespace
}  // namespace watershed
