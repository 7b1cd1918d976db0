#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/formats/json_payloads.h"

namespace watershed {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(JsonDecoderTest, GoodValues) {
  struct Case {
    const char* payload;
    const char* row;
  };
  const Case cases[] = {
      {"{}", "NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
      {"  {\n}\t ", "NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":null,"i":null,"l":null,"d":null,"b":null,"y":null,"t":null})",
       "NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":"a.io","i":1,"l":2,"d":0.5,"b":true,"y":"AP8=","t":"1970-01-01T00:00:01.002Z"})",
       "a.io|1|2|0.500000|true|\0\xFF|1002"},
      // Another order, whitespace everywhere, fields nobody asked for before, between and after.
      {"{ \"x\" : {\"host\":[1,{}]} , \"t\" : \"1970-01-01T00:00:00.000Z\" ,\n\"host\" : \"h\" , "
       "\"z\" : [ \"}\" , \"host\" ] } ",
       "h|NULL|NULL|NULL|NULL|NULL|0"},
      // A name that is the beginning of a wanted one, or the other way round.
      {R"({"hos":1,"hostt":2,"":3})", "NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
      // Limits.
      {R"({"i":2147483647,"l":9223372036854775807})",
       "NULL|2147483647|9223372036854775807|NULL|"
       "NULL|NULL|NULL"},
      {R"({"i":-2147483648,"l":-9223372036854775808})",
       "NULL|-2147483648|-9223372036854775808|NULL|NULL|NULL|NULL"},
      // Strings that hold scalars, and scalars in a string column: as Flink.
      {R"({"i":"7","l":"-8","d":"1.25","b":"false"})", "NULL|7|-8|1.250000|false|NULL|NULL"},
      {R"({"i":" 7\t","d":"\n2 "})", "NULL|7|NULL|2.000000|NULL|NULL|NULL"},
      {R"({"host":12.50})", "12.50|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":-0})", "-0|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":true})", "true|NULL|NULL|NULL|NULL|NULL|NULL"},
      // Objects and arrays in a string column keep their text.
      {R"({"host":{"family":"Chrome","major":null} ,"i":1})",
       R"({"family":"Chrome","major":null}|1|NULL|NULL|NULL|NULL|NULL)"},
      {R"({"host": [ 1, {"a":"]"} ]  })", R"([ 1, {"a":"]"} ]|NULL|NULL|NULL|NULL|NULL|NULL)"},
      {R"({"host":{}})", "{}|NULL|NULL|NULL|NULL|NULL|NULL"},
      // Doubles.
      {R"({"d":3})", "NULL|NULL|NULL|3.000000|NULL|NULL|NULL"},
      {R"({"d":-1.5e2})", "NULL|NULL|NULL|-150.000000|NULL|NULL|NULL"},
      {R"({"d":1e-400})", "NULL|NULL|NULL|0.000000|NULL|NULL|NULL"},
      // Escapes, in values and in names.
      {R"({"host":"a\"\\\/\b\f\n\r\tz"})", "a\"\\/\b\f\n\r\tz|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":"\u00e9\u20AC\ud83d\ude00"})", "é€😀|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"ho\u0073t":"x","\"i":1})", "x|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":"grüße"})", "grüße|NULL|NULL|NULL|NULL|NULL|NULL"},
      // A surrogate without its partner becomes '?', as in Flink.
      {R"({"host":"a\ud800b"})", "a?b|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":"\udc00\ud83d"})", "??|NULL|NULL|NULL|NULL|NULL|NULL"},
      {R"({"host":"\ud83d\u0041"})", "?A|NULL|NULL|NULL|NULL|NULL|NULL"},
      // The last of two fields of one name wins, even over a bad first one.
      {R"({"i":1,"i":2})", "NULL|2|NULL|NULL|NULL|NULL|NULL"},
      {R"({"i":"x","i":2})", "NULL|2|NULL|NULL|NULL|NULL|NULL"},
      {R"({"i":1,"i":null})", "NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
      // What nobody asked for is only skipped.
      {R"({"x":NaN,"i":1,"z":01})", "NULL|1|NULL|NULL|NULL|NULL|NULL"},
  };
  for (const Case& test : cases) {
    const Outcome outcome = Decode({test.payload});
    EXPECT_THAT(outcome.errors, IsEmpty()) << test.payload;
    ASSERT_EQ(outcome.rows.size(), 1u) << test.payload;
    if (std::string_view(test.row).starts_with("a.io")) {
      EXPECT_EQ(outcome.rows[0], "a.io|1|2|0.500000|true|\0\xFF|1002"s);
    } else {
      EXPECT_EQ(outcome.rows[0], test.row) << test.payload;
    }
  }
}

