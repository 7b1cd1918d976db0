// What is published when the writer dies, or is taken over, at each of its steps: the calls of
// write and sync are the moments.
#include "runtime/connectors/filesystem/writer_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "tests/support/assert_ok.h"
#include "tests/support/synced_disk.h"
#include "tests/support/test_directory.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

const WriterId kWriter = {"abc", "hits", 0};
constexpr int kMoments = 40;  // more than a takeover and a commit have

std::vector<SinkSegment> Epoch(int64_t epoch) {
  return {{.epoch = {epoch}, .rows = 1, .payload = "rows of " + std::to_string(epoch) + "\n"}};
}

class WriterDirectoryTest : public testing::Test {
 protected:
  // `at` is called before each write and sync with its number; an errno fails the call.
  std::unique_ptr<WriterDirectory> Make(
      int32_t attempt, std::function<int(int)> at = [](int) { return 0; }) {
    FileStorageOptions options;
    auto moment = std::make_shared<int>(0);
    const auto call = [at = std::move(at), moment] { return at((*moment)++); };
    options.write = [call](int fd, const void* bytes, size_t size) -> ssize_t {
      const int error = call();
      if (error == 0) return ::write(fd, bytes, size);
      EXPECT_GE(::write(fd, bytes, size / 2), 0);
      errno = error;
      return -1;
    };
    options.sync = [this, call](int fd) {
      errno = call();
      if (errno != 0) return -1;
      struct stat info;
      const bool is_removed = ::fstat(fd, &info) == 0 && info.st_nlink == 0;
      return is_removed ? 0 : disk_.Sync(fd);
    };
    auto tree = std::make_shared<FileTree>(directory_.path(), std::move(options));
    return std::make_unique<WriterDirectory>(std::move(tree), kWriter,
                                             WriterOwner{{attempt}, "job"}, "json");
  }

  // Somebody who looks, and moves away all there is.
  void Consume() {
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      if (entry.path().filename().string().starts_with('.')) continue;
      std::ifstream file(entry.path());
      consumed_.emplace_back(std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>());
      fs::remove(entry.path());
    }
  }

  // The next attempt, of a checkpoint that lists epoch 5.
  void Restore(int32_t attempt) {
    const auto writer = Make(attempt);
    ASSERT_OK(writer->Fence());
    Consume();
    ASSERT_OK(writer->Commit({5}, Epoch(5)));
    Consume();
    EXPECT_EQ(writer->marker().last_committed_epoch.value, 5);
  }

  std::vector<std::string> HiddenDirectories() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  void Clear() {
    for (const auto& entry : fs::directory_iterator(directory_.path())) fs::remove_all(entry);
    consumed_.clear();
  }

  const TestDirectory directory_;
  SyncedDisk disk_;
  std::vector<std::string> consumed_;
};

TEST_F(WriterDirectoryTest, EachRowIsConsumedOnceWheneverTheWriterDies) {
  int deaths = 0;
  for (int moment = 0; moment < kMoments; ++moment) {
    Clear();
    const auto writer = Make(1, [&](int at) { return at >= moment ? EIO : 0; });
    const bool is_fenced = writer->Fence().has_value();
    const Status status = is_fenced ? writer->Commit({5}, Epoch(5)) : Ok();
    deaths += !is_fenced || !status;
    Consume();
    Restore(2);
    EXPECT_THAT(consumed_, ElementsAre("rows of 5\n")) << "dead at " << moment;
    EXPECT_THAT(HiddenDirectories(), ElementsAre(".watershed.hits.abc.0.2.job"));
  }
  EXPECT_GE(deaths, 6);
}

// One that failed behind the marker and goes on, as the engine asks it to.
TEST_F(WriterDirectoryTest, EachRowIsConsumedOnceWhicheverStepFails) {
  for (int moment = 0; moment < kMoments; ++moment) {
    Clear();
    const auto writer = Make(1, [&](int at) { return at == moment ? EIO : 0; });
    if (!writer->Fence()) ASSERT_OK(writer->Fence());
    for (int tries = 0; tries < 2; ++tries) {
      const Status status = writer->Commit({5}, Epoch(5));
      Consume();
      if (status) break;
      EXPECT_TRUE(status.error().retryable) << status.error().message;
    }
    EXPECT_THAT(consumed_, ElementsAre("rows of 5\n")) << "failed at " << moment;
  }
}

// And one that dies after that.
TEST_F(WriterDirectoryTest, EachRowIsConsumedOnceWhicheverStepFailsBeforeTheWriterDies) {
  for (int failure = 0; failure < kMoments / 2; ++failure) {
    for (int death = failure + 1; death < kMoments / 2; ++death) {
      Clear();
      const auto writer = Make(1, [&](int at) { return at == failure || at >= death ? EIO : 0; });
      if (writer->Fence() || writer->Fence()) {
        if (!writer->Commit({5}, Epoch(5))) (void)writer->Commit({5}, Epoch(5));
      }
      Consume();
      Restore(2);
      ASSERT_THAT(consumed_, ElementsAre("rows of 5\n"))
          << "failed at " << failure << ", dead at " << death;
    }
  }
}

