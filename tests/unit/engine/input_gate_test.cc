#include "runtime/engine/input_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/exchange/local_channel.h"
#include "tests/unit/engine/manual_clock.h"
#include "tests/unit/engine/rows.h"

namespace watershed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InputGateTest : public ::testing::Test {
 protected:
  explicit InputGateTest(int channels = 2) {
    std::vector<InputGate::Channel> receivers;
    for (int i = 0; i < channels; ++i) {
      LocalChannel channel = MakeLocalChannel(1 << 20);
      senders_.push_back(std::move(channel.sender));
      receivers.push_back({std::move(channel.receiver), 0});
    }
    gate_ = std::make_unique<InputGate>(std::move(receivers), mailbox_);
  }

  void Push(size_t channel, StreamElement element) {
    ASSERT_TRUE(senders_[channel]->TryPush(element));
  }
  void PushRow(size_t channel, const std::string& key) { Push(channel, Rows({{key, 1}})); }
  void PushBarrier(size_t channel, int64_t id) { Push(channel, Barrier{.checkpoint_id = {id}}); }

  std::vector<std::string> ReadAll() {
    std::vector<std::string> read;
    while (auto element = *gate_->Next()) read.push_back(Describe(element->element));
    return read;
  }

  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(&SystemClock());
  std::vector<std::unique_ptr<ChannelSender>> senders_;
  std::unique_ptr<InputGate> gate_;
};

TEST_F(InputGateTest, ChannelsTakeTurns) {
  for (const char* key : {"a1", "a2"}) PushRow(0, key);
  for (const char* key : {"b1", "b2"}) PushRow(1, key);
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a1@1", "rows:b1@1", "rows:a2@1", "rows:b2@1"));
}

TEST_F(InputGateTest, HandsOnTheMinimumOfWatermarks) {
  Push(0, Watermark{10});
  EXPECT_THAT(ReadAll(), IsEmpty());
  Push(1, Watermark{7});
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:7"));
  Push(1, WatermarkStatus{true});
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:10"));
  Push(0, WatermarkStatus{true});
  EXPECT_THAT(ReadAll(), ElementsAre("idle"));
}

TEST_F(InputGateTest, KeepsTheOrderOfAChannel) {
  PushRow(0, "a");
  Push(1, Watermark{9});
  Push(0, Watermark{5});
  PushRow(0, "b");
  EXPECT_THAT(ReadAll(), ElementsAre("rows:a@1", "watermark:5", "rows:b@1"));
}

TEST_F(InputGateTest, HoldsBackWhatFollowsABarrierUntilItCameOnAllChannels) {
  PushBarrier(0, 1);
  PushRow(0, "after");
  PushRow(1, "before");
  EXPECT_THAT(ReadAll(), ElementsAre("rows:before@1"));
  EXPECT_TRUE(gate_->aligning());
  PushBarrier(1, 1);
  EXPECT_THAT(ReadAll(), ElementsAre("barrier:1", "rows:after@1"));
}

TEST_F(InputGateTest, AChannelThatEndsCompletesTheBarrier) {
  PushBarrier(0, 1);
  Push(0, Watermark{20});
  Push(1, Watermark{5});
  Push(1, EndOfInput{});
  EXPECT_THAT(ReadAll(), ElementsAre("barrier:1", "watermark:20"));
}

TEST_F(InputGateTest, AChannelThatEndedHoldsTheWatermarkNoMore) {
  Push(0, Watermark{5});
  Push(1, Watermark{30});
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:5"));
  Push(0, EndOfInput{});  // without +∞: the job is stopped without drain
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:30"));
}

TEST_F(InputGateTest, EndsOnceWhenAllChannelsHave) {
  Push(0, Watermark{kMaxWatermarkMs});
  Push(0, EndOfInput{});
  PushRow(1, "x");
  EXPECT_THAT(ReadAll(), ElementsAre("rows:x@1"));
  Push(1, Watermark{kMaxWatermarkMs});
  Push(1, EndOfInput{});
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:max", "end"));
  EXPECT_THAT(ReadAll(), IsEmpty());
}

TEST_F(InputGateTest, AStopWithoutDrainEndsWithoutAWatermark) {
  Push(0, Watermark{5});
  Push(0, EndOfInput{});
  Push(1, Watermark{3});
  Push(1, EndOfInput{});
  EXPECT_THAT(ReadAll(), ElementsAre("watermark:3", "end"));
}

TEST_F(InputGateTest, AnArrivalWakesTheMailbox) {
  PushRow(1, "x");
  ASSERT_TRUE(gate_->Wait());  // returns: the notification is not lost
  EXPECT_THAT(ReadAll(), ElementsAre("rows:x@1"));
}

TEST_F(InputGateTest, AnAbortedCheckpointLetsTheRowsBehindItsBarrierIn) {
  PushBarrier(0, 1);
  PushRow(0, "behind");
  EXPECT_THAT(ReadAll(), IsEmpty());
  gate_->OnCheckpointAborted({1});
  EXPECT_THAT(ReadAll(), ElementsAre("rows:behind@1"));
  PushBarrier(1, 1);
  PushRow(1, "other");
  EXPECT_THAT(ReadAll(), ElementsAre("rows:other@1"));
}

TEST(InputGate, MeasuresHowLongABarrierWaitedForItself) {
  ManualClock clock;
  LocalChannel first = MakeLocalChannel(1 << 20), second = MakeLocalChannel(1 << 20);
  std::vector<InputGate::Channel> receivers;
  receivers.push_back({std::move(first.receiver), 0});
  receivers.push_back({std::move(second.receiver), 0});
  InputGate gate(std::move(receivers), std::make_shared<Mailbox>(&clock));
  StreamElement barrier = Barrier{.checkpoint_id = {1}};
  first.sender->TryPush(barrier);
  ASSERT_FALSE(*gate.Next());
  clock.Advance(std::chrono::milliseconds(7));
  second.sender->TryPush(barrier);
  ASSERT_TRUE(*gate.Next());
  EXPECT_EQ(gate.last_alignment(), std::chrono::milliseconds(7));
}

TEST(InputGate, ARestoredOneBeginsAtItsWatermark) {
  LocalChannel channel = MakeLocalChannel(1 << 20);
  std::vector<InputGate::Channel> receivers;
  receivers.push_back({std::move(channel.receiver), 0});
  InputGate gate(std::move(receivers), std::make_shared<Mailbox>(&SystemClock()), 50);
  for (const int64_t time_ms : {20, 50, 60}) {
    StreamElement watermark = Watermark{time_ms};
    channel.sender->TryPush(watermark);
  }
  const auto element = *gate.Next();
  ASSERT_TRUE(element);
  EXPECT_EQ(Describe(element->element), "watermark:60");
}

}  // namespace
}  // namespace watershed
