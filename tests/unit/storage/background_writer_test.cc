#include "runtime/storage/background_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "runtime/process/event_loop.h"
#include "runtime/process/worker_pool.h"
#include "runtime/storage/content_hash.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/stepped_work_runner.h"

namespace watershed {
namespace {

using testing::HasSubstr;

class BackgroundWriterTest : public testing::Test {
 protected:
  BackgroundWriterTest() {
    target_.storage = storage_;
    target_.io = &io_;
    target_.post = [this](std::function<Status()> mail) { mail_.push_back(std::move(mail)); };
    target_.name_prefix = "shared/1-v-0-u";
  }

  std::function<Status(Result<StoredFile>)> Note() {
    return [this](Result<StoredFile> file) -> Status {
      results_.push_back(std::move(file));
      return Ok();
    };
  }
  void RunMail() {
    while (!mail_.empty()) {
      EXPECT_TRUE(mail_.front()());
      mail_.pop_front();
    }
  }

  const std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&SystemClock());
  SteppedWorkRunner io_;
  SnapshotTarget target_;
  std::deque<std::function<Status()>> mail_;
  std::vector<Result<StoredFile>> results_;
};

TEST_F(BackgroundWriterTest, ChunksAreWrittenInOrderElsewhereAndDoneIsMail) {
  BackgroundWriter writer(target_, "shared/1-v-0-u-0");
  EXPECT_EQ(io_.waiting(), 0U);
  writer.Append("abc");
  writer.Append("defg");
  EXPECT_EQ(storage_->calls(), 0);  // nothing blocks here
  EXPECT_EQ(writer.unwritten_bytes(), 7);
  EXPECT_EQ(io_.waiting(), 1U);  // one at a time
  io_.Step();
  EXPECT_EQ(writer.unwritten_bytes(), 4);
  writer.Append("h");
  writer.Finish(Note());
  io_.RunAll();
  EXPECT_EQ(writer.unwritten_bytes(), 0);
  EXPECT_TRUE(results_.empty());  // not from the thread that writes
  RunMail();
  ASSERT_EQ(results_.size(), 1U);
  const StoredFile expected{"shared/1-v-0-u-0", 8, ContentHash::Of("abcdefgh")};
  EXPECT_EQ(results_[0], expected);
  EXPECT_EQ(storage_->objects().at("shared/1-v-0-u-0"), "abcdefgh");
}

TEST_F(BackgroundWriterTest, DoneWhenTheObjectIsThereNotBefore) {
  BackgroundWriter writer(target_, "x");
  writer.Append("abc");
  writer.Finish(Note());
  bool was_there = false;
  target_.post = nullptr;
  io_.RunAll();
  was_there = storage_->objects().contains("x");
  RunMail();
  EXPECT_TRUE(was_there);
  EXPECT_EQ(results_.size(), 1U);
}

TEST_F(BackgroundWriterTest, FinishedItGoesOnWithoutItsOwner) {
  {
    BackgroundWriter writer(target_, "x");
    writer.Append("abc");
    writer.Finish(Note());
  }
  io_.RunAll();
  RunMail();
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_TRUE(results_[0]);
}

TEST_F(BackgroundWriterTest, AnEmptyObjectIsOneToo) {
  BackgroundWriter writer(target_, "x");
  writer.Finish(Note());
  io_.RunAll();
  RunMail();
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0], (StoredFile{"x", 0, ContentHash::Of("")}));
  EXPECT_EQ(storage_->objects().at("x"), "");
}

TEST_F(BackgroundWriterTest, GivenUpItLeavesNothing) {
  for (const size_t steps : {0U, 1U, 2U}) {
    {
      BackgroundWriter writer(target_, "x");
      writer.Append("abc");
      writer.Append("def");
      for (size_t i = 0; i < steps; ++i) io_.Step();
    }
    const int64_t calls = storage_->calls();
    io_.RunAll();
    EXPECT_EQ(storage_->calls(), calls);  // what was not written yet is not
    EXPECT_TRUE(storage_->objects().empty());
    EXPECT_TRUE(mail_.empty());
  }
  // The name was never taken.
  BackgroundWriter writer(target_, "x");
  writer.Finish(Note());
  io_.RunAll();
  RunMail();
  EXPECT_TRUE(results_.at(0));
}