TEST_F(WriterDirectoryTest, EachRowIsConsumedOnceWheneverItIsTakenOver) {
  int refusals = 0;
  for (int moment = 0; moment < kMoments; ++moment) {
    Clear();
    const auto next = Make(2);
    const auto zombie = Make(1, [&](int at) {
      if (at != moment) return 0;
      EXPECT_TRUE(next->Fence());
      Consume();
      return 0;
    });
    Status status = zombie->Fence();
    if (status) status = zombie->Commit({5}, Epoch(5));
    if (!status) {
      ++refusals;
      EXPECT_FALSE(status.error().retryable);
      EXPECT_THAT(status.error().message, HasSubstr("attempt 2 has taken writer 0 of "));
    }
    Consume();
    Restore(3);
    EXPECT_THAT(consumed_, ElementsAre("rows of 5\n")) << "taken over at " << moment;
  }
  EXPECT_GE(refusals, 6);
}

// It has not heard, and writes while its directory is being emptied.
TEST_F(WriterDirectoryTest, EachRowIsConsumedOnceThoughTheFormerOwnerGoesOnMeanwhile) {
  for (int moment = 0; moment < kMoments; ++moment) {
    Clear();
    const auto zombie = Make(1);
    ASSERT_OK(zombie->Fence());
    ASSERT_OK(zombie->Commit({4}, Epoch(4)));
    consumed_.clear();
    const auto next = Make(2, [&](int at) {
      if (at == moment) (void)zombie->Commit({5}, Epoch(5));
      return 0;
    });
    ASSERT_OK(next->Fence());
    EXPECT_GE(next->marker().last_committed_epoch.value, 4);
    Consume();
    ASSERT_OK(next->Commit({5}, Epoch(5)));
    Consume();
    EXPECT_EQ(std::ranges::count(consumed_, "rows of 5\n"), 1) << "it wrote at " << moment;
    EXPECT_EQ(consumed_.size(), 2);
  }
}

// An older checkpoint is gone on from: the epoch that was not committed comes with another number.
TEST_F(WriterDirectoryTest, WhatWasNotCommittedIsNotPublishedWithALaterEpoch) {
  const auto dying = Make(1, [](int at) { return at >= 5 ? EIO : 0; });  // but for the marker
  ASSERT_OK(dying->Fence());
  ASSERT_FALSE(dying->Commit({5}, Epoch(5)));
  ASSERT_TRUE(fs::exists(directory_.path() + "/.watershed.hits.abc.0.1.job/hits.abc.0.5.json"));
  const auto next = Make(2);
  ASSERT_OK(next->Fence());
  EXPECT_EQ(next->marker().last_committed_epoch.value, -1);
  ASSERT_OK(next->Commit({6}, Epoch(6)));
  Consume();
  EXPECT_THAT(consumed_, ElementsAre("rows of 6\n"));
}

// A writer dies before it has removed the former ones.
TEST_F(WriterDirectoryTest, TheNewestMarkerCounts) {
  ASSERT_OK(Make(1)->Fence());
  for (int epoch = 1; epoch < 40; ++epoch) {
    std::ofstream(fmt::format("{}/.watershed.hits.abc.0.1.job/.committed.{}.other",
                              directory_.path(), epoch * 7 % 40));
  }
  const auto next = Make(2);
  ASSERT_OK(next->Fence());
  EXPECT_EQ(next->marker().last_committed_epoch.value, 39);
  EXPECT_EQ(next->marker().committed_by, "other");
}

TEST_F(WriterDirectoryTest, WhatIsCommittedOutlivesAPowerFailure) {
  const std::string hidden = ".watershed.hits.abc.0.1.job/";
  const auto has_marker = [&] { return disk_.Get(directory_.path(), hidden + ".committed.5.job"); };
  const auto writer = Make(1, [&](int) {
    // Of all that was synced so far.
    const auto waiting = disk_.Get(directory_.path(), hidden + "hits.abc.0.5.json");
    const auto published = disk_.Get(directory_.path(), "hits.abc.0.5.json");
    EXPECT_TRUE(!has_marker() || waiting || published);
    // Whoever sees it may move it away.
    EXPECT_TRUE(!fs::exists(directory_.path() + "/hits.abc.0.5.json") || has_marker());
    EXPECT_EQ(waiting.value_or("rows of 5\n"), "rows of 5\n");
    EXPECT_EQ(published.value_or("rows of 5\n"), "rows of 5\n");
    return 0;
  });
  ASSERT_OK(writer->Fence());
  ASSERT_OK(writer->Commit({5}, Epoch(5)));
  EXPECT_EQ(disk_.Get(directory_.path(), "hits.abc.0.5.json"), "rows of 5\n");
  EXPECT_TRUE(has_marker());
  // Else it would be published again, once it had been moved away.
  EXPECT_FALSE(disk_.Get(directory_.path(), hidden + "hits.abc.0.5.json"));
}

TEST_F(WriterDirectoryTest, AFullDiskIsNamedAndAskedAgain) {
  bool is_full = true;
  const auto writer = Make(1, [&](int at) { return is_full && at >= 3 ? ENOSPC : 0; });
  ASSERT_OK(writer->Fence());
  const Status status = writer->Commit({5}, Epoch(5));
  ASSERT_FALSE(status);
  EXPECT_TRUE(status.error().retryable);
  EXPECT_THAT(status.error().message, HasSubstr("cannot write '" + directory_.path()));
  EXPECT_THAT(status.error().message, HasSubstr("No space left on device; free space there"));
  Consume();
  EXPECT_THAT(consumed_, IsEmpty());
  is_full = false;
  ASSERT_OK(writer->Commit({5}, Epoch(5)));
  Consume();
  EXPECT_THAT(consumed_, ElementsAre("rows of 5\n"));
}

}  // namespace
}  // namespace watershed