TEST(JsonDecoderTest, TextWithNulIsKept) {
  const Outcome outcome = Decode({R"({"host":"a\u0000b"})"});
  EXPECT_THAT(outcome.rows, ElementsAre("a\0b|NULL|NULL|NULL|NULL|NULL|NULL"s));
}

TEST(JsonDecoderTest, Malformed) {
  const std::string cases[] = {
      "",
      " ",
      "x",
      "null",
      "42",
      "[]",
      R"("text")",
      R"([{"i":1}])",
      "{",
      "}",
      R"({"i":1)",
      R"({"i":1]})",
      R"({"i":1}})",
      R"({"i":1} {"i":2})",
      R"({"i":1}{"i":2})",
      R"({"i":1} x)",
      R"({"i":1},)",
      R"({"i" 1})",
      R"({"i":})",
      R"({"i":,"l":2})",
      R"({"x":,"y":{"z":1}}})",
      R"({:1})",
      R"({1:1})",
      R"({"i"})",
      R"({"i":1,})",
      R"({"i":1 "l":2})",
      R"({,"i":1})",
      R"({"x":{"y":1,"i":1})",
      R"({"host":{"a":1)",
      R"({"host":"abc})",
      R"({"host":"abc\"})",
      "{\"host\":\"a\nb\"}",       // a raw control character in a string
      "{\"host\":\"\xFF\"}",       // no UTF-8
      "{\"host\":\"\xC3\"}",       // cut off in a character
      "{\"x\":\"\xED\xA0\x80\"}",  // a surrogate encoded as UTF-8, in a field nobody asked for
      "{\"host\":\"\xF8\x88\x80\x80\x80\"}",
      "{\"i\":1}\0"s,
      "\xEF\xBB\xBF{}",
  };
  for (const std::string& payload : cases) {
    const Outcome outcome = Decode({payload});
    EXPECT_THAT(outcome.rows, IsEmpty()) << payload;
    EXPECT_THAT(outcome.errors, ElementsAre(HasSubstr("malformed JSON: "))) << payload;
  }
}

