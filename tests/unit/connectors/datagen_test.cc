#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "runtime/connectors/datagen/random.h"
#include "runtime/connectors/datagen/source.h"
#include "runtime/connectors/datagen/web_traffic.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;

SchemaPtr WebSchema() {
  std::vector<Field> fields;
  for (const char* name : {"url", "referrer", "user_agent", "host", "ip", "headers"}) {
    fields.push_back({name, {TypeKind::kString}});
  }
  fields.push_back({"event_time", {TypeKind::kTimestampMs}});
  return std::make_shared<Schema>(std::move(fields));
}

class ManualClock : public Clock {
 public:
  int64_t NowMs() const override { return now_ms; }
  std::chrono::nanoseconds Steady() const override { return steady; }
  int64_t now_ms = 1'700'000'000'000;
  std::chrono::nanoseconds steady{0};
};

std::string RowText(const RecordBatch& batch, int64_t row) {
  std::string text;
  for (int column = 0; column < batch.num_columns(); ++column) {
    const Column& values = batch.column(column);
    if (values.IsNull(row)) {
      text += "null";
    } else if (values.type().is_variable_width()) {
      text += values.String(row);
    } else {
      text += std::to_string(values.Int64s()[static_cast<size_t>(row)]);
    }
    text += '|';
  }
  return text;
}

// Reads a bounded datagen with `parallelism` subtasks to its end; rows as text.
std::multiset<std::string> ReadAll(const OptionMap& options, int parallelism, SchemaPtr schema) {
  ManualClock clock;
  ConnectorContext context{.parallelism = parallelism, .clock = &clock};
  const auto splits = (*MakeDatagenEnumerator(options, context))->Discover();
  EXPECT_EQ(splits->size(), static_cast<size_t>(parallelism));
  std::multiset<std::string> rows;
  for (const SourceSplit& split : *splits) {
    auto source = std::move(*MakeDatagenSource(options, schema, context));
    EXPECT_TRUE(source->Open({&split, 1}));
    PolledRecords polled;
    while (!polled.finished) {
      EXPECT_TRUE(source->Poll(polled, 100, milliseconds(0)));
      if (!polled.rows) continue;
      EXPECT_LE(polled.rows->num_rows(), 100);
      for (int64_t row = 0; row < polled.rows->num_rows(); ++row) {
        rows.insert(RowText(*polled.rows, row));
      }
    }
    EXPECT_EQ(source->Positions()[0].next_position, *split.end_position);
  }
  return rows;
}

const OptionMap kThousand = {{"number-of-rows", "1000"},
                             {"start", "2024-01-31T08:00:00Z"},
                             {"disorder", "10s"},
                             {"keys", "200"},
                             {"seed", "7"}};

TEST(Datagen, RowsDependOnTheSeedAndNotOnTheSubtasks) {
  const auto alone = ReadAll(kThousand, 1, WebSchema());
  EXPECT_EQ(alone.size(), 1000u);
  EXPECT_EQ(alone, ReadAll(kThousand, 1, WebSchema()));
  EXPECT_EQ(alone, ReadAll(kThousand, 3, WebSchema()));
  OptionMap other = kThousand;
  other["seed"] = "8";
  EXPECT_NE(alone, ReadAll(other, 1, WebSchema()));
}

TEST(Datagen, TheColumnsWantedDoNotChangeTheirValues) {
  const auto hosts = std::make_shared<Schema>(std::vector<Field>{{"host", {TypeKind::kString}}});
  std::multiset<std::string> expected;
  for (const std::string& row : ReadAll(kThousand, 1, WebSchema())) {
    std::vector<std::string> fields;
    size_t begin = 0;
    for (size_t end; (end = row.find('|', begin)) != std::string::npos; begin = end + 1) {
      fields.push_back(row.substr(begin, end - begin));
    }
    expected.insert(fields[3] + "|");
  }
  EXPECT_EQ(ReadAll(kThousand, 2, hosts), expected);
}

TEST(Datagen, FewerRowsThanSubtasks) {
  OptionMap options = kThousand;
  options["number-of-rows"] = "2";
  EXPECT_EQ(ReadAll(options, 3, WebSchema()).size(), 2u);
}

RecordBatch Rows(const DatagenOptions& options, int64_t count) {
  auto traffic = WebTraffic::Create(options, WebSchema());
  BatchBuilder builder(WebSchema());
  for (int64_t i = 0; i < count; ++i) traffic->AppendRow(i, 1'000'000 + i, builder);
  return builder.Finish();
}

