// One writer at a time, whoever sleeps when; nothing that counts is lost, whatever the storage
// says.
#include "jobmanager/store/numbered_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/support/faulty_storage.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = StorageCall::Kind;

class NumberedLogTest : public testing::Test {
 protected:
  // A writer that has read the log as it is.
  std::unique_ptr<NumberedLog> Open() {
    auto log = std::make_unique<NumberedLog>(storage_, ++last_writer_);
    EXPECT_TRUE(log->Read());
    return log;
  }
  std::vector<std::string> Read() {
    NumberedLog log(storage_, ++last_writer_);
    const auto entries = log.Read();
    if (!entries) return {entries.error().message};
    std::vector<std::string> payloads;
    for (const auto& entry : *entries) payloads.push_back(entry.payload);
    return payloads;
  }
  Error ReadError() {
    NumberedLog log(storage_, ++last_writer_);
    const auto entries = log.Read();
    EXPECT_FALSE(entries);
    return entries ? Error{} : entries.error();
  }
  // The next call of that kind meets this fault; the ones after it do not.
  void FailOnce(Kind kind, StorageFault fault) {
    storage_->SetFaults([kind, fault, met = false](const StorageCall& call) mutable {
      if (met || call.kind != kind) return StorageFault::kNone;
      met = true;
      return fault;
    });
  }
  // Runs `other` just before the next call of that kind.
  void Before(Kind kind, std::function<void()> other) {
    storage_->SetFaults([this, kind, other](const StorageCall& call) {
      if (call.kind == kind) {
        storage_->SetFaults(nullptr);
        other();
      }
      return StorageFault::kNone;
    });
  }
  static std::string Name(int number) { return fmt::format("log/{:020}", number); }

  const std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&SystemClock());
  uint64_t last_writer_ = 100;
};

