#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "runtime/formats/base64.h"
#include "runtime/formats/json_text.h"
#include "runtime/formats/payload_field.h"
#include "runtime/formats/registry.h"
#include "tests/unit/exchange/rows.h"
#include "watershed/v1/types.pb.h"

namespace watershed {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;

v1::Format JsonFormat() {
  v1::Format format;
  format.set_name("json");
  return format;
}

std::vector<std::string> Encode(const RecordBatch& batch, const v1::Format& format) {
  auto encoder = MakeEncoder(format, batch.schema());
  EXPECT_TRUE(encoder) << encoder.error().message;
  std::string bytes = "left over";
  std::vector<size_t> offsets = {7};
  const Status status = (*encoder)->Encode(batch, bytes, offsets);
  EXPECT_TRUE(status) << status.error().message;
  std::vector<std::string> payloads;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    payloads.push_back(bytes.substr(offsets[i], offsets[i + 1] - offsets[i]));
  }
  return payloads;
}

TEST(JsonEncoderTest, EveryTypeAndNull) {
  EXPECT_THAT(Encode(AllTypesRows(1, 4), JsonFormat()),
              ElementsAre(R"({"s":"value 1","i":1,"l":1000,"d":0.25,"b":null,)"
                          R"("t":"1970-01-01 00:00:01.000","y":"dmFsdWUgNw=="})",
                          R"({"s":"value 2","i":2,"l":2000,"d":null,"b":true,)"
                          R"("t":"1970-01-01 00:00:02.000","y":"dmFsdWUgMTQ="})",
                          R"({"s":"value 3","i":3,"l":null,"d":0.75,"b":false,)"
                          R"("t":"1970-01-01 00:00:03.000","y":"dmFsdWUgMjE="})",
                          R"({"s":"value 4","i":null,"l":4000,"d":1,"b":true,)"
                          R"("t":"1970-01-01 00:00:04.000","y":null})"));
}

TEST(JsonEncoderTest, SomeColumnsOfABatchAloneInTheOrderAsked) {
  const RecordBatch batch = AllTypesRows(1, 2);
  v1::Format format = JsonFormat();
  v1::FormatColumn* column = format.add_columns();
  column->set_column("l");
  column->set_path("long");
  const auto encoder = MakeEncoder(format, batch.schema());
  ASSERT_TRUE(encoder);
  const std::vector<std::string> names = {"l", "s"};
  const auto keys = (*encoder)->OfColumns(names);
  ASSERT_TRUE(keys);
  std::string bytes;
  std::vector<size_t> offsets;
  ASSERT_TRUE((*keys)->Encode(batch, bytes, offsets));
  EXPECT_EQ(bytes, R"({"long":1000,"s":"value 1"}{"long":2000,"s":"value 2"})");
  EXPECT_EQ(offsets.size(), 3u);
  const std::vector<std::string> unknown = {"s", "q"};
  const auto refused = (*encoder)->OfColumns(unknown);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("no column 'q'; there are s, i, l"));
}

TEST(JsonEncoderTest, NamesPatternsAndUnits) {
  v1::Format format = JsonFormat();
  v1::FormatColumn* column = format.add_columns();
  column->set_column("t");
  column->set_path("event \"time\"");
  column->mutable_timestamp()->set_pattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
  BatchBuilder builder(
      std::make_shared<const Schema>(std::vector<Field>{{"t", {TypeKind::kTimestampMs}}}));
  builder.column(0).AppendInt64(1709251199999);
  builder.FinishRow();
  const RecordBatch batch = builder.Finish();
  EXPECT_THAT(Encode(batch, format),
              ElementsAre(R"({"event \"time\"":"2024-02-29T23:59:59.999Z"})"));
  column->mutable_timestamp()->set_epoch(v1::TimestampFormat::SECONDS);
  EXPECT_THAT(Encode(batch, format), ElementsAre(R"({"event \"time\"":1709251199})"));
  (*format.mutable_options())["timestamp-format.standard"] = "ISO-8601";
  column->clear_timestamp();
  EXPECT_THAT(Encode(batch, format),
              ElementsAre(R"({"event \"time\"":"2024-02-29T23:59:59.999"})"));
}

