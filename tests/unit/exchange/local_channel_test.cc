#include "runtime/exchange/local_channel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "tests/unit/exchange/rows.h"

namespace watershed {
namespace {

StreamElement Rows(int64_t first, int64_t count) { return AllTypesRows(first, count); }

int64_t BytesOf(const StreamElement& element) { return std::get<RecordBatch>(element).byte_size(); }

TEST(LocalChannelTest, KeepsTheOrderOfRowsAndEvents) {
  LocalChannel channel = MakeLocalChannel(1 << 20);
  StreamElement elements[] = {Rows(0, 3), Watermark{7}, Barrier{{1}, 0, false}, Rows(3, 1),
                              EndOfInput{}};
  for (StreamElement& element : elements) EXPECT_TRUE(channel.sender->TryPush(element));
  EXPECT_EQ(std::get<RecordBatch>(*channel.receiver->TryPop()).num_rows(), 3);
  EXPECT_EQ(std::get<Watermark>(*channel.receiver->TryPop()).time_ms, 7);
  EXPECT_TRUE(std::holds_alternative<Barrier>(*channel.receiver->TryPop()));
  EXPECT_EQ(std::get<RecordBatch>(*channel.receiver->TryPop()).num_rows(), 1);
  EXPECT_TRUE(std::holds_alternative<EndOfInput>(*channel.receiver->TryPop()));
  EXPECT_EQ(channel.receiver->TryPop(), std::nullopt);
}

TEST(LocalChannelTest, IsBoundedInBytesButAdmitsOneBatchWhenEmpty) {
  StreamElement first = Rows(0, 100);
  StreamElement second = Rows(100, 100);
  LocalChannel channel = MakeLocalChannel(BytesOf(first) / 2);
  EXPECT_TRUE(channel.sender->TryPush(first));
  EXPECT_FALSE(channel.sender->Writable());
  EXPECT_FALSE(channel.sender->TryPush(second));
  EXPECT_EQ(std::get<RecordBatch>(second).num_rows(), 100) << "a refused element is untouched";
  StreamElement watermark = Watermark{1};
  EXPECT_TRUE(channel.sender->TryPush(watermark)) << "events need no room";
  int writable = 0;
  channel.sender->SetOnWritable([&] { ++writable; });
  EXPECT_TRUE(channel.receiver->TryPop().has_value());
  EXPECT_EQ(writable, 1);
  EXPECT_TRUE(channel.sender->Writable());
  EXPECT_TRUE(channel.sender->TryPush(second)) << "a queue with a watermark only holds no rows";
}

TEST(LocalChannelTest, StaysUnwritableUntilHalfIsFree) {
  const int64_t bytes = BytesOf(Rows(0, 100));
  LocalChannel channel = MakeLocalChannel(bytes * 4 + bytes / 2);
  int writable = 0;
  channel.sender->SetOnWritable([&] { ++writable; });
  for (int i = 0; i < 4; ++i) {
    StreamElement rows = Rows(0, 100);
    EXPECT_TRUE(channel.sender->TryPush(rows));
  }
  StreamElement fifth = Rows(0, 100);
  EXPECT_FALSE(channel.sender->TryPush(fifth));
  EXPECT_FALSE(channel.sender->Writable());
  channel.receiver->TryPop();
  EXPECT_EQ(writable, 0);
  channel.receiver->TryPop();
  EXPECT_EQ(writable, 1);
  EXPECT_TRUE(channel.sender->TryPush(fifth));
}

TEST(LocalChannelTest, TellsTheReaderOncePerFillingOfAnEmptyQueue) {
  LocalChannel channel = MakeLocalChannel(1 << 20);
  int readable = 0;
  const auto push = [&] {
    StreamElement element = Watermark{1};
    channel.sender->TryPush(element);
  };
  push();
  channel.receiver->SetOnReadable([&] { ++readable; });
  EXPECT_EQ(readable, 1) << "what came before the callback is told at once";
  push();
  EXPECT_EQ(readable, 1);
  channel.receiver->TryPop();
  channel.receiver->TryPop();
  push();
  EXPECT_EQ(readable, 2);
}

TEST(LocalChannelTest, AClosedReceiverSwallowsAndFreesTheSender) {
  StreamElement first = Rows(0, 10);
  LocalChannel channel = MakeLocalChannel(1);
  channel.sender->TryPush(first);
  StreamElement second = Rows(0, 10);
  EXPECT_FALSE(channel.sender->TryPush(second));
  int writable = 0;
  channel.sender->SetOnWritable([&] { ++writable; });
  channel.receiver.reset();
  EXPECT_EQ(writable, 1);
  EXPECT_TRUE(channel.sender->TryPush(second));
  EXPECT_TRUE(channel.sender->Writable());
}

// Two threads that sleep whenever they cannot go on: a lost wake-up would hang the test.
TEST(LocalChannelTest, TwoThreadsPassEverythingInOrder) {
  constexpr int64_t kBatches = 20'000;
  LocalChannel channel = MakeLocalChannel(2000);
  std::binary_semaphore room(0);
  std::binary_semaphore data(0);
  // A second release of a binary semaphore is undefined: signals are merged through a flag.
  std::atomic<bool> room_signalled{false};
  std::atomic<bool> data_signalled{false};
  channel.sender->SetOnWritable([&] {
    if (!room_signalled.exchange(true)) room.release();
  });
  channel.receiver->SetOnReadable([&] {
    if (!data_signalled.exchange(true)) data.release();
  });
  std::thread producer([&] {
    for (int64_t i = 0; i < kBatches; ++i) {
      StreamElement element =
          i % 7 == 0 ? StreamElement(Watermark{i}) : StreamElement(AllTypesRows(i, 1));
      while (!channel.sender->TryPush(element)) {
        room.acquire();
        room_signalled = false;
      }
    }
    StreamElement end = EndOfInput{};
    channel.sender->TryPush(end);
  });
  int64_t next = 0;
  for (bool ended = false; !ended;) {
    auto element = channel.receiver->TryPop();
    if (!element) {
      data.acquire();
      data_signalled = false;
      continue;
    }
    if (const auto* batch = std::get_if<RecordBatch>(&*element)) {
      ASSERT_EQ(RowText(*batch, 0), RowText(AllTypesRows(next, 1), 0));
      ++next;
    } else if (const auto* watermark = std::get_if<Watermark>(&*element)) {
      ASSERT_EQ(watermark->time_ms, next);
      ++next;
    } else {
      ended = true;
    }
  }
  producer.join();
  EXPECT_EQ(next, kBatches);
}

// Close waits for a callback that is under way: what the callback uses may be destroyed afterwards.
TEST(LocalChannelTest, NoCallbackRunsAfterClose) {
  LocalChannel channel = MakeLocalChannel(1 << 20);
  std::binary_semaphore entered(0);
  std::atomic<bool> closed{false};
  std::atomic<bool> closed_meanwhile{false};
  channel.receiver->SetOnReadable([&] {
    entered.release();
    for (int i = 0; i < 10'000 && !closed; ++i) std::this_thread::yield();
    closed_meanwhile = closed.load();
  });
  std::thread producer([&] {
    StreamElement element = Watermark{1};
    channel.sender->TryPush(element);
  });
  entered.acquire();
  channel.receiver->Close();
  closed = true;
  producer.join();
  EXPECT_FALSE(closed_meanwhile);
  StreamElement element = Watermark{2};
  EXPECT_TRUE(channel.sender->TryPush(element));
}

}  // namespace
}  // namespace watershed