TEST_F(NumberedLogTest, WhatIsAppendedIsRead) {
  EXPECT_THAT(Read(), ElementsAre());
  const auto log = Open();
  EXPECT_EQ(log->Append("a", false), true);
  EXPECT_EQ(log->Append("b", false), true);
  EXPECT_THAT(Read(), ElementsAre("a", "b"));
  EXPECT_EQ(Open()->Append("c", false), true);
  EXPECT_THAT(Read(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(log->UriOf(3), "memory://storage/log/00000000000000000003");
}

TEST_F(NumberedLogTest, MustBeReadFirst) {
  NumberedLog log(storage_, 1);
  EXPECT_FALSE(log.Append("a", false));
  EXPECT_TRUE(storage_->objects().empty());
}

TEST_F(NumberedLogTest, WhoFindsTheNumberTakenIsDeposed) {
  const auto old_leader = Open(), new_leader = Open();
  EXPECT_EQ(old_leader->Append("a", false), true);
  EXPECT_EQ(new_leader->Append("b", false), false);  // also a candidate: it must read again
  ASSERT_TRUE(new_leader->Read());
  EXPECT_EQ(new_leader->Append("b", false), true);
  EXPECT_EQ(old_leader->Append("c", false), false);
  EXPECT_FALSE(old_leader->Append("d", false));  // and stays so
  EXPECT_THAT(Read(), ElementsAre("a", "b"));
}

TEST_F(NumberedLogTest, ASnapshotEntryStandsForAllBeforeIt) {
  const auto log = Open();
  ASSERT_EQ(log->Append("a", false), true);
  ASSERT_EQ(log->Append("b", false), true);
  ASSERT_EQ(log->Append("a+b", true), true);
  ASSERT_EQ(log->Append("c", false), true);
  EXPECT_THAT(Read(), ElementsAre("a+b", "c"));
  ASSERT_TRUE(log->Trim());
  EXPECT_THAT(Read(), ElementsAre("a+b", "c"));
  EXPECT_EQ(storage_->objects().size(), 2U);
  EXPECT_EQ(log->Append("d", false), true);
  const auto next = Open();
  EXPECT_EQ(next->Append("a+b+c+d", true), true);
  ASSERT_TRUE(next->Trim());
  EXPECT_THAT(Read(), ElementsAre("a+b+c+d"));
  EXPECT_EQ(next->Append("e", false), true);  // right behind a snapshot
  EXPECT_THAT(Read(), ElementsAre("a+b+c+d", "e"));
}

TEST_F(NumberedLogTest, WithoutASnapshotNothingIsTrimmed) {
  const auto log = Open();
  ASSERT_EQ(log->Append("a", false), true);
  ASSERT_TRUE(log->Trim());
  EXPECT_THAT(Read(), ElementsAre("a"));
}

// The number it is about to take was taken and trimmed away while it slept.
TEST_F(NumberedLogTest, AWriterThatSleptThroughATrimmingIsDeposed) {
  const auto sleeper = Open();
  ASSERT_EQ(sleeper->Append("a", false), true);
  const auto leader = Open();
  ASSERT_EQ(leader->Append("b", false), true);
  ASSERT_EQ(leader->Append("a+b", true), true);
  ASSERT_TRUE(leader->Trim());
  EXPECT_EQ(sleeper->Append("lost", false), false);
  EXPECT_THAT(Read(), ElementsAre("a+b"));
  EXPECT_EQ(leader->Append("c", false), true);  // the object it left behind is no hindrance
  EXPECT_THAT(Read(), ElementsAre("a+b", "c"));
  ASSERT_TRUE(leader->Trim());
  EXPECT_FALSE(storage_->objects().contains(Name(2)));
}

// The same at the very beginning, where no entry comes before.
TEST_F(NumberedLogTest, AWriterOfTheFirstEntryThatSleptIsDeposed) {
  const auto sleeper = Open(), leader = Open();
  ASSERT_EQ(leader->Append("a", false), true);
  ASSERT_EQ(leader->Append("a", true), true);
  ASSERT_TRUE(leader->Trim());
  EXPECT_EQ(sleeper->Append("lost", false), false);
  EXPECT_THAT(Read(), ElementsAre("a"));
}

// A listing need not be one moment: it may miss the snapshot that was trimmed while it ran and the
// one that took its place. Then the missing entry before gives the writer away.
TEST_F(NumberedLogTest, AMissingPredecessorDeposesToo) {
  const auto sleeper = Open();
  ASSERT_EQ(sleeper->Append("a", false), true);
  ASSERT_TRUE(storage_->Remove(Name(1)));
  EXPECT_EQ(sleeper->Append("lost", false), false);
}

TEST_F(NumberedLogTest, AnEntryAfterItsOwnDeposes) {
  const auto log = Open();
  Before(Kind::kList, [&] { EXPECT_EQ(Open()->Append("b", false), true); });
  EXPECT_EQ(log->Append("a", false), false);
  EXPECT_THAT(Read(), ElementsAre("a", "b"));  // it counts, but not for who wrote it
}

TEST_F(NumberedLogTest, OutcomeUnknownIsFoundOut) {
  const auto log = Open();
  FailOnce(Kind::kCommit, StorageFault::kOutcomeUnknown);
  EXPECT_EQ(log->Append("a", false), true);
  FailOnce(Kind::kCommit, StorageFault::kFail);
  EXPECT_EQ(log->Append("b", false), true);
  FailOnce(Kind::kList, StorageFault::kFail);
  EXPECT_EQ(log->Append("c", false), true);
  EXPECT_THAT(Read(), ElementsAre("a", "b", "c"));
}

TEST_F(NumberedLogTest, OutcomeUnknownAndAnotherWasFaster) {
  const auto log = Open(), other = Open();
  storage_->SetFaults([&, calls = 0](const StorageCall& call) mutable {
    if (call.kind != Kind::kCommit || ++calls > 1) return StorageFault::kNone;
    EXPECT_EQ(other->Append("a", false), true);  // the same words, by another
    return StorageFault::kFail;
  });
  EXPECT_EQ(log->Append("a", false), false);
  EXPECT_THAT(Read(), ElementsAre("a"));
}

TEST_F(NumberedLogTest, AStorageThatStaysAwayIsAnErrorAfterWhichNothingIsWritten) {
  const auto log = Open();
  ASSERT_EQ(log->Append("a", false), true);
  storage_->SetFaults([](const StorageCall& call) {
    return call.kind == Kind::kCommit ? StorageFault::kFail : StorageFault::kNone;
  });
  const auto failed = log->Append("b", false);
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().retryable);
  storage_->SetFaults(nullptr);
  EXPECT_FALSE(log->Append("b", false));
  EXPECT_THAT(Read(), ElementsAre("a"));
  // Not even the listing: it may or may not count.
  const auto next = Open();
  storage_->SetFaults([](const StorageCall& call) {
    return call.kind == Kind::kList ? StorageFault::kFail : StorageFault::kNone;
  });
  EXPECT_FALSE(next->Append("b", false));
  storage_->SetFaults(nullptr);
  EXPECT_FALSE(next->Append("c", false));
  EXPECT_THAT(Read(), ElementsAre("a", "b"));
}

TEST_F(NumberedLogTest, ADamagedEntryIsAnErrorThatNamesItAlsoTheLast) {
  const auto log = Open();
  for (const char* payload : {"a", "b", "c"}) ASSERT_EQ(log->Append(payload, false), true);
  for (const int number : {1, 2, 3}) {
    ASSERT_TRUE(storage_->Flip(Name(number), 56));
    const Error error = ReadError();
    EXPECT_FALSE(error.retryable);
    EXPECT_THAT(error.message, HasSubstr("memory://storage/" + Name(number)));
    EXPECT_THAT(error.message, HasSubstr("checksum"));
    ASSERT_TRUE(storage_->Flip(Name(number), 56));
  }
  const std::string whole = storage_->objects().at(Name(3));
  ASSERT_TRUE(storage_->Replace(Name(3), whole.substr(0, 30)));
  EXPECT_THAT(ReadError().message, HasSubstr(Name(3)));
  ASSERT_TRUE(storage_->Replace(Name(3), ""));
  EXPECT_THAT(ReadError().message, HasSubstr(Name(3)));
}

TEST_F(NumberedLogTest, DamageBelowASnapshotDoesNotMatter) {
  const auto log = Open();
  ASSERT_EQ(log->Append("a", false), true);
  ASSERT_EQ(log->Append("a", true), true);
  ASSERT_TRUE(storage_->Flip(Name(1), 56));
  EXPECT_THAT(Read(), ElementsAre("a"));
}

TEST_F(NumberedLogTest, AMissingEntryIsAnErrorThatNamesIt) {
  const auto log = Open();
  for (const char* payload : {"a", "b", "c"}) ASSERT_EQ(log->Append(payload, false), true);
  ASSERT_TRUE(storage_->Remove(Name(2)));
  EXPECT_THAT(ReadError().message, HasSubstr("memory://storage/" + Name(2) + " is missing"));
  ASSERT_TRUE(storage_->Remove(Name(1)));
  EXPECT_THAT(ReadError().message, HasSubstr(Name(2) + " is missing"));
}

TEST_F(NumberedLogTest, AnEntryOfAnotherLogOrAnotherNumberIsFound) {
  const auto log = Open();
  for (const char* payload : {"a", "b", "c"}) ASSERT_EQ(log->Append(payload, false), true);
  const auto objects = storage_->objects();
  ASSERT_TRUE(storage_->Replace(Name(2), objects.at(Name(1))));
  EXPECT_THAT(ReadError().message, HasSubstr(Name(2) + " is not the one"));
  // The same number and whole in itself, but of another history.
  FaultyStorage elsewhere(&SystemClock());
  const auto other = std::make_shared<FaultyStorage>(&SystemClock());
  NumberedLog other_log(other, 1);
  ASSERT_TRUE(other_log.Read());
  ASSERT_EQ(other_log.Append("a", false), true);
  ASSERT_EQ(other_log.Append("x", false), true);
  ASSERT_TRUE(storage_->Replace(Name(2), other->objects().at(Name(2))));
  EXPECT_THAT(ReadError().message, HasSubstr(Name(2) + " is not the one"));
}

TEST_F(NumberedLogTest, ReadingWhileAnotherTrimsIsTriedAgain) {
  const auto log = Open();
  for (const char* payload : {"a", "b", "c"}) ASSERT_EQ(log->Append(payload, false), true);
  Before(Kind::kGet, [&] {
    EXPECT_EQ(log->Append("a+b+c", true), true);
    EXPECT_TRUE(log->Trim());
  });
  EXPECT_THAT(Read(), ElementsAre("a+b+c"));
}

TEST_F(NumberedLogTest, TrimmingGoesOnWhereItFailed) {
  const auto log = Open();
  for (const char* payload : {"a", "b", "c"}) ASSERT_EQ(log->Append(payload, false), true);
  ASSERT_EQ(log->Append("a+b+c", true), true);
  storage_->SetFaults([](const StorageCall& call) {
    return call.name == Name(2) ? StorageFault::kFail : StorageFault::kNone;
  });
  EXPECT_FALSE(log->Trim());
  EXPECT_EQ(storage_->objects().size(), 3U);  // in order: what comes after the failure stays
  storage_->SetFaults(nullptr);
  EXPECT_THAT(Read(), ElementsAre("a+b+c"));
  EXPECT_TRUE(Open()->Trim());
  EXPECT_EQ(storage_->objects().size(), 1U);
}

TEST_F(NumberedLogTest, OtherObjectsBesideItAreNoEntries) {
  ASSERT_EQ(storage_->PutIfAbsent("log/notes.txt", "x"), true);
  ASSERT_EQ(storage_->PutIfAbsent("log/99999999999999999999", "x"), true);
  EXPECT_EQ(Open()->Append("a", false), true);
  EXPECT_THAT(Read(), ElementsAre("a"));
}

}  // namespace
}  // namespace watershed
