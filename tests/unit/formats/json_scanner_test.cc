// How fields are found: in which order, where in memory, in how large and how damaged a document.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/unit/formats/json_payloads.h"

namespace watershed {
namespace {

using testing::ElementsAre;

TEST(JsonScannerTest, TheOrderOfFieldsMayChangeFromRecordToRecord) {
  auto decoder = MakeDecoder(JsonFormat(), TestSchema());
  ASSERT_TRUE(decoder);
  const std::vector<std::string> payloads = {R"({"i":1,"l":2,"x":3})",
                                             R"({"l":1,"x":2,"i":3})",
                                             R"({"x":1,"i":2,"l":3})",
                                             R"({"i":1,"l":2,"x":3})",
                                             R"({"host":"h"})",
                                             R"({"\u0069":9})",
                                             R"({"i":8})"};
  const std::vector<std::string> rows = {
      "NULL|1|2|NULL|NULL|NULL|NULL",    "NULL|3|1|NULL|NULL|NULL|NULL",
      "NULL|2|3|NULL|NULL|NULL|NULL",    "NULL|1|2|NULL|NULL|NULL|NULL",
      "h|NULL|NULL|NULL|NULL|NULL|NULL", "NULL|9|NULL|NULL|NULL|NULL|NULL",
      "NULL|8|NULL|NULL|NULL|NULL|NULL"};
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(DecodeAll(**decoder, TestSchema(), payloads).rows, rows);
  }
}

// What stood at a place in the last record is tried first: a name that only begins alike is
// another.
TEST(JsonScannerTest, NamesThatBeginAlikeAtTheSamePlace) {
  auto decoder = MakeDecoder(JsonFormat(), TestSchema());
  ASSERT_TRUE(decoder);
  const std::string rest = "|NULL|NULL|NULL|NULL|NULL";
  EXPECT_THAT(DecodeAll(**decoder, TestSchema(),
                        {R"({"i":1})", R"({"ix":2})", R"({"i":3})", R"({"i\u0078":4})", R"({"":5})",
                         R"({"i":6})"})
                  .rows,
              ElementsAre("NULL|1" + rest, "NULL|NULL" + rest, "NULL|3" + rest, "NULL|NULL" + rest,
                          "NULL|NULL" + rest, "NULL|6" + rest));
}

TEST(JsonScannerTest, NamesOfEveryLength) {
  for (size_t length = 1; length < 100; ++length) {
    const std::string name(length, 'n');
    const auto schema =
        std::make_shared<const Schema>(std::vector<Field>{{name, {TypeKind::kInt32}}});
    v1::Format format;
    format.set_name("json");
    const std::string payload = "{\"" + name + "\":1}";
    const std::string longer = "{\"" + name + "n\":2}";
    const std::string shorter = "{\"" + name.substr(1) + "\":3}";
    EXPECT_THAT(Decode({payload, payload, longer, payload, shorter, payload}, format, schema).rows,
                ElementsAre("1", "1", "NULL", "1", "NULL", "1"))
        << length;
  }
}

// Wherever in a page a payload ends, in place or copied, the result is the same.
TEST(JsonScannerTest, PayloadsAtEveryPlaceInAPage) {
  auto decoder = MakeDecoder(JsonFormat(), TestSchema());
  ASSERT_TRUE(decoder);
  const std::string payload = R"({"i":12345,"host":"abc"})";
  std::string pages(3 * 4096, '9');
  const auto start = reinterpret_cast<uintptr_t>(pages.data());
  const size_t page = (4096 - start % 4096) % 4096 + 4096;
  for (size_t end = page - 140; end <= page + 70; ++end) {
    char* at = pages.data() + end - payload.size();
    std::memcpy(at, payload.data(), payload.size());
    BatchBuilder builder(TestSchema());
    std::vector<int32_t> decoded;
    std::vector<DecodeError> errors;
    const std::string_view view(at, payload.size());
    (*decoder)->Decode({&view, 1}, builder, decoded, errors);
    ASSERT_EQ(decoded.size(), 1u) << end;
    EXPECT_EQ(RowText(builder.Finish(), 0), "abc|12345|NULL|NULL|NULL|NULL|NULL");
  }
}

TEST(JsonScannerTest, ALargeRecordBetweenSmallOnes) {
  auto decoder = MakeDecoder(JsonFormat(), TestSchema());
  ASSERT_TRUE(decoder);
  const std::string large = R"({"x":")" + std::string(10 << 20, 'x') + R"(","i":2})";
  const Outcome outcome = DecodeAll(
      **decoder, TestSchema(), {R"({"i":1})", large, std::string(10 << 20, 'x'), R"({"i":3})"});
  EXPECT_THAT(outcome.rows,
              ElementsAre("NULL|1|NULL|NULL|NULL|NULL|NULL", "NULL|2|NULL|NULL|NULL|NULL|NULL",
                          "NULL|3|NULL|NULL|NULL|NULL|NULL"));
  EXPECT_EQ(outcome.errors.size(), 1u);
}

TEST(JsonScannerTest, DeepNestingIsSkipped) {
  const std::string deep =
      R"({"x":)" + std::string(100'000, '[') + std::string(100'000, ']') + R"(,"i":2})";
  EXPECT_THAT(Decode({deep}).rows, ElementsAre("NULL|2|NULL|NULL|NULL|NULL|NULL"));
}

// Mutated records are decoded or refused, never more; what is decoded is well formed.
TEST(JsonScannerTest, MutatedRecordsNeverCrash) {
  const std::string seed =
      R"({"url":"/p?q=\u00e9","host":"www.dataexpert.io","user_agent":{"family":"Chrome","os":)"
      R"({"v":[1,2,null]}},"i":12,"l":-5,"d":1.5e3,"b":false,"y":"QUJD","headers":{},)"
      R"("t":"2024-02-29T12:34:56.789Z"})";
  static constexpr std::string_view kInteresting = "{}[]\":,\\u0nft-+.eE \n\t\xFF\x80";
  std::mt19937_64 random(20261121);
  const auto pick = [&](size_t below) { return static_cast<size_t>(random() % below); };
  for (const bool strict : {false, true}) {
    auto decoder = MakeDecoder(JsonFormat(strict), TestSchema());
    ASSERT_TRUE(decoder);
    size_t good = 0;
    size_t bad = 0;
    for (int round = 0; round < 20'000; ++round) {
      std::string payload = seed;
      for (size_t changes = 1 + pick(3); changes > 0; --changes) {
        const size_t at = pick(payload.size());
        switch (pick(4)) {
          case 0:
            payload[at] = kInteresting[pick(kInteresting.size())];
            break;
          case 1:
            payload.erase(at, 1 + pick(10));
            break;
          case 2:
            payload.insert(at, 1, kInteresting[pick(kInteresting.size())]);
            break;
          default:
            payload.insert(at, payload.substr(pick(payload.size()), 1 + pick(40)));
        }
        if (payload.empty()) payload = "{";
      }
      const Outcome outcome = DecodeAll(**decoder, TestSchema(), {payload});
      good += outcome.rows.size();
      bad += outcome.errors.size();
    }
    EXPECT_GT(good, 1'000u);
    EXPECT_GT(bad, 1'000u);
  }
}

}  // namespace
}  // namespace watershed
