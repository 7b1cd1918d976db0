#include "runtime/formats/timestamp_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <random>

namespace watershed {
namespace {

using testing::HasSubstr;

TimestampPattern Compiled(std::string_view pattern) {
  auto compiled = TimestampPattern::Compile(pattern);
  EXPECT_TRUE(compiled) << compiled.error().message;
  return *compiled;
}

TEST(TimestampPatternTest, ParsesWhatIsWritten) {
  struct Case {
    const char* pattern;
    const char* text;
    int64_t time_ms;
  };
  const Case cases[] = {
      {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "1970-01-01T00:00:00.000Z", 0},
      {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2024-02-29T23:59:59.999Z", 1709251199999},
      {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "1969-12-31T23:59:59.999Z", -1},
      {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "0001-01-01T00:00:00.000Z", -62135596800000},
      {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "9999-12-31T23:59:59.999Z", 253402300799999},
      {"yyyy-MM-dd HH:mm:ss", "2026-11-21 10:30:00", 1795257000000},
      {"uuuu/MM/dd", "2000/02/29", 951782400000},
      {"dd.MM.yyyy HH:mm", "01.03.1900 12:30", -2203846200000},
      {"yyyyMMddHHmmssSSS", "19700101000001234", 1234},
      {"yyyy-MM-dd HH:mm:ss.S", "1970-01-01 00:00:00.9", 900},
      {"yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "1970-01-01 00:00:00.123999999", 123},
      {"yyyy-MM-dd'''o''clock' HH", "1970-01-01'o'clock 01", 3600000},
  };
  for (const Case& test : cases) {
    const TimestampPattern pattern = Compiled(test.pattern);
    EXPECT_EQ(pattern.Parse(test.text), test.time_ms) << test.text;
  }
}

TEST(TimestampPatternTest, RefusesDatesThatDoNotExist) {
  const TimestampPattern pattern = Compiled("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
  for (const char* text : {"2024-02-30T00:00:00.000Z",
                           "2023-02-29T00:00:00.000Z",
                           "1900-02-29T00:00:00.000Z",
                           "2024-00-01T00:00:00.000Z",
                           "2024-13-01T00:00:00.000Z",
                           "2024-01-00T00:00:00.000Z",
                           "2024-01-32T00:00:00.000Z",
                           "2024-04-31T00:00:00.000Z",
                           "2024-01-01T24:00:00.000Z",
                           "2024-01-01T00:60:00.000Z",
                           "2024-01-01T00:00:60.000Z",
                           "0000-01-01T00:00:00.000Z",
                           "2024-01-01T00:00:00.000",
                           "2024-01-01T00:00:00.000ZZ",
                           "2024-01-01t00:00:00.000Z",
                           "2024-01-01T00:00:00.00aZ",
                           "2024-01-01T00:00:00.-01Z",
                           "20a4-01-01T00:00:00.000Z",
                           "2024-01-01T0 :00:00.000Z",
                           "",
                           "Z"}) {
    EXPECT_EQ(pattern.Parse(text), std::nullopt) << text;
  }
}

// Any character but the right one, anywhere, is refused.
TEST(TimestampPatternTest, EveryCharacterCounts) {
  const TimestampPattern pattern = Compiled("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
  const std::string good = "2024-01-10T11:12:13.141Z";
  ASSERT_TRUE(pattern.Parse(good));
  for (size_t i = 0; i < good.size(); ++i) {
    const bool digit = good[i] >= '0' && good[i] <= '9';
    for (int c = 0; c < 256; ++c) {
      std::string text = good;
      text[i] = static_cast<char>(c);
      if (text[i] == good[i] || (digit && c >= '0' && c <= '9')) continue;
      EXPECT_EQ(pattern.Parse(text), std::nullopt) << i << " " << c;
    }
  }
}

TEST(TimestampPatternTest, StandardFormatsTakeAnyFraction) {
  const TimestampPattern sql = TimestampPattern::Sql();
  EXPECT_EQ(sql.Parse("1970-01-01 00:00:01"), 1000);
  EXPECT_EQ(sql.Parse("1970-01-01 00:00:01.5"), 1500);
  EXPECT_EQ(sql.Parse("1970-01-01 00:00:01.123456789"), 1123);
  for (const char* text :
       {"1970-01-01 00:00:01.", "1970-01-01 00:00:01.1234567890", "1970-01-01T00:00:01",
        "1970-01-01 00:00:01,5", "1970-01-01 00:00:01.5Z", "1970-01-01 00:00"}) {
    EXPECT_EQ(sql.Parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(TimestampPattern::Iso8601().Parse("1970-01-01T00:00:01.25"), 1250);
  std::string text;
  EXPECT_TRUE(sql.Append(1500, text));
  EXPECT_TRUE(TimestampPattern::Iso8601().Append(-1, text));
  EXPECT_EQ(text, "1970-01-01 00:00:01.5001969-12-31T23:59:59.999");
}

// Against the C library's calendar, and back again.
TEST(TimestampPatternTest, AgreesWithGmtime) {
  const TimestampPattern pattern = Compiled("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto ms = static_cast<int64_t>(random() % 315'537'897'600'000) - 62'135'596'800'000;
    std::string text;
    ASSERT_TRUE(pattern.Append(ms, text));
    ASSERT_EQ(pattern.Parse(text), ms) << text;
    const time_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
    std::tm tm{};
    gmtime_r(&seconds, &tm);
    ASSERT_EQ(text, fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", tm.tm_year + 1900,
                                tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                                ms - seconds * 1000));
  }
}

TEST(TimestampPatternTest, WritesOnlyYears1To9999) {
  const TimestampPattern pattern = Compiled("yyyy-MM-dd");
  std::string text;
  for (const int64_t ms :
       {int64_t{-62135596800001}, int64_t{253402300800000}, INT64_MIN, INT64_MAX}) {
    EXPECT_FALSE(pattern.Append(ms, text)) << ms;
  }
  EXPECT_EQ(text, "");
}

TEST(TimestampPatternTest, BadPatternsSayWhatToWrite) {
  struct Case {
    const char* pattern;
    const char* message;
  };
  const Case cases[] = {
      {"", "lacks a year"},
      {"HH:mm", "lacks a year"},
      {"yy-MM-dd", "write 'yyyy'"},
      {"yyyy-M-d", "write 'MM'"},
      {"yyyy-MM-dd h:mm", "'h' in 'yyyy-MM-dd h:mm' is not supported"},
      {"yyyy-MM-ddTHH:mm", "'T'"},
      {"yyyy-MM-dd'THH", "quote is not closed"},
      {"yyyy-MM-dd yyyy", "occurs twice"},
      {"yyyy-MM-dd mm", "without the larger one"},
      {"yyyy-MM-dd HH:mm:ss.SSSSSSSSSS", "more than nine"},
      {"yyyy-MM-dd[ HH]", "'['"},
      {"yyyy-MM-dd HH:mm:ssX", "the time is UTC"},
  };
  for (const Case& test : cases) {
    const auto compiled = TimestampPattern::Compile(test.pattern);
    ASSERT_FALSE(compiled) << test.pattern;
    EXPECT_EQ(compiled.error().domain, ErrorDomain::kUser);
    EXPECT_THAT(compiled.error().message, HasSubstr(test.message));
  }
}

}  // namespace
}  // namespace watershed
