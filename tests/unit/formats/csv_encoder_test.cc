#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "runtime/formats/registry.h"
#include "tests/unit/exchange/rows.h"
#include "watershed/v1/types.pb.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Options = std::vector<std::pair<std::string, std::string>>;

v1::Format CsvFormat(const Options& options) {
  v1::Format format;
  format.set_name("csv");
  for (const auto& [name, value] : options) (*format.mutable_options())[name] = value;
  return format;
}

std::vector<std::string> Encode(const RecordBatch& batch, const Options& options = {}) {
  auto encoder = MakeEncoder(CsvFormat(options), batch.schema());
  EXPECT_TRUE(encoder) << encoder.error().message;
  std::string bytes = "left over";
  std::vector<size_t> offsets = {7};
  const Status status = (*encoder)->Encode(batch, bytes, offsets);
  EXPECT_TRUE(status) << status.error().message;
  std::vector<std::string> records;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    records.push_back(bytes.substr(offsets[i], offsets[i + 1] - offsets[i]));
  }
  return records;
}

// A row of text and a number beside it.
RecordBatch Text(const std::vector<std::optional<std::string>>& values) {
  BatchBuilder builder(std::make_shared<const Schema>(
      std::vector<Field>{{"a", {TypeKind::kString}}, {"n", {TypeKind::kInt64}}}));
  for (const auto& value : values) {
    if (value) {
      builder.column(0).AppendString(*value);
    } else {
      builder.column(0).AppendNull();
    }
    builder.column(1).AppendInt64(1);
    builder.FinishRow();
  }
  return builder.Finish();
}

TEST(CsvEncoderTest, EveryTypeAndNull) {
  EXPECT_THAT(Encode(AllTypesRows(1, 1, false)),
              ElementsAre("value 1,1,1000,0.25,false,1970-01-01 00:00:01.000,dmFsdWUgNw=="));
  EXPECT_THAT(Encode(AllTypesRows(1, 1)),
              ElementsAre("value 1,1,1000,0.25,,1970-01-01 00:00:01.000,dmFsdWUgNw=="));
}

TEST(CsvEncoderTest, QuotesWhatNeedsIt) {
  EXPECT_THAT(Encode(Text({"a b", "a,b", "say \"hi\"", "two\nlines", "cr\r", " x ", "it's;"})),
              ElementsAre("a b,1", "\"a,b\",1", "\"say \"\"hi\"\"\",1", "\"two\nlines\",1",
                          "\"cr\r\",1", " x ,1", "it's;,1"));
}

TEST(CsvEncoderTest, NullDiffersFromEmptyTextAndFromItsLiteral) {
  EXPECT_THAT(Encode(Text({std::nullopt, ""})), ElementsAre(",1", "\"\",1"));
  EXPECT_THAT(Encode(Text({std::nullopt, "", "n/a"}), {{"null-literal", "n/a"}}),
              ElementsAre("n/a,1", "\"\",1", "\"n/a\",1"));
}

TEST(CsvEncoderTest, OtherDelimiterAndQuote) {
  EXPECT_THAT(
      Encode(Text({"a,b", "a;b", "it's"}), {{"field-delimiter", ";"}, {"quote-character", "'"}}),
      ElementsAre("a,b;1", "'a;b';1", "'it''s';1"));
}

TEST(CsvEncoderTest, NotANumberIsAWord) {
  BatchBuilder builder(
      std::make_shared<const Schema>(std::vector<Field>{{"d", {TypeKind::kDouble}}}));
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), -1e300}) {
    builder.column(0).AppendDouble(value);
    builder.FinishRow();
  }
  EXPECT_THAT(Encode(builder.Finish()), ElementsAre("NaN", "-1e+300"));
}

TEST(CsvEncoderTest, RefusesOptionsThatCannotBe) {
  const SchemaPtr schema = Text({}).schema();
  const auto error = [&](const Options& options) {
    auto made = MakeEncoder(CsvFormat(options), schema);
    return made ? "none" : made.error().message;
  };
  EXPECT_THAT(error({{"field-delimiter", "ab"}}), HasSubstr("expected one ASCII character"));
  EXPECT_THAT(error({{"field-delimiter", "§"}}), HasSubstr("expected one ASCII character"));
  EXPECT_THAT(error({{"field-delimiter", "\""}}), HasSubstr("are both"));
  EXPECT_THAT(error({{"null-literal", "a,b"}}), HasSubstr("delimiter"));
  EXPECT_THAT(error({{"nul-literal", "x"}}), HasSubstr("has no option"));
  const auto decoder = MakeDecoder(CsvFormat({}), schema);
  ASSERT_FALSE(decoder);
  EXPECT_THAT(decoder.error().message, HasSubstr("can only be written"));
}

}  // namespace
}  // namespace watershed