TEST_F(BackgroundWriterTest, AFailureIsToldOnceAndNobodyWaitsForTheRest) {
  using Kind = StorageCall::Kind;
  for (const Kind kind : {Kind::kCreate, Kind::kAppend, Kind::kCommit}) {
    results_.clear();
    int64_t failures = 0, calls_after = 0;
    storage_->SetFaults([&](const StorageCall& call) {
      calls_after += failures;
      if (call.kind != kind || failures > 0) return StorageFault::kNone;
      ++failures;
      return StorageFault::kFull;
    });
    BackgroundWriter writer(target_, "x");
    for (int i = 0; i < 4; ++i) writer.Append("abc");
    writer.Finish(Note());
    io_.RunAll();
    RunMail();
    EXPECT_EQ(writer.unwritten_bytes(), 0);
    ASSERT_EQ(results_.size(), 1U);
    ASSERT_FALSE(results_[0]);
    EXPECT_THAT(results_[0].error().message, HasSubstr("No space left"));
    EXPECT_TRUE(storage_->objects().empty());  // not without its first chunk
    EXPECT_EQ(calls_after, 0);                 // and a full disk is not written to in vain
  }
}

TEST_F(BackgroundWriterTest, ANameThatIsTakenIsAnError) {
  ASSERT_EQ(storage_->PutIfAbsent("x", "other"), true);
  BackgroundWriter writer(target_, "x");
  writer.Append("abc");
  writer.Finish(Note());
  io_.RunAll();
  RunMail();
  ASSERT_FALSE(results_.at(0));
  EXPECT_THAT(results_[0].error().message, HasSubstr("memory://storage/x"));
  EXPECT_EQ(storage_->objects().at("x"), "other");
}

TEST_F(BackgroundWriterTest, AStoppedRunnerIsNoTrouble) {
  BackgroundWriter writer(target_, "x");
  writer.Append("abc");
  io_.Stop();
  writer.Append("abc");
  writer.Finish(Note());
  EXPECT_TRUE(mail_.empty());
}

TEST(BackgroundWriter, ManyOnAPoolOfThreads) {
  const auto storage = std::make_shared<FaultyStorage>(&SystemClock());
  WorkerPool pool("io", 3);
  EventLoop task("task");
  std::mutex mutex;
  std::condition_variable all_done;
  int done = 0;
  SnapshotTarget target{storage, &pool,
                        [&](std::function<Status()> mail) {
                          task.Post([mail = std::move(mail)] { EXPECT_TRUE(mail()); });
                        },
                        ""};
  constexpr int kWriters = 20, kChunks = 50;
  std::string expected;
  for (int i = 0; i < kChunks; ++i) expected += std::to_string(i) + ",";
  for (int w = 0; w < kWriters; ++w) {
    BackgroundWriter writer(target, std::to_string(w));
    for (int i = 0; i < kChunks; ++i) writer.Append(std::to_string(i) + ",");
    if (w % 5 == 4) continue;  // given up
    writer.Finish([&](const Result<StoredFile>& file) -> Status {
      EXPECT_EQ(file->xxh3, ContentHash::Of(expected));
      EXPECT_TRUE(task.InLoop());
      const std::lock_guard lock(mutex);
      ++done;
      all_done.notify_one();
      return Ok();
    });
  }
  std::unique_lock lock(mutex);
  all_done.wait(lock, [&] { return done == kWriters * 4 / 5; });
  lock.unlock();
  pool.Stop();
  const auto objects = storage->objects();
  EXPECT_EQ(objects.size(), static_cast<size_t>(kWriters * 4 / 5));
  for (const auto& [name, bytes] : objects) EXPECT_EQ(bytes, expected) << name;
}

}  // namespace
}  // namespace watershed
