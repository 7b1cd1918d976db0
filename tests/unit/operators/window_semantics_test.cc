// The stated semantics, one small case each, in every variant of the harness.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/rows.h"
#include "tests/unit/operators/window_cases.h"

namespace watershed::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Function = v1::AggregateCall;

// One event of one IP; the other columns NULL.
Row At(int64_t t, const std::string& ip = "a") {
  return {ip, nullptr, t, nullptr, nullptr, nullptr};
}
Item Rows(const std::vector<Row>& rows) { return MakeBatch(EventSchema(), rows); }
Item Times(const std::vector<int64_t>& times) {
  std::vector<Row> rows;
  for (const int64_t t : times) rows.push_back(At(t));
  return Rows(rows);
}
Item Watermark(TimestampMs time_ms) { return WatermarkItem{time_ms}; }

v1::WindowAggregate CountingSessions(int64_t gap_ms) {
  v1::WindowAggregate aggregate = SessionBy({"ip"}, gap_ms);
  AddCall(aggregate, Function::COUNT_STAR);
  return aggregate;
}
v1::WindowAggregate CountingTumbles(int64_t size_ms, int64_t offset_ms = 0) {
  v1::WindowAggregate aggregate = TumbleBy({"ip"}, size_ms, offset_ms);
  AddCall(aggregate, Function::COUNT_STAR);
  return aggregate;
}
HarnessResult RunSessions(std::vector<Item> items, int64_t gap_ms = 10) {
  OperatorCase tested = SingleCase(CountingSessions(gap_ms));
  tested.items = std::move(items);
  return RunAllVariants(tested);
}
// The same input through the single operator and through local + global, which must agree.
HarnessResult RunTumbles(const v1::WindowAggregate& aggregate, const std::vector<Item>& items) {
  OperatorCase single = SingleCase(aggregate);
  single.items = items;
  OperatorCase pair = LocalGlobalCase(aggregate);
  pair.items = items;
  HarnessResult result = RunAllVariants(single);
  EXPECT_EQ(RunAllVariants(pair), result);
  return result;
}

TEST(Session, EndIsTheLastEventPlusTheGap) {
  EXPECT_THAT(RunSessions({Times({100, 105, 103})}).rows, ElementsAre("a|100|115|3"));
}

TEST(Session, WindowsThatTouchMerge) {
  EXPECT_THAT(RunSessions({Times({100, 110})}).rows, ElementsAre("a|100|120|2"));
  EXPECT_THAT(RunSessions({Times({110, 100})}).rows, ElementsAre("a|100|120|2"));
  EXPECT_THAT(RunSessions({Times({100, 111})}).rows, ElementsAre("a|100|110|1", "a|111|121|1"));
  EXPECT_THAT(RunSessions({Times({111, 100})}).rows, ElementsAre("a|100|110|1", "a|111|121|1"));
}

TEST(Session, AnEventMayBridgeSeveral) {
  EXPECT_THAT(RunSessions({Times({100, 120, 110})}).rows, ElementsAre("a|100|130|3"));
  EXPECT_THAT(RunSessions({Times({100, 140, 120, 160, 130})}).rows,
              ElementsAre("a|100|110|1", "a|120|150|3", "a|160|170|1"));
}

TEST(Session, FiresWhenTheWatermarkReachesItsLastMillisecond) {
  // The event at 110 belongs to a session that is open at 108, and to a new one after 109.
  EXPECT_THAT(RunSessions({Times({100}), Watermark(108), Times({110})}).rows,
              ElementsAre("a|100|120|2"));
  EXPECT_THAT(RunSessions({Times({100}), Watermark(109), Times({110})}).rows,
              ElementsAre("a|100|110|1", "a|110|120|1"));
}

// A restore may come in the middle of firing: what is due fires before a row could extend it.
TEST(Session, WhatIsDueFiresBeforeTheRowsThatFollow) {
  std::vector<Row> early;
  std::vector<Row> touching;
  std::vector<std::string> expected;
  for (int i = 10; i < 30; ++i) {
    early.push_back(At(100, fmt::format("key{}", i)));
    touching.push_back(At(110, fmt::format("key{}", i)));
    expected.push_back(fmt::format("key{}|100|110|1", i));
    expected.push_back(fmt::format("key{}|110|120|1", i));
  }
  EXPECT_EQ(RunSessions({Rows(early), Watermark(109), Rows(touching)}).rows, expected);
}

TEST(Session, ALateEventIsCountedUnlessItMergesWithAnOpenSession) {
  // 80 is late. 86 would be (86 + 10 - 1 <= 95), but 90, which touches [100, 110), came before it.
  const HarnessResult result = RunSessions({Times({100}), Watermark(95), Times({80, 90, 86})});
  EXPECT_THAT(result.rows, ElementsAre("a|86|110|3"));
  EXPECT_EQ(result.late_dropped, 1);
  EXPECT_EQ(RunSessions({Watermark(95), Times({86})}).late_dropped, 1);
  EXPECT_EQ(RunSessions({Watermark(95), Times({87})}).late_dropped, 0);
}

TEST(Session, KeysAreApartAndNullIsAKey) {
  const HarnessResult result =
      RunSessions({Rows({At(1, "a"),
                         At(2, "b"),
                         {nullptr, nullptr, int64_t{3}, nullptr, nullptr, nullptr},
                         {nullptr, nullptr, int64_t{4}, nullptr, nullptr, nullptr}})});
  EXPECT_THAT(result.rows, ElementsAre("NULL|3|14|2", "a|1|11|1", "b|2|12|1"));
}