TEST(JsonEncoderTest, WhatItWritesIsReadBack) {
  const RecordBatch batch = AllTypesRows(0, 200);
  const auto payloads = Encode(batch, JsonFormat());
  const std::vector<std::string_view> views(payloads.begin(), payloads.end());
  auto decoder =
      MakeDecoder(JsonFormat(), std::make_shared<const Schema>(batch.schema()->fields()));
  ASSERT_TRUE(decoder);
  BatchBuilder builder(std::make_shared<const Schema>(batch.schema()->fields()));
  std::vector<int32_t> decoded;
  std::vector<DecodeError> errors;
  (*decoder)->Decode(views, builder, decoded, errors);
  ASSERT_TRUE(errors.empty()) << errors[0].reason;
  const RecordBatch back = builder.Finish();
  for (int64_t row = 0; row < 200; ++row) EXPECT_EQ(RowText(back, row), RowText(batch, row));
}

TEST(JsonEncoderTest, ATimeThatCannotBeWrittenIsAnError) {
  BatchBuilder builder(
      std::make_shared<const Schema>(std::vector<Field>{{"t", {TypeKind::kTimestampMs}}}));
  builder.column(0).AppendInt64(std::numeric_limits<int64_t>::max());
  builder.FinishRow();
  const RecordBatch batch = builder.Finish();
  auto encoder = MakeEncoder(JsonFormat(), batch.schema());
  ASSERT_TRUE(encoder);
  std::string bytes;
  std::vector<size_t> offsets;
  const Status status = (*encoder)->Encode(batch, bytes, offsets);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("field 't'"));
}

TEST(JsonTextTest, EscapesAndReadsBackEveryCharacter) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "é€😀";
  std::string quoted;
  AppendJsonString(all, quoted);
  EXPECT_THAT(quoted, HasSubstr(R"(\u0000\u0001)"));
  EXPECT_THAT(quoted, HasSubstr(R"(\b\t\n\u000b\f\r)"));
  EXPECT_THAT(quoted, HasSubstr(R"( !\"#)"));
  for (const char c : quoted) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  std::string back;
  ASSERT_TRUE(AppendUnescaped(std::string_view(quoted).substr(1, quoted.size() - 2), back));
  EXPECT_EQ(back, all);
}

RecordBatch OneDouble(double value) {
  BatchBuilder row(std::make_shared<const Schema>(std::vector<Field>{{"d", {TypeKind::kDouble}}}));
  row.column(0).AppendDouble(value);
  row.FinishRow();
  return row.Finish();
}

TEST(JsonEncoderTest, DoublesThatJsonHasNoNumberForAreText) {
  EXPECT_THAT(Encode(OneDouble(std::numeric_limits<double>::quiet_NaN()), JsonFormat()),
              ElementsAre(R"({"d":"NaN"})"));
  EXPECT_THAT(Encode(OneDouble(-std::numeric_limits<double>::infinity()), JsonFormat()),
              ElementsAre(R"({"d":"-Infinity"})"));
}

TEST(PayloadFieldTest, Doubles) {
  const auto text = [](double value) {
    std::string out;
    EXPECT_TRUE(AppendText(OneDouble(value).column(0), 0, {}, out));
    return out;
  };
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(text(1e300), "1e+300");
  EXPECT_EQ(text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "-Infinity");
  for (const double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.125}) {
    EXPECT_EQ(ParseJsonDouble(text(value)), value);
  }
}

TEST(Base64Test, GoesBothWays) {
  for (const std::string& bytes : {""s, "f"s, "fo"s, "foo"s, "foob"s, "\0\xFF\x7F"s}) {
    std::string text;
    AppendBase64(bytes, text);
    std::string back;
    EXPECT_TRUE(DecodeBase64(text, back)) << text;
    EXPECT_EQ(back, bytes);
  }
  std::string out;
  for (const char* bad :
       {"Zg", "Zg=", "Zg=a", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n", "Zm-_", "=Zg="}) {
    EXPECT_FALSE(DecodeBase64(bad, out)) << bad;
  }
}

}  // namespace
}  // namespace watershed