TEST(JsonDecoderTest, UsedFieldsThatDoNotConvert) {
  struct Case {
    const char* payload;
    const char* reason;
  };
  const Case cases[] = {
      {R"({"i":"x"})", "field 'i': expected an int (32-bit integer), found \"x\""},
      {R"({"i":2147483648})", "field 'i': expected an int (32-bit integer), found 2147483648"},
      {R"({"i":1.0})", "field 'i': expected an int (32-bit integer), found 1.0"},
      {R"({"i":1e2})", "field 'i'"},
      {R"({"i":01})", "field 'i'"},
      {R"({"i":+1})", "field 'i'"},
      {R"({"i":""})", "field 'i'"},
      {R"({"i":" "})", "field 'i'"},
      {R"({"i":"1 2"})", "field 'i'"},
      {R"({"i":true})", "field 'i'"},
      {R"({"i":{"a":1}})", "field 'i': expected an int (32-bit integer), found {\"a\":1}"},
      {R"({"i":[1]})", "field 'i'"},
      {R"({"i":nul})", "field 'i'"},
      {R"({"l":9223372036854775808})", "field 'l': expected a bigint"},
      {R"({"l":-9223372036854775809})", "field 'l': expected a bigint"},
      {R"({"d":NaN})", "field 'd': expected a finite number, found NaN"},
      {R"({"d":Infinity})", "field 'd'"},
      {R"({"d":"NaN"})", "field 'd'"},
      {R"({"d":1e999})", "field 'd'"},
      {R"({"d":.5})", "field 'd'"},
      {R"({"d":1.})", "field 'd'"},
      {R"({"d":0x10})", "field 'd'"},
      {R"({"b":1})", "field 'b': expected true or false, found 1"},
      {R"({"b":"yes"})", "field 'b'"},
      {R"({"b":truee})", "field 'b'"},
      {R"({"y":"*"})", "field 'y': expected base64 text"},
      {R"({"y":"QQ"})", "field 'y'"},
      {R"({"y":"QR=="})", "field 'y'"},
      {R"({"y":1})", "field 'y'"},
      {R"({"host":nulll})", "field 'host'"},
      {R"({"host":undefined})", "field 'host'"},
      {R"({"host":"\x41"})", "field 'host': expected a string with valid escapes"},
      {R"({"host":"\u12G4"})", "field 'host'"},
      {R"({"host":"\u123"})", "field 'host'"},
      {R"({"t":"2024-02-30T00:00:00.000Z"})",
       "field 't': expected a timestamp like yyyy-MM-dd'T'HH:mm:ss.SSS'Z', found "
       "\"2024-02-30T00:00:00.000Z\""},
      {R"({"t":"2024-01-01 00:00:00.000Z"})", "field 't'"},
      {R"({"t":"2024-01-01T00:00:00Z"})", "field 't'"},
      {R"({"t":"2024-01-01T00:00:00.000"})", "field 't'"},
      {R"({"t":"2024-01-01T24:00:00.000Z"})", "field 't'"},
      {R"({"t":"2024-1-01T00:00:00.0000Z"})", "field 't'"},
      {R"({"t":""})", "field 't'"},
      {R"({"t":1700000000000})", "field 't'"},
      {R"({"t":{"a":"b"}})", "field 't'"},
  };
  for (const Case& test : cases) {
    // Good rows around the bad one: it must leave no trace in the columns before its field.
    const std::string good =
        R"({"host":"h","i":1,"l":2,"d":3,"b":true,"y":"QQ==","t":"1970-01-01T00:00:00.000Z"})";
    std::string bad = R"({"host":"bad","i":7,"l":7,"d":7,"b":true,"y":"QQ==",)";
    bad += test.payload + 1;
    const Outcome outcome = Decode({good, bad, good});
    EXPECT_THAT(outcome.rows, ElementsAre("h|1|2|3.000000|true|A|0", "h|1|2|3.000000|true|A|0"))
        << bad;
    EXPECT_THAT(outcome.errors, ElementsAre(HasSubstr(test.reason))) << bad;
  }
}

TEST(JsonDecoderTest, LongValuesAreShortenedBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "é";
  const Outcome outcome = Decode({"{\"i\":\"" + text + "\"}"});
  ASSERT_EQ(outcome.errors.size(), 1u);
  EXPECT_LT(outcome.errors[0].size(), 120u);
  EXPECT_THAT(outcome.errors[0], testing::EndsWith("é…"));
}

TEST(JsonDecoderTest, StrictValidatesWhatNobodyAskedFor) {
  for (const char* payload : {R"({"x":NaN})", R"({"x":01})", R"({"x":tru})", R"({"x":{"y":}})",
                              R"({"x":"\q"})", R"({"x":[1,]})"}) {
    EXPECT_THAT(Decode({payload}, JsonFormat(true)).errors, ElementsAre(HasSubstr("malformed")))
        << payload;
  }
  EXPECT_THAT(Decode({R"({"x":[1,{"y":null}],"i":3})"}, JsonFormat(true)).rows,
              ElementsAre("NULL|3|NULL|NULL|NULL|NULL|NULL"));
}

TEST(JsonDecoderTest, TombstonesAreErrors) {
  auto decoder = MakeDecoder(JsonFormat(), TestSchema());
  ASSERT_TRUE(decoder);
  BatchBuilder builder(TestSchema());
  std::vector<int32_t> decoded;
  std::vector<DecodeError> errors;
  const std::vector<std::string_view> payloads = {std::string_view(), "{}"};
  (*decoder)->Decode(payloads, builder, decoded, errors);
  EXPECT_THAT(decoded, ElementsAre(1));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].index, 0);
  EXPECT_THAT(errors[0].reason, HasSubstr("tombstone"));
}