TEST(Session, NegativeTimesAndTheEndsOfTime) {
  EXPECT_THAT(RunSessions({Times({-5, -12})}).rows, ElementsAre("a|-12|5|2"));
  const int64_t last = std::numeric_limits<int64_t>::max() - 3;
  EXPECT_THAT(RunSessions({Times({last})}).rows,
              ElementsAre(fmt::format("a|{}|{}|1", last, last + 3)));
}

TEST(Tumble, WindowsAreAlignedToTheEpochAlsoBeforeIt) {
  EXPECT_THAT(RunTumbles(CountingTumbles(10), {Times({0, 9, 10, -1, -10, -11})}).rows,
              ElementsAre("a|-10|0|2", "a|-20|-10|1", "a|0|10|2", "a|10|20|1"));
  EXPECT_THAT(RunTumbles(CountingTumbles(10, 3), {Times({2, 3, 12, 13, -7, -8})}).rows,
              ElementsAre("a|-17|-7|1", "a|-7|3|2", "a|13|23|1", "a|3|13|2"));
  EXPECT_THAT(RunTumbles(CountingTumbles(10, -7), {Times({2, 3})}).rows,
              ElementsAre("a|-7|3|1", "a|3|13|1"));
}

TEST(Tumble, ARowIsLateOnceItsWindowHasFired) {
  HarnessResult result = RunTumbles(
      CountingTumbles(10), {Times({5}), Watermark(8), Times({6}), Watermark(9), Times({7, 7})});
  EXPECT_THAT(result.rows, ElementsAre("a|0|10|2"));
  EXPECT_EQ(result.late_dropped, 2);  // the partial counts its rows
}

TEST(Tumble, ManyKeysFireInSlices) {
  std::vector<Row> rows;
  std::vector<std::string> expected;
  for (int i = 10; i < 60; ++i) {
    rows.push_back(At(i, fmt::format("key{}", i)));
    expected.push_back(fmt::format("key{}|0|1000|1", i));
  }
  EXPECT_EQ(RunTumbles(CountingTumbles(1000), {Rows(rows)}).rows, expected);

  // 50 keys in slices of 2, a batch of 3 rows fills the output.
  OperatorCase tested = SingleCase(CountingTumbles(1000));
  tested.items = {Rows(rows)};
  EXPECT_GE(RunVariant(tested, {.name = "full", .output_full = true}).yields, 10);
  EXPECT_EQ(RunVariant(tested, {.name = "never full"}).yields, 0);
}

TEST(Late, GoesToTheSideOutputUnchanged) {
  v1::WindowAggregate aggregate = CountingSessions(10);
  aggregate.set_late_to_side_output(true);
  OperatorCase tested = SingleCase(aggregate);
  tested.items = {Watermark(1000),
                  Rows({{std::string("a"), std::string("h"), int64_t{5}, int64_t{1}, nullptr, 2.5},
                        At(2000, "b")})};
  HarnessResult result = RunAllVariants(tested);
  EXPECT_THAT(result.rows, ElementsAre("b|2000|2010|1"));
  EXPECT_THAT(result.side_rows["late"], ElementsAre("a|h|5|1|NULL|2.5"));
  EXPECT_EQ(result.late_dropped, 0);
  tested.side_output_connected = false;  // nobody listens: dropped, and counted
  result = RunAllVariants(tested);
  EXPECT_THAT(result.side_rows, IsEmpty());
  EXPECT_EQ(result.late_dropped, 1);
}

TEST(Aggregates, SkipNullsAndAreNullOfNothingElse) {
  v1::WindowAggregate aggregate = TumbleBy({"ip"}, 100);
  AddEveryCall(aggregate);
  const std::string a = "a";
  const std::string b = "b";
  const std::vector<Item> items = {
      Rows({{a, a, int64_t{1}, int64_t{7}, nullptr, 1.5},
            {a, nullptr, int64_t{3}, nullptr, int64_t{-5}, -3.0},
            {b, nullptr, int64_t{9}, nullptr, nullptr, nullptr}}),
      Rows({{a, nullptr, int64_t{2}, int64_t{-2}, int64_t{2}, nullptr}})};
  EXPECT_THAT(RunTumbles(aggregate, items).rows,
              ElementsAre("a|0|100|3|2|5|-2|7|2|2|-3|-5|2|-1|2|-1.5|-3|1.5|-0.75|1|3|1",
                          "b|0|100|1|0|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|"
                          "NULL|9|9|0"));
}

TEST(Aggregates, IntegersWrapAndNanIsTheLargest) {
  v1::WindowAggregate aggregate = TumbleBy({}, 100);
  AddCall(aggregate, Function::SUM, "i");
  AddCall(aggregate, Function::SUM, "l");
  AddCall(aggregate, Function::MIN, "d");
  AddCall(aggregate, Function::MAX, "d");
  constexpr int64_t kMax32 = std::numeric_limits<int32_t>::max();
  constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Item> items = {
      Rows({{nullptr, nullptr, int64_t{1}, kMax32, kMax64, nan}}),
      Rows({{nullptr, nullptr, int64_t{2}, int64_t{1}, int64_t{1}, 2.0}}),
      Rows({{nullptr, nullptr, int64_t{3}, nullptr, nullptr, nan}})};
  EXPECT_THAT(RunTumbles(aggregate, items).rows,
              ElementsAre("0|100|-2147483648|-9223372036854775808|2|nan"));
}

TEST(Window, BoundsAreEmittedOnlyWhereNamed) {
  v1::WindowAggregate aggregate = CountingTumbles(10);
  aggregate.set_window_start_column("");
  EXPECT_THAT(RunTumbles(aggregate, {Times({5})}).rows, ElementsAre("a|10|1"));
  aggregate.set_window_end_column("");
  EXPECT_THAT(RunTumbles(aggregate, {Times({5})}).rows, ElementsAre("a|1"));
}

}  // namespace
}  // namespace watershed::test
