#include "runtime/engine/source_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/metrics/names.h"
#include "runtime/types/dead_letter.h"
#include "tests/unit/engine/manual_clock.h"
#include "tests/unit/engine/rows.h"
#include "tests/unit/engine/scripted_source.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SourceDriverTest : public ::testing::Test {
 protected:
  void Make(int splits, SplitWatermarks::Options watermarks = {.delay_ms = 10}) {
    SourceDriver::Parameters parameters;
    parameters.source = "events";
    parameters.subtask = {2};
    for (int i = 0; i < splits; ++i) {
      parameters.splits.push_back(
          {.id = "web-" + std::to_string(i), .topic = "web", .partition = i});
    }
    parameters.watermarks = watermarks;
    parameters.event_time_column = 1;
    parameters.watermark_interval = interval_;
    parameters.mailbox = mailbox_;
    parameters.clock = &clock_;
    parameters.metrics = &metrics_;
    parameters.bytes_in = &bytes_in_;
    parameters.watermark_ms = restored_ms_;
    parameters.split_watermarks_ms = restored_splits_ms_;
    RecordDecoder::Options options{
        .source = "events", .subtask = {2}, .on_bad = on_bad_, .event_time_column = 1};
    auto decoder =
        std::make_unique<RecordDecoder>(std::make_unique<KeyTimeDecoder>(), KeyTimeSchema(),
                                        options, &clock_, &skipped_, &refused_, &dead_letters_);
    driver_ = std::make_unique<SourceDriver>(std::make_unique<ScriptedSource>(script_),
                                             std::move(decoder), std::move(parameters));
    ASSERT_TRUE(driver_->Open());
  }

  void Answer(std::vector<SourceScript::Record> records, std::vector<SplitProgress> progress = {}) {
    script_->answers.push_back({std::move(records), std::move(progress)});
  }
  void AnswerFinished() { script_->answers.push_back({.finished = true}); }

  // Everything there is.
  std::vector<std::string> ReadAll() {
    std::vector<std::string> read;
    while (true) {
      auto element = driver_->Next();
      if (!element) {
        read.push_back(element.error().message);
        return read;
      }
      if (!*element && script_->answers.empty()) return read;
      if (*element) read.push_back(Describe((*element)->element));
    }
  }

  // Of the source as a scrape sees it; nothing: there is no such series.
  std::optional<double> Metric(std::string_view name) {
    for (const MetricSample& sample : registry_.Collect()) {
      if (sample.name == name) return sample.value;
    }
    return std::nullopt;
  }
  std::optional<double> MetricAtTick(std::string_view name) {
    driver_->UpdateGauges();
    return Metric(name);
  }

  ManualClock clock_;
  milliseconds interval_{0};
  TimestampMs restored_ms_ = kMinWatermarkMs;
  std::map<std::string, TimestampMs> restored_splits_ms_;
  RecordDecoder::OnBad on_bad_ = RecordDecoder::OnBad::kFail;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(&clock_);
  MetricRegistry registry_;
  MetricGroup metrics_{&registry_, {}};
  Counter bytes_in_, skipped_, refused_, dead_letters_;
  std::shared_ptr<SourceScript> script_ = std::make_shared<SourceScript>();
  std::unique_ptr<SourceDriver> driver_;
};

TEST_F(SourceDriverTest, AWatermarkFollowsTheBatchThatRaisedIt) {
  Make(1);
  Answer({{0, "a@100"}, {0, "b@90"}});
  Answer({{0, "c@95"}});
  Answer({{0, "d@130"}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@100,b@90", "watermark:90", "rows:c@95", "rows:d@130",
                                     "watermark:120"));
  EXPECT_EQ(bytes_in_.value(), 5 + 4 + 4 + 5);
}