TEST(JsonDecoderTest, EventTimeAndNotNullColumnsMustBeThere) {
  const auto schema = std::make_shared<const Schema>(
      std::vector<Field>{{"ip", {TypeKind::kString}, /*not_null=*/true},
                         {"t", {TypeKind::kTimestampMs}},
                         {"host", {TypeKind::kString}}},
      1);
  const std::string t = R"("t":"1970-01-01T00:00:00.001Z")";
  const Outcome outcome = Decode({"{" + t + "}", R"({"ip":"a"})", R"({"ip":"a","t":null})",
                                  R"({"ip":null,)" + t + "}", R"({"ip":"b",)" + t + "}"},
                                 JsonFormat(), schema);
  EXPECT_THAT(outcome.rows, ElementsAre("b|1|NULL"));
  EXPECT_THAT(outcome.errors,
              ElementsAre("field 'ip' is missing, but the column is marked not-null",
                          "field 't' is missing, but it is the event time",
                          "field 't' is null, but it is the event time",
                          "field 'ip' is null, but the column is marked not-null"));
}

TEST(JsonDecoderTest, PathsAndEpochUnits) {
  const auto schema =
      std::make_shared<const Schema>(std::vector<Field>{{"user_id", {TypeKind::kString}},
                                                        {"s", {TypeKind::kTimestampMs}},
                                                        {"ms", {TypeKind::kTimestampMs}},
                                                        {"us", {TypeKind::kTimestampMs}},
                                                        {"sql", {TypeKind::kTimestampMs}}});
  v1::Format format;
  format.set_name("json");
  const auto add = [&](const char* column, const char* path, v1::TimestampFormat::EpochUnit unit) {
    v1::FormatColumn* out = format.add_columns();
    out->set_column(column);
    out->set_path(path);
    if (unit != 0) out->mutable_timestamp()->set_epoch(unit);
  };
  add("user_id", "userId", v1::TimestampFormat::EPOCH_UNIT_UNSPECIFIED);
  add("s", "timestamp", v1::TimestampFormat::SECONDS);
  add("ms", "", v1::TimestampFormat::MILLISECONDS);
  add("us", "", v1::TimestampFormat::MICROSECONDS);
  add("pruned", "x", v1::TimestampFormat::SECONDS);
  const Outcome outcome =
      Decode({R"({"userId":"u","user_id":"no","timestamp":1700000000,"ms":1700000000123,"us":1999,)"
              R"("sql":"1970-01-01 00:00:01.5"})",
              R"({"timestamp":"-1","ms":-1,"us":-1,"sql":"1970-01-01 00:00:01"})",
              R"({"timestamp":9223372036854775})", R"({"timestamp":9223372036854776})",
              R"({"timestamp":1.5})", R"({"ms":"2024-01-01"})", R"({"sql":"1970-01-01T00:00:01"})"},
             format, schema);
  EXPECT_THAT(outcome.rows,
              ElementsAre("u|1700000000000|1700000000123|1|1500", "NULL|-1000|-1|-1|1000",
                          "NULL|9223372036854775000|NULL|NULL|NULL"));
  EXPECT_THAT(outcome.errors,
              ElementsAre(HasSubstr("field 'timestamp': expected epoch seconds (an integer)"),
                          HasSubstr("'timestamp'"), HasSubstr("'ms'"),
                          HasSubstr("a timestamp like yyyy-MM-dd HH:mm:ss.SSS")));
}

TEST(FormatRegistryTest, RefusesByName) {
  const auto message = [](const std::function<void(v1::Format&)>& change) {
    v1::Format format = JsonFormat();
    change(format);
    const auto decoder = MakeDecoder(format, TestSchema());
    EXPECT_FALSE(decoder);
    if (decoder) return std::string();
    EXPECT_EQ(decoder.error().domain, ErrorDomain::kUser);
    return decoder.error().message;
  };
  EXPECT_THAT(message([](v1::Format& f) { f.set_name("avro"); }), HasSubstr("no format 'avro'"));
  EXPECT_THAT(message([](v1::Format& f) { (*f.mutable_options())["strict"] = "true"; }),
              HasSubstr("no option 'strict'"));
  EXPECT_THAT(message([](v1::Format& f) { (*f.mutable_options())["strict-json"] = "yes"; }),
              HasSubstr("strict-json"));
  EXPECT_THAT(
      message([](v1::Format& f) { (*f.mutable_options())["timestamp-format.standard"] = "RFC"; }),
      HasSubstr("SQL or ISO-8601"));
  EXPECT_THAT(message([](v1::Format& f) {
                f.mutable_columns(0)->mutable_timestamp()->set_pattern("yyyy-M-dd");
              }),
              HasSubstr("column 't': 'M' in 'yyyy-M-dd': write 'MM'"));
}

}  // namespace
}  // namespace watershed
