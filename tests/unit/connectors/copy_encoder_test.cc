#include "runtime/connectors/postgres/copy_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace watershed {
namespace {

using testing::HasSubstr;

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

// Encodes one row of one value.
template <typename Append>
Result<std::string> EncodeOne(TypeKind kind, TargetColumn target, Append append) {
  const auto schema = std::make_shared<Schema>(std::vector<Field>{{"c", {kind}}});
  BatchBuilder builder(schema);
  append(builder.column(0));
  builder.FinishRow();
  target.name = "c";
  CopyEncoder encoder("table t", {std::move(target)});
  std::string out = "before";
  WS_RETURN_IF_ERROR(encoder.Append(builder.Finish(), out));
  return out.substr(6);
}

Result<std::string> EncodeText(std::string_view text, TargetColumn target = {}) {
  return EncodeOne(TypeKind::kString, std::move(target),
                   [&](Column& column) { column.AppendString(text); });
}

Result<std::string> EncodeInt64(int64_t value, CopyEncoding encoding) {
  return EncodeOne(TypeKind::kInt64, {.sql_type = "integer", .encoding = encoding},
                   [&](Column& column) { column.AppendInt64(value); });
}

TEST(CopyEncoder, FixedWidthValues) {
  EXPECT_EQ(*EncodeInt64(-2, CopyEncoding::kInt8),
            Bytes({0, 1, 0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 254}));
  EXPECT_EQ(*EncodeInt64(258, CopyEncoding::kInt4), Bytes({0, 1, 0, 0, 0, 4, 0, 0, 1, 2}));
  EXPECT_EQ(*EncodeInt64(258, CopyEncoding::kInt2), Bytes({0, 1, 0, 0, 0, 2, 1, 2}));
  EXPECT_EQ(*EncodeOne(TypeKind::kBool, {.encoding = CopyEncoding::kBool},
                       [](Column& column) { column.AppendBool(true); }),
            Bytes({0, 1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(*EncodeOne(TypeKind::kDouble, {.encoding = CopyEncoding::kFloat8},
                       [](Column& column) { column.AppendDouble(1.0); }),
            Bytes({0, 1, 0, 0, 0, 8, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0}));
}

TEST(CopyEncoder, TimesCountFromTheYear2000InMicroseconds) {
  const auto encode = [](int64_t ms) {
    return EncodeOne(TypeKind::kTimestampMs, {.encoding = CopyEncoding::kTimestamp},
                     [&](Column& column) { column.AppendInt64(ms); });
  };
  EXPECT_EQ(*encode(946'684'800'001), Bytes({0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 3, 0xe8}));
  EXPECT_EQ(encode(946'684'799'999)->substr(6), Bytes({255, 255, 255, 255, 255, 255, 0xfc, 0x18}));
  // The ends of PostgreSQL's range, and what no 64 bits hold.
  EXPECT_TRUE(encode(-210'866'803'200'000));
  EXPECT_FALSE(encode(-210'866'803'200'001));
  EXPECT_TRUE(encode(9'224'318'015'999'999));
  EXPECT_FALSE(encode(9'224'318'016'000'000));
  EXPECT_FALSE(encode(std::numeric_limits<int64_t>::max()));
  EXPECT_FALSE(encode(std::numeric_limits<int64_t>::min()));
}

TEST(CopyEncoder, NullsAndNotNull) {
  const auto append_null = [](Column& column) { column.AppendNull(); };
  EXPECT_EQ(*EncodeOne(TypeKind::kInt64, {.encoding = CopyEncoding::kInt8}, append_null),
            Bytes({0, 1, 255, 255, 255, 255}));
  const auto refused =
      EncodeOne(TypeKind::kInt64, {.encoding = CopyEncoding::kInt8, .not_null = true}, append_null);
  EXPECT_THAT(refused.error().message, HasSubstr("NOT NULL"));
}

TEST(CopyEncoder, NarrowerIntegersAreCheckedForRange) {
  EXPECT_TRUE(EncodeInt64(32'767, CopyEncoding::kInt2));
  EXPECT_FALSE(EncodeInt64(32'768, CopyEncoding::kInt2));
  EXPECT_TRUE(EncodeInt64(-2'147'483'648, CopyEncoding::kInt4));
  const auto refused = EncodeInt64(2'147'483'648, CopyEncoding::kInt4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "table t: column 'c' (integer) cannot take '2147483648': it is out of range");
}

TEST(CopyEncoder, VarcharCountsCharactersAndBlanksMayFallOff) {
  const TargetColumn three{.sql_type = "character varying(3)", .max_characters = 3};
  EXPECT_TRUE(EncodeText("abc", three));
  EXPECT_TRUE(EncodeText("äöü", three));
  EXPECT_TRUE(EncodeText("😀😀😀", three));
  EXPECT_TRUE(EncodeText("abc   ", three));
  EXPECT_FALSE(EncodeText("abcd", three));
  const auto refused = EncodeText(std::string(500, 'x'), three);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(refused.error().message, HasSubstr("has 500 characters, at most 3 fit"));
  EXPECT_LT(refused.error().message.size(), 300u);
}

TEST(CopyEncoder, TextThatPostgresCannotStore) {
  EXPECT_EQ(*EncodeText("a\n\t\\é"), Bytes({0, 1, 0, 0, 0, 6}) + "a\n\t\\é");
  EXPECT_THAT(EncodeText(std::string_view("ab\0cd", 5)).error().message, HasSubstr("ab\\x00cd"));
  EXPECT_THAT(EncodeText("\xff").error().message, HasSubstr("UTF-8"));
}

TEST(CheckText, FollowsPostgresRules) {
  const auto at_every_place = [](std::string_view piece) {
    TextDefect seen = TextDefect::kNone;
    for (size_t before = 0; before < 10; ++before) {
      const std::string text = std::string(before, 'a') + std::string(piece) + "bcdefghijklm";
      const TextDefect defect = CheckText(text);
      if (before > 0) {
        EXPECT_EQ(defect, seen) << before;
      }
      seen = defect;
    }
    return seen;
  };
  for (const char* good :
       {"é", "€", "😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\x7f"}) {
    EXPECT_EQ(at_every_place(good), TextDefect::kNone);
  }
  // Continuation alone, overlong, surrogate, above U+10FFFF, cut short, bytes that never occur.
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf0\x8f\xbf\xbf", "\xe2\x82", "\xf5\x80\x80\x80", "\xfe"}) {
    EXPECT_EQ(at_every_place(bad), TextDefect::kInvalidUtf8);
  }
  EXPECT_EQ(at_every_place(std::string_view("\0", 1)), TextDefect::kNul);
  EXPECT_EQ(CheckText("abc\xc3"), TextDefect::kInvalidUtf8);
  EXPECT_EQ(CheckText(""), TextDefect::kNone);
}

TEST(CopyEncoder, ABadRowLeavesNothingOfItsBatch) {
  const auto schema = std::make_shared<Schema>(std::vector<Field>{{"c", {TypeKind::kString}}});
  BatchBuilder builder(schema);
  builder.column(0).AppendString("good");
  builder.FinishRow();
  builder.column(0).AppendString({"\0", 1});
  builder.FinishRow();
  CopyEncoder encoder("table t", {{.name = "c"}});
  std::string out;
  EXPECT_FALSE(encoder.Append(builder.Finish(), out));
  EXPECT_EQ(out, "");
}

TEST(CopyEncoder, UpdatesAreRefused) {
  const auto schema = std::make_shared<Schema>(std::vector<Field>{{"c", {TypeKind::kString}}});
  BatchBuilder builder(schema);
  builder.column(0).AppendString("x");
  builder.FinishRow();
  RecordBatch batch = builder.Finish();
  batch.set_row_kinds(std::make_shared<const std::vector<RowKind>>(1, RowKind::kDelete));
  CopyEncoder encoder("table t", {{.name = "c"}});
  std::string out;
  EXPECT_FALSE(encoder.Append(batch, out));
}

}  // namespace
}  // namespace watershed
