// The contract of object_storage.h, on every implementation, and the faulty one's faults.
#include "runtime/storage/object_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "runtime/storage/file_storage.h"
#include "runtime/storage/object_name.h"
#include "tests/support/faulty_storage.h"
#include "tests/unit/storage/temporary_folder.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const Result<std::vector<ObjectInfo>>& infos) {
  std::vector<std::string> names;
  for (const ObjectInfo& info : infos.value()) names.push_back(info.name);
  return names;
}

class ObjectStorageTest : public testing::TestWithParam<std::string> {
 protected:
  ObjectStorageTest() {
    if (GetParam() == "file") {
      storage_ = OpenStorage("file://" + folder_.path().string()).value();
    } else {
      storage_ = std::make_shared<FaultyStorage>(&SystemClock());
    }
  }

  TemporaryFolder folder_;
  std::shared_ptr<ObjectStorage> storage_;
};

TEST_P(ObjectStorageTest, WhatWasPutIsGotWhole) {
  const std::string bytes("a\0b\n", 4);
  EXPECT_EQ(storage_->Get("a/b"), std::nullopt);
  EXPECT_EQ(storage_->PutIfAbsent("a/b", bytes), true);
  EXPECT_EQ(storage_->Get("a/b"), bytes);
  EXPECT_EQ(storage_->PutIfAbsent("empty", ""), true);
  EXPECT_EQ(storage_->Get("empty"), "");
  EXPECT_EQ(storage_->Get("a/b/c"), std::nullopt);
}

TEST_P(ObjectStorageTest, WhatIsOpenIsReadPieceByPieceAlsoWhenItIsDeletedMeanwhile) {
  EXPECT_EQ(storage_->PutIfAbsent("a/b", "0123456789"), true);
  EXPECT_EQ(storage_->Open("a/c").value(), nullptr);
  const std::unique_ptr<ObjectReader> reader = storage_->Open("a/b").value();
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(reader->size_bytes(), 10);
  std::string piece(4, '?');
  EXPECT_EQ(reader->Read(piece), 4);
  EXPECT_EQ(piece, "0123");
  ASSERT_TRUE(storage_->Delete("a/b"));
  EXPECT_EQ(reader->Read(piece), 4);
  EXPECT_EQ(piece, "4567");
  EXPECT_EQ(reader->Read(piece), 2);
  EXPECT_EQ(piece, "8967");
  EXPECT_EQ(reader->Read(piece), 0);
}

TEST_P(ObjectStorageTest, NothingIsOverwritten) {
  EXPECT_EQ(storage_->PutIfAbsent("x", "first"), true);
  EXPECT_EQ(storage_->PutIfAbsent("x", "second"), false);
  EXPECT_EQ(storage_->Get("x"), "first");
}

TEST_P(ObjectStorageTest, NobodySeesAnObjectBeforeItsCommit) {
  auto writer = storage_->Create("folder/x").value();
  ASSERT_TRUE(writer->Append("one"));
  EXPECT_EQ(storage_->Get("folder/x"), std::nullopt);
  EXPECT_THAT(Names(storage_->List("")), ElementsAre());
  // Another may take the name meanwhile: it stays.
  EXPECT_EQ(storage_->PutIfAbsent("folder/x", "other"), true);
  EXPECT_EQ(writer->Commit(), false);
  EXPECT_EQ(storage_->Get("folder/x"), "other");
  // Given up, it leaves nothing.
  auto given_up = storage_->Create("folder/y").value();
  ASSERT_TRUE(given_up->Append("two"));
  given_up.reset();
  EXPECT_THAT(Names(storage_->List("")), ElementsAre("folder/x"));
}

TEST_P(ObjectStorageTest, ListsByPrefixInTheOrderOfNames) {
  for (const char* name : {"b/2", "b/10", "a", "b-1", "b/c/d", "bb/1", "c"}) {
    ASSERT_EQ(storage_->PutIfAbsent(name, name), true);
  }
  EXPECT_THAT(Names(storage_->List("")),
              ElementsAre("a", "b-1", "b/10", "b/2", "b/c/d", "bb/1", "c"));
  EXPECT_THAT(Names(storage_->List("b")), ElementsAre("b-1", "b/10", "b/2", "b/c/d", "bb/1"));
  EXPECT_THAT(Names(storage_->List("b/")), ElementsAre("b/10", "b/2", "b/c/d"));
  EXPECT_THAT(Names(storage_->List("b/c")), ElementsAre("b/c/d"));
  EXPECT_THAT(Names(storage_->List("b/1")), ElementsAre("b/10"));
  EXPECT_THAT(Names(storage_->List("nothing/like/it")), ElementsAre());
  EXPECT_THAT(Names(storage_->List("a/")), ElementsAre());
  const ObjectInfo info = storage_->List("b/c").value().front();
  EXPECT_EQ(info.size_bytes, 5);
  EXPECT_NEAR(static_cast<double>(info.modified_ms), static_cast<double>(SystemClock().NowMs()),
              3'600'000);
}

TEST_P(ObjectStorageTest, DeletesAndTheNameIsFreeAgain) {
  ASSERT_EQ(storage_->PutIfAbsent("a/b/c", "1"), true);
  ASSERT_EQ(storage_->PutIfAbsent("a/d", "2"), true);
  EXPECT_TRUE(storage_->Delete("a/b/c"));
  EXPECT_TRUE(storage_->Delete("a/b/c"));
  EXPECT_TRUE(storage_->Delete("never/was"));
  EXPECT_THAT(Names(storage_->List("")), ElementsAre("a/d"));
  EXPECT_EQ(storage_->PutIfAbsent("a/b/c", "3"), true);
  EXPECT_EQ(storage_->Get("a/b/c"), "3");
}