TEST_F(SourceDriverTest, TheSlowestSplitDecides) {
  Make(2);
  Answer({{0, "a@100"}, {1, "b@50"}, {0, "c@200"}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@100,b@50,c@200", "watermark:40"));
}

TEST_F(SourceDriverTest, WatermarksAreNotToldMoreOftenThanTheInterval) {
  interval_ = milliseconds(200);
  Make(1);
  Answer({{0, "a@100"}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@100", "watermark:90"));
  clock_.Advance(milliseconds(199));
  Answer({{0, "b@200"}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:b@200"));
  clock_.Advance(milliseconds(1));
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:190"));  // although no row came
}

TEST_F(SourceDriverTest, ABoundedSourceEndsWithTheLastWatermark) {
  interval_ = milliseconds(200);
  Make(1);
  Answer({{0, "a@100"}});
  Answer({{0, "b@200"}});
  AnswerFinished();
  EXPECT_THAT(ReadAll(),
              ElementsAre("rows:a@100", "watermark:90", "rows:b@200", "watermark:max", "end"));
  const int polls = script_->polls;
  EXPECT_THAT(ReadAll(), IsEmpty());
  EXPECT_EQ(script_->polls, polls);  // a finished source is left alone
}

TEST_F(SourceDriverTest, WithoutSplitsItIsIdle) {
  Make(0);
  EXPECT_THAT(ReadAll(), ElementsAre("idle"));
}

TEST_F(SourceDriverTest, WithoutSplitsABoundedSourceIsAtItsEnd) {
  Make(0);
  AnswerFinished();
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:max", "end"));
}

TEST_F(SourceDriverTest, BecomesIdleWhenCaughtUpAndActiveBeforeTheNextRow) {
  Make(1, {.delay_ms = 10, .idle_timeout = seconds(30)});
  Answer({{0, "a@100"}}, {{.split_index = 0, .caught_up = true}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@100", "watermark:90"));
  clock_.Advance(seconds(30));
  EXPECT_THAT(ReadAll(), ElementsAre("idle"));
  Answer({{0, "b@200"}});
  EXPECT_THAT(ReadAll(), ElementsAre("active", "rows:b@200", "watermark:190"));
}

TEST_F(SourceDriverTest, ABrokerThatIsAwayDelaysIdleness) {
  Make(1, {.delay_ms = 10, .idle_timeout = seconds(30)});
  Answer({}, {{.split_index = 0, .caught_up = true}});
  ReadAll();
  clock_.Advance(seconds(29));
  script_->answers.push_back({.degraded_reason = "all brokers are down"});
  EXPECT_THAT(ReadAll(), IsEmpty());
  EXPECT_EQ(driver_->degraded_reason(), "all brokers are down");
  clock_.Advance(seconds(29));
  EXPECT_THAT(ReadAll(), IsEmpty());
  clock_.Advance(seconds(1));
  EXPECT_THAT(ReadAll(), ElementsAre("idle"));
}

TEST_F(SourceDriverTest, BackpressureDelaysIdleness) {
  Make(1, {.delay_ms = 10, .idle_timeout = seconds(30)});
  Answer({}, {{.split_index = 0, .caught_up = true}});
  ReadAll();
  clock_.Advance(seconds(40));
  driver_->OnBackpressure();
  EXPECT_THAT(ReadAll(), IsEmpty());
}

TEST_F(SourceDriverTest, PausesTheSplitThatRunsAhead) {
  Make(2, {.delay_ms = 0, .max_drift_ms = 50});
  Answer({{0, "a@100"}, {1, "b@200"}});
  ReadAll();
  EXPECT_THAT(script_->calls, ElementsAre("pause:1"));
  Answer({{0, "c@190"}});
  ReadAll();
  EXPECT_THAT(script_->calls, ElementsAre("pause:1", "resume:1"));
}

TEST_F(SourceDriverTest, ABadRecordFailsTheTaskAndSaysWhereItIs) {
  Make(2);
  Answer({{0, "a@1", 7}, {1, "nonsense\n", 41}});
  EXPECT_THAT(
      ReadAll(),
      ElementsAre("source 'events' subtask 2: cannot decode the record at topic 'web', "
                  "partition 1, offset 41: expected key@time; payload 'nonsense\\x0a'. "
                  "Correct the columns, or set on-error: {action: skip} to count such "
                  "records and go on, or {action: dead-letter, topic: NAME} to keep them in "
                  "a topic"));
}

TEST_F(SourceDriverTest, SkipsBadRecordsWhereToldAndCountsThem) {
  on_bad_ = RecordDecoder::OnBad::kSkip;
  Make(2);
  Answer({{1, "bad"}, {0, "a@100"}, {0, "worse"}, {1, "b@300"}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@100,b@300", "watermark:90"));
  EXPECT_EQ(skipped_.value(), 2);
}

// Rows of DeadLetterSchema, one a line: value, key, message, topic, partition, offset, time stamp
// and source.
std::vector<std::string> DeadLetters(const RecordBatch& batch) {
  EXPECT_EQ(*batch.schema(), *DeadLetterSchema());
  std::vector<std::string> lines;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const auto text = [&](int column) {
      const bool is_null = batch.column(column).IsNull(row);
      return is_null ? "null" : "'" + std::string(batch.column(column).String(row)) + "'";
    };
    const auto at = static_cast<size_t>(row);
    lines.push_back(fmt::format("{} {} {} {} {} {} {} {}", text(0), text(1), text(2), text(3),
                                batch.column(4).Int32s()[at], batch.column(5).Int64s()[at],
                                batch.column(6).Int64s()[at], text(7)));
  }
  return lines;
}

TEST_F(SourceDriverTest, DeadLettersLeaveByASideOutputWithWhyAndWhereFrom) {
  clock_.SetNowMs(1'000'000);
  on_bad_ = RecordDecoder::OnBad::kDeadLetter;
  Make(2);
  const std::string ahead = "ahead@" + std::to_string(1'000'000 + 86'400'001);
  Answer({{1, "bad", 7, "k", 11},
          {0, "a@100", 3},
          {1, ahead, 8, "", 12},
          {0, "", 4, "gone", 13, /*is_tombstone=*/true},
          {0, "", 5},
          {1, "b@300", 9}});
  auto next = driver_->Next();
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->side_output, kDeadLetterOutput);
  EXPECT_THAT(DeadLetters(std::get<RecordBatch>((*next)->element)),
              ElementsAre("'bad' 'k' 'expected key@time' 'web' 1 7 11 'events'",
                          "'" + ahead +
                              "' '' 'its event time, 87400001 ms since 1970, is more than a day "
                              "ahead of the clock' 'web' 1 8 12 'events'",
                          "null 'gone' 'null' 'web' 0 4 13 'events'",
                          "'' null 'expected key@time' 'web' 0 5 0 'events'"));
  next = driver_->Next();
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->side_output, "");
  EXPECT_EQ(Describe((*next)->element), "rows:a@100,b@300");
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:90"));
  // Each is counted once: read = handed on + dead letters.
  EXPECT_EQ(Metric(metric_names::kOperatorRecordsIn), 6);
  EXPECT_EQ(Metric(metric_names::kOperatorRecordsOut), 2);
  EXPECT_EQ(dead_letters_.value(), 4);
  EXPECT_EQ(skipped_.value(), 0);
  EXPECT_EQ(refused_.value(), 0);
}

TEST_F(SourceDriverTest, DeadLettersPrecedeTheBarrierThatNotesTheirPositions) {
  on_bad_ = RecordDecoder::OnBad::kDeadLetter;
  Make(1);
  Answer({{0, "bad", 41}});
  ASSERT_TRUE(driver_->Wait());  // polled, and not handled yet
  driver_->OnTrigger(Barrier{CheckpointId{7}}, SourceStop::kGoOn);
  const auto letters = driver_->Next();
  ASSERT_TRUE(letters && *letters);
  EXPECT_EQ((*letters)->side_output, kDeadLetterOutput);
  EXPECT_THAT(ReadAll(), ElementsAre("barrier:7"));
  v1::SubtaskSnapshot snapshot;
  driver_->Snapshot(CheckpointId{7}, snapshot);
  EXPECT_EQ(snapshot.splits(0).next_position(), 42);
}

TEST_F(SourceDriverTest, RefusesEventsMoreThanADayAhead) {
  clock_.SetNowMs(1'000'000);
  Make(2);
  const int64_t limit_ms = 1'000'000 + 86'400'000;
  Answer({{0, "a@" + std::to_string(limit_ms + 1)},
          {0, "b@100"},
          {1, "c@" + std::to_string(limit_ms)}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:b@100,c@87400000", "watermark:90"));
  EXPECT_EQ(refused_.value(), 1);
}

TEST_F(SourceDriverTest, KeepsLagAndOffsetsForTheGauges) {
  Make(2);
  Answer({{0, "a@1", 10}, {1, "b@1", 20}},
         {{.split_index = 0, .lag = 5}, {.split_index = 1, .lag = 7}});
  ReadAll();
  driver_->UpdateGauges();
  EXPECT_EQ(driver_->lag_records(), 12);
  std::vector<double> offsets;
  for (const MetricSample& sample : registry_.Collect()) {
    if (sample.name.ends_with("currentOffset")) offsets.push_back(sample.value);
  }
  EXPECT_THAT(offsets, ElementsAre(10, 20));
}

TEST(ShortenedPayload, EscapesAndCuts) {
  EXPECT_EQ(ShortenedPayload(std::string_view()), "null (a tombstone)");
  EXPECT_EQ(ShortenedPayload("\xff\x01z"), "'\\xff\\x01z'");
  EXPECT_EQ(ShortenedPayload(std::string(5000, 'x')),
            "'" + std::string(200, 'x') + "' … (5000 bytes)");
}

// "web-0@3 w12": the position and, if it has one, the watermark of each split.
std::vector<std::string> SplitsOf(SourceDriver& driver, int64_t checkpoint) {
  v1::SubtaskSnapshot snapshot;
  driver.Snapshot({checkpoint}, snapshot);
  std::vector<std::string> splits;
  for (const v1::SplitSnapshot& split : snapshot.splits()) {
    splits.push_back(fmt::format("{}@{}", split.split_id(), split.next_position()));
    if (split.has_watermark_ms()) splits.back() += fmt::format(" w{}", split.watermark_ms());
  }
  return splits;
}

TEST_F(SourceDriverTest, ABarrierComesBehindTheRowsThatWerePolledBefore) {
  Make(2);
  Answer({{0, "a@22", 6}, {0, "b@21", 7}});
  ASSERT_TRUE(driver_->Wait());  // polled, not handed out yet
  driver_->OnTrigger({.checkpoint_id = {5}}, SourceStop::kGoOn);
  Answer({{1, "c@99", 3}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@22,b@21", "barrier:5", "rows:c@99", "watermark:12"));
  EXPECT_THAT(SplitsOf(*driver_, 5), ElementsAre("web-0@8 w12", "web-1@0"));
  EXPECT_THAT(SplitsOf(*driver_, 6), ElementsAre("web-0@8 w12", "web-1@4 w89"));
}

TEST_F(SourceDriverTest, ARecordThatFailsBeforeABarrierFailsTheSource) {
  Make(1);
  Answer({{0, "bad", 6}});
  ASSERT_TRUE(driver_->Wait());
  driver_->OnTrigger({.checkpoint_id = {5}}, SourceStop::kGoOn);
  const std::vector<std::string> read = ReadAll();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_THAT(read.front(), ::testing::HasSubstr("cannot decode"));
}

// Waiting is idle time, decoding is not.
TEST_F(SourceDriverTest, WhatAWaitBroughtIsDecodedAfterIt) {
  Make(1);
  Answer({{0, "a@22"}});
  ASSERT_TRUE(driver_->Wait());
  EXPECT_EQ(bytes_in_.value(), 0);
  ASSERT_TRUE(driver_->Wait());  // does not poll it away
  EXPECT_EQ(script_->polls, 1);
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@22", "watermark:12"));
  EXPECT_EQ(bytes_in_.value(), 4);
}

TEST_F(SourceDriverTest, CountsWhatItReadAndWhatItHandedOn) {
  on_bad_ = RecordDecoder::OnBad::kSkip;
  Make(1);
  Answer({{0, "a@100"}, {0, "bad"}, {0, fmt::format("b@{}", clock_.NowMs() + 25L * 3600 * 1000)}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@100", "watermark:90"));
  EXPECT_EQ(Metric(metric_names::kOperatorRecordsIn), 3);
  EXPECT_EQ(Metric(metric_names::kOperatorRecordsOut), 1);
  EXPECT_EQ(skipped_.value(), 1);
  EXPECT_EQ(refused_.value(), 1);
}

TEST_F(SourceDriverTest, LagsAreThoseOfTheLastBatchHoweverLongNothingFollows) {
  Make(2);
  EXPECT_EQ(MetricAtTick(metric_names::kEmitEventTimeLagMs), std::nullopt);
  EXPECT_EQ(Metric(metric_names::kWatermarkLagMs), std::nullopt);
  const int64_t begin_ms = clock_.NowMs();
  Answer({{0, fmt::format("a@{}", begin_ms - 400)}, {1, fmt::format("b@{}", begin_ms - 1000)}});
  ReadAll();
  clock_.Advance(milliseconds(7000));
  EXPECT_EQ(MetricAtTick(metric_names::kFetchEventTimeLagMs), 400);
  EXPECT_EQ(Metric(metric_names::kEmitEventTimeLagMs), 400);
  EXPECT_EQ(Metric(metric_names::kWatermarkLagMs), 7000 + 1000 + 10);
}

TEST_F(SourceDriverTest, IsIdleSinceTheFirstPollThatFoundNothing) {
  Make(1);
  Answer({{0, "a@100"}});
  driver_->Next().value();
  clock_.Advance(seconds(5));
  EXPECT_EQ(MetricAtTick(metric_names::kSourceIdleMs), 0);  // was not asked yet
  ReadAll();
  clock_.Advance(seconds(2));
  ReadAll();
  EXPECT_EQ(MetricAtTick(metric_names::kSourceIdleMs), 2000);
  Answer({{0, "b@100"}});
  driver_->Next().value();
  EXPECT_EQ(MetricAtTick(metric_names::kSourceIdleMs), 0);
}

TEST_F(SourceDriverTest, RestoredItsWatermarkIsThatOfTheCheckpoint) {
  restored_ms_ = 50;
  Make(1);
  EXPECT_EQ(Metric(metric_names::kOperatorOutputWatermarkMs), 50);
  EXPECT_EQ(Metric(metric_names::kWatermarkLagMs), clock_.NowMs() - 50);
}

TEST_F(SourceDriverTest, AtItsEndItsGaugesAreThoseOfTheEnd) {
  Make(1);
  Answer({{0, "a@100", 41}}, {{.split_index = 0, .lag = 0}});
  AnswerFinished();
  ReadAll();
  EXPECT_EQ(Metric(metric_names::kKafkaCurrentOffset), 41);
  EXPECT_EQ(Metric(metric_names::kPartitionLagRecords), 0);
  EXPECT_EQ(Metric(metric_names::kKafkaRecordsLagMax), 0);
  EXPECT_EQ(Metric(metric_names::kPendingRecords), 0);
  EXPECT_EQ(Metric(metric_names::kWatermarkLagMs), 0);
}

TEST_F(SourceDriverTest, AtItsEndNoBarrierFollows) {
  Make(1);
  AnswerFinished();
  ASSERT_TRUE(driver_->Wait());
  driver_->OnTrigger({.checkpoint_id = {5}}, SourceStop::kGoOn);
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:max", "end"));
}

TEST_F(SourceDriverTest, RestoredItTellsNoWatermarkThatItsSplitsAreBehind) {
  restored_ms_ = 50;
  restored_splits_ms_ = {{"web-0", 70}};
  Make(2);
  Answer({{1, "late@40", 1}});  // watermark 30 of this split
  EXPECT_THAT(ReadAll(), ElementsAre("rows:late@40"));
  Answer({{1, "on@90", 2}});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:on@90", "watermark:70"));
}

}  // namespace
}  // namespace watershed
