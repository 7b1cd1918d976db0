#include "runtime/engine/edge_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/exchange/local_channel.h"
#include "tests/unit/engine/manual_clock.h"
#include "tests/unit/engine/rows.h"

namespace watershed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EdgeWriterTest : public ::testing::Test {
 protected:
  void Make(int channels, int64_t capacity_bytes = 1 << 20) {
    std::vector<std::unique_ptr<ChannelSender>> senders;
    for (int i = 0; i < channels; ++i) {
      LocalChannel channel = MakeLocalChannel(capacity_bytes);
      senders.push_back(std::move(channel.sender));
      receivers_.push_back(std::move(channel.receiver));
    }
    EdgeWriter::Parameters parameters;
    parameters.schema = KeyTimeSchema();
    parameters.partitioning = {.key_columns = {0}, .parallelism = channels};
    parameters.mailbox = mailbox_;
    parameters.clock = &clock_;
    parameters.records_out = &records_out_;
    parameters.bytes_out = &bytes_out_;
    writer_ = std::make_unique<EdgeWriter>(std::move(senders), std::move(parameters));
  }

  std::vector<std::string> ReadAll(size_t channel) {
    std::vector<std::string> read;
    while (auto element = receivers_[channel]->TryPop()) read.push_back(Describe(*element));
    return read;
  }

  ManualClock clock_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(&clock_);
  Counter records_out_, bytes_out_;
  std::vector<std::unique_ptr<ChannelReceiver>> receivers_;
  std::unique_ptr<EdgeWriter> writer_;
};

TEST_F(EdgeWriterTest, AKeyAlwaysGoesToTheSameSubtask) {
  Make(3);
  std::vector<KeyAndTime> rows;
  for (int i = 0; i < 300; ++i) rows.emplace_back("key" + std::to_string(i % 50), i);
  ASSERT_TRUE(writer_->Process(0, Rows(rows)));
  ASSERT_TRUE(writer_->Process(0, Rows(rows)));
  ASSERT_TRUE(writer_->Flush());
  std::map<std::string, std::set<size_t>> channels_of_key;
  size_t received = 0;
  for (size_t channel = 0; channel < 3; ++channel) {
    while (auto element = receivers_[channel]->TryPop()) {
      for (const auto& [key, time_ms] : FromRows(std::get<RecordBatch>(*element))) {
        channels_of_key[key].insert(channel);
        ++received;
      }
    }
  }
  EXPECT_EQ(received, 600u);
  EXPECT_EQ(records_out_.value(), 600);
  EXPECT_EQ(channels_of_key.size(), 50u);
  for (const auto& [key, channels] : channels_of_key) EXPECT_EQ(channels.size(), 1u) << key;
}

TEST_F(EdgeWriterTest, RowsThatWaitPrecedeAWatermark) {
  Make(2);
  ASSERT_TRUE(writer_->Process(0, Rows({{"a", 1}})));
  ASSERT_TRUE(writer_->Flush());
  ASSERT_EQ(writer_->OnWatermark(9), Progress::kDone);
  ASSERT_EQ(writer_->EndOfInput(), Progress::kDone);
  std::vector<std::vector<std::string>> read = {ReadAll(0), ReadAll(1)};
  EXPECT_THAT(read, ::testing::UnorderedElementsAre(ElementsAre("rows:a@1", "watermark:9", "end"),
                                                    ElementsAre("watermark:9", "end")));
}

TEST_F(EdgeWriterTest, RowsDoNotWaitLongerThanTheBufferTimeout) {
  Make(2);
  ASSERT_TRUE(writer_->Process(0, Rows({{"a", 1}})));
  ASSERT_TRUE(mailbox_->RunAll());
  EXPECT_EQ(records_out_.value(), 0);
  clock_.Advance(std::chrono::milliseconds(10));
  ASSERT_TRUE(mailbox_->RunAll());
  EXPECT_EQ(records_out_.value(), 1);
  EXPECT_FALSE(mailbox_->next_timer().has_value());
}

TEST_F(EdgeWriterTest, WhatFindsNoRoomWaitsInOrderAndIsSentLater) {
  Make(1, /*capacity_bytes=*/1);
  for (const char* key : {"a", "b", "c"}) {
    ASSERT_TRUE(writer_->Process(0, Rows({{key, 1}})));  // always accepted
  }
  EXPECT_TRUE(writer_->full());
  ASSERT_EQ(writer_->OnWatermark(5), Progress::kDone);
  EXPECT_EQ(writer_->EndOfInput(), Progress::kYield);  // not before everything is sent
  std::vector<std::string> read;
  while (true) {
    for (const std::string& element : ReadAll(0)) read.push_back(element);
    if (!writer_->full()) break;
    mailbox_->Wait();  // the reader made room
    ASSERT_TRUE(writer_->ResumeOutput());
  }
  EXPECT_EQ(writer_->EndOfInput(), Progress::kDone);
  for (const std::string& element : ReadAll(0)) read.push_back(element);
  EXPECT_THAT(read, ElementsAre("rows:a@1", "rows:b@1", "rows:c@1", "watermark:5", "end"));
}

TEST_F(EdgeWriterTest, OneSlowSubtaskLeavesTheOthersTheirRows) {
  Make(2, /*capacity_bytes=*/1);
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(writer_->Process(0, Rows({{"key" + std::to_string(i), i}})));
    ASSERT_TRUE(writer_->Flush());
  }
  EXPECT_TRUE(writer_->full());
  // Subtask 1 never reads; what is for subtask 0 still arrives there.
  size_t read = 0;
  for (int round = 0; round < 200; ++round) {
    read += ReadAll(0).size();
    ASSERT_TRUE(writer_->ResumeOutput());
  }
  EXPECT_GT(read, 10u);
  EXPECT_TRUE(writer_->full());
}

TEST_F(EdgeWriterTest, ClosingCancelsItsTimer) {
  Make(2);
  ASSERT_TRUE(writer_->Process(0, Rows({{"a", 1}})));
  writer_->Close();
  EXPECT_FALSE(mailbox_->next_timer().has_value());
  EXPECT_THAT(ReadAll(0), IsEmpty());
}

}  // namespace
}  // namespace watershed