TEST_P(ObjectStorageTest, NamesThatAreNoneAreRefused) {
  for (const std::string name : {"", "/", "/a", "a/", "a//b", ".", "..", "../x", "a/../b", "a/.",
                                 "a b", "a~1", "ä", "a\n"}) {
    EXPECT_FALSE(storage_->PutIfAbsent(name, "")) << name;
    EXPECT_FALSE(storage_->Get(name)) << name;
    EXPECT_FALSE(storage_->Delete(name)) << name;
  }
  EXPECT_FALSE(storage_->Get(std::string(201, 'a')));
  EXPECT_TRUE(storage_->Get(std::string(200, 'a')));
  EXPECT_FALSE(storage_->Get(std::string(600, 'a') + "/" + std::string(600, 'a')));
  for (const std::string prefix : {"../", "a//", "/a", "a b", "./"}) {
    EXPECT_FALSE(storage_->List(prefix)) << prefix;
  }
  for (const std::string prefix : {"", ".", "..", "a/", "a/.."}) {
    EXPECT_TRUE(storage_->List(prefix)) << prefix;
  }
}

TEST_P(ObjectStorageTest, OfManyWritersOfOneNameExactlyOneWins) {
  constexpr int kThreads = 8, kNames = 10;
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kNames; ++i) {
        // In folders that come and go under the others' hands.
        const std::string name = fmt::format("race/{}/entry", i);
        won += storage_->PutIfAbsent(name, std::to_string(t)).value();
        EXPECT_TRUE(storage_->PutIfAbsent(fmt::format("race/{}/own-{}", i, t), ""));
        EXPECT_TRUE(storage_->Delete(fmt::format("race/{}/own-{}", i, t)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, kNames);
  EXPECT_EQ(storage_->List("race/")->size(), static_cast<size_t>(kNames));
}

TEST_P(ObjectStorageTest, FoldersComeAndGoWithTheirObjects) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const std::string name = fmt::format("deep/er/{}", t);
        EXPECT_EQ(storage_->PutIfAbsent(name, "x"), true);
        EXPECT_TRUE(storage_->List("deep/"));
        EXPECT_TRUE(storage_->Delete(name));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Names(storage_->List("")), ElementsAre());
}

INSTANTIATE_TEST_SUITE_P(All, ObjectStorageTest, testing::Values("file", "memory"),
                         [](const auto& info) { return info.param; });

TEST(FaultyStorage, AScriptDecidesWhatHappensToEachCall) {
  FaultyStorage storage(&SystemClock());
  StorageFault fault = StorageFault::kFail;
  storage.SetFaults([&](const StorageCall& call) {
    return call.kind == StorageCall::Kind::kCommit ? fault : StorageFault::kNone;
  });
  EXPECT_FALSE(storage.PutIfAbsent("failed", "1"));
  EXPECT_EQ(storage.Get("failed"), std::nullopt);
  fault = StorageFault::kFull;
  EXPECT_THAT(storage.PutIfAbsent("full", "1").error().message, HasSubstr("No space left"));
  EXPECT_EQ(storage.Get("full"), std::nullopt);
  fault = StorageFault::kOutcomeUnknown;
  EXPECT_FALSE(storage.PutIfAbsent("unknown", "1"));
  EXPECT_EQ(storage.Get("unknown"), "1");
  fault = StorageFault::kDamage;
  EXPECT_EQ(storage.PutIfAbsent("damaged", "abc"), true);
  EXPECT_EQ(storage.Get("damaged"), "acc");
  storage.SetFaults(nullptr);
  EXPECT_TRUE(storage.Flip("damaged", 0, 3));
  EXPECT_EQ(storage.Get("damaged"), "bcc");
  EXPECT_FALSE(storage.Flip("damaged", 3));
  EXPECT_TRUE(storage.Replace("damaged", "x"));
  EXPECT_TRUE(storage.Remove("damaged"));
  EXPECT_FALSE(storage.Replace("damaged", "x"));
  EXPECT_EQ(storage.objects().size(), 1U);
}

TEST(FaultyStorage, ASeedGivesTheSameFaultsAgain) {
  const auto run = [](uint64_t seed) {
    FaultyStorage storage(&SystemClock());
    storage.SetFaults(
        SeededStorageFaults(seed, {.fail = 100, .full = 50, .outcome_unknown = 100, .damage = 50}));
    std::vector<std::string> outcomes;
    for (int i = 0; i < 300; ++i) {
      const auto put = storage.PutIfAbsent(std::to_string(i), "12345");
      outcomes.push_back(put ? "stored"
                             : put.error().message.substr(put.error().message.find(':')));
    }
    return std::pair(outcomes, storage.objects());
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
  const auto outcomes = run(7).first;
  EXPECT_EQ(std::set(outcomes.begin(), outcomes.end()).size(), 4U);
}

TEST(OpenStorageTest, ADirectoryThatMayNotBeMadeSaysWhy) {
  const auto opened = OpenStorage("/sys/nosuch");  // not even by root
  ASSERT_FALSE(opened);
  EXPECT_FALSE(opened.error().retryable) << opened.error().message;
}

TEST(OpenStorageTest, OneDirectoryHasOneName) {
  for (const char* spelled : {"/a/b", "file:///a/b", "file:/a/b", "file:///a//c/../b/"}) {
    EXPECT_EQ(DirectoryOfUri(spelled).value(), "/a/b") << spelled;
  }
  EXPECT_FALSE(DirectoryOfUri("s3://a/b"));
  EXPECT_FALSE(DirectoryOfUri("a/b"));
}

}  // namespace
}  // namespace watershed