TEST(Datagen, RowsLookLikeTheFeed) {
  DatagenOptions options{.disorder_ms = 500, .keys = 300, .null_ratio = 0.3};
  const RecordBatch batch = Rows(options, 20'000);
  std::set<std::pair<std::string, std::string>> keys;
  int64_t json_bytes = 0, out_of_order = 0;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const int64_t time_ms = batch.column(6).Int64s()[static_cast<size_t>(row)];
    EXPECT_LE(time_ms, 1'000'000 + row);
    EXPECT_GE(time_ms, 1'000'000 + row - 500);
    out_of_order += time_ms < 1'000'000 + row ? 1 : 0;
    keys.emplace(batch.column(4).String(row), batch.column(3).String(row));
    for (int column = 0; column < 6; ++column) {
      json_bytes += static_cast<int64_t>(batch.column(column).String(row).size());
    }
    EXPECT_EQ(batch.column(2).String(row).substr(0, 11), "{\"family\":\"");
    EXPECT_EQ(batch.column(5).String(row), "{}");
  }
  EXPECT_EQ(keys.size(), 300u);
  EXPECT_GT(out_of_order, 19'000);
  // With names, quotes and the time a record is about 100 bytes longer: some 350.
  EXPECT_NEAR(static_cast<double>(json_bytes) / 20'000, 250, 30);
  const double null_share = static_cast<double>(batch.column(1).null_count()) / 20'000;
  EXPECT_NEAR(null_share, 0.3, 0.02);
}

TEST(Datagen, ZipfRanksHaveTheirWeights) {
  constexpr int64_t kN = 1000;
  constexpr int kSamples = 400'000;
  const ZipfDistribution zipf(kN, 1.2);
  std::map<int64_t, int> counts;
  for (int i = 0; i < kSamples; ++i) {
    RowRandom random(3, static_cast<uint64_t>(i));
    const int64_t rank = zipf.Sample(random);
    ASSERT_GE(rank, 0);
    ASSERT_LT(rank, kN);
    ++counts[rank];
  }
  double total = 0;
  for (int64_t k = 1; k <= kN; ++k) total += std::pow(k, -1.2);
  for (const int64_t rank : {0, 1, 9, 99}) {
    const double expected = kSamples * std::pow(rank + 1, -1.2) / total;
    EXPECT_NEAR(counts[rank], expected, 5 * std::sqrt(expected)) << "rank " << rank;
  }
}

TEST(Datagen, AddressesOfManyVisitorsDiffer) {
  const RecordBatch batch = Rows({.keys = 5'000, .hosts = 1}, 100'000);
  std::set<std::string_view> ips;
  for (int64_t row = 0; row < batch.num_rows(); ++row) ips.insert(batch.column(4).String(row));
  EXPECT_EQ(ips.size(), 5'000u);  // one host: a key is an address
}

TEST(Datagen, TheRateFollowsTheClock) {
  ManualClock clock;
  ConnectorContext context{.clock = &clock};
  const OptionMap options = {{"rows-per-second", "1000"}};
  auto source = std::move(*MakeDatagenSource(options, WebSchema(), context));
  const auto splits = (*MakeDatagenEnumerator(options, context))->Discover();
  ASSERT_TRUE(source->Open(*splits));
  PolledRecords polled;
  ASSERT_TRUE(source->Poll(polled, 10'000, milliseconds(0)));
  EXPECT_FALSE(polled.rows);
  clock.steady = milliseconds(100);
  ASSERT_TRUE(source->Poll(polled, 10'000, milliseconds(0)));
  ASSERT_TRUE(polled.rows);
  EXPECT_EQ(polled.rows->num_rows(), 100);
  // Event time keeps pace: 1 ms a row.
  EXPECT_EQ(polled.rows->column(6).Int64s().back(), clock.now_ms + 99);
  // After a stall no more than a second is made up for.
  clock.steady = std::chrono::minutes(10);
  int64_t rows = 0;
  do {
    ASSERT_TRUE(source->Poll(polled, 10'000, milliseconds(0)));
    rows += polled.rows ? polled.rows->num_rows() : 0;
  } while (polled.rows);
  EXPECT_NEAR(static_cast<double>(rows), 1000, 1);
  EXPECT_FALSE(polled.finished);
}

TEST(Datagen, APausedSplitMakesNothing) {
  ManualClock clock;
  ConnectorContext context{.parallelism = 2, .clock = &clock};
  const OptionMap options = {{"number-of-rows", "100"}};
  const auto splits = (*MakeDatagenEnumerator(options, context))->Discover();
  auto source = std::move(*MakeDatagenSource(options, WebSchema(), context));
  ASSERT_TRUE(source->Open(*splits));
  ASSERT_TRUE(source->Pause(0));
  PolledRecords polled;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(source->Poll(polled, 100, milliseconds(0)));
  EXPECT_FALSE(polled.finished);
  EXPECT_EQ(source->Positions()[0].next_position, 0);
  EXPECT_EQ(source->Positions()[1].next_position, 50);
  ASSERT_TRUE(source->Resume(0));
  for (int i = 0; i < 4 && !polled.finished; ++i) {
    ASSERT_TRUE(source->Poll(polled, 100, milliseconds(0)));
  }
  EXPECT_TRUE(polled.finished);
}

TEST(Datagen, ColumnsItDoesNotHaveAreRefused) {
  const auto make = [](Field field) {
    return MakeDatagenSource({}, std::make_shared<Schema>(std::vector<Field>{std::move(field)}),
                             {});
  };
  EXPECT_THAT(make({"refferer", {TypeKind::kString}}).error().message,
              testing::HasSubstr("referrer"));
  EXPECT_THAT(make({"event_time", {TypeKind::kString}}).error().message,
              testing::HasSubstr("timestamp"));
}

}  // namespace
}  // namespace watershed
