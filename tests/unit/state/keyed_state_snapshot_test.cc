// What snapshots of keyed state hold and cost, one guarantee a test. That they are right under
// every order of events: keyed_state_model_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "runtime/state/snapshot_file.h"
#include "tests/support/snapshot_rig.h"
#include "tests/unit/state/state_fixture.h"

namespace watershed::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr Setting kInMemory{StateBackendKind::kHashMap, 64 << 20, 0};
constexpr Setting kAllEvicted{StateBackendKind::kHashMap, 1, 0};

class KeyedStateSnapshotTest : public ::testing::Test {
 protected:
  std::unique_ptr<Opened> Open(const Setting& setting, KeyGroupRange groups = kAllGroups,
                               MemoryAccount* account = nullptr) {
    return std::make_unique<Opened>(setting, groups, rig_.NewTarget(account));
  }
  static void Put(Opened& opened, const std::vector<std::string>& names, std::string_view value,
                  TimestampMs timer_ms = kNoTimer) {
    const KeyBatch keys = Keys(names);
    std::vector<StateEntry*> entries;
    ASSERT_TRUE(opened.state->Resolve(keys, 0, keys.size(), entries));
    for (StateEntry* entry : entries) {
      SetValue(*opened.state, *entry, value);
      if (timer_ms != kNoTimer) opened.state->MoveTimer(*entry, timer_ms);
    }
    ASSERT_TRUE(opened.state->EndBundle());
  }
  static void End(Opened& opened, const std::vector<std::string>& names) { Put(opened, names, ""); }
  KeyedStateFiles Take(Opened& opened) {
    auto taken = rig_.TakeSnapshot(*opened.state);
    EXPECT_TRUE(taken) << taken.error().message;
    return taken.value_or(KeyedStateFiles{});
  }
  static std::unique_ptr<MemoryAccount> SnapshotAccount(int64_t bytes) {
    MemoryLimits limits;
    limits.shares_bytes.fill(bytes);
    return std::make_unique<MemoryAccount>(limits);
  }
  // Freezes without any slice or work; the answer comes into the result.
  std::shared_ptr<std::optional<Result<KeyedStateFiles>>> Freeze(Opened& opened) {
    auto answer = std::make_shared<std::optional<Result<KeyedStateFiles>>>();
    opened.state->Freeze([answer](Result<KeyedStateFiles> files) {
      EXPECT_FALSE(answer->has_value()) << "answered twice";
      *answer = std::move(files);
      return Ok();
    });
    return answer;
  }
  // "key=value@timer" of every row of the files, in order; "key gone" of an end.
  std::vector<std::string> RowsOf(std::span<const StoredFile> files) {
    std::vector<std::string> rows;
    for (const StoredFile& file : files) {
      const auto bytes = rig_.storage().Open(file.name);
      EXPECT_TRUE(bytes && *bytes) << file.name;
      auto reader = SnapshotFileReader::Open(file.name, **bytes);
      while (*reader->NextChunk()) {
        EXPECT_TRUE(reader->ForEachRow(kAllGroups, [&](const SnapshotRow& row) {
          rows.push_back(fmt::format("{}{}{}", row.key, row.deleted ? " gone" : "=", row.value));
          return Ok();
        }));
      }
    }
    return rows;
  }
  std::string ValueIn(Opened& opened, const std::string& name) {
    std::vector<StateEntry*> entries;
    const KeyBatch keys = Keys({name});
    EXPECT_TRUE(opened.state->Resolve(keys, 0, 1, entries));
    const std::string value = ValueOf(*entries[0]);
    EXPECT_TRUE(opened.state->EndBundle());
    return value;
  }

  SnapshotRig rig_;
};

TEST_F(KeyedStateSnapshotTest, ADeltaHoldsWhatChangedAndNothingElse) {
  for (const Setting& setting : {kInMemory, kAllEvicted}) {
    const auto opened = Open(setting);
    Put(*opened, Numbered("key", 1000), "old", 5);
    const KeyedStateFiles first = Take(*opened);
    EXPECT_EQ(RowsOf(first.files).size(), 1000U);

    Put(*opened, {"key1", "key2"}, "new");
    EXPECT_EQ(ValueIn(*opened, "key3"), "old");  // only looked at
    Put(*opened, {"key1"}, "newer");
    End(*opened, {"key4"});
    const KeyedStateFiles second = Take(*opened);
    ASSERT_EQ(second.files.size(), first.files.size() + 1);
    EXPECT_TRUE(std::equal(first.files.begin(), first.files.end(), second.files.begin()));
    EXPECT_EQ(second.written_bytes, second.files.back().size_bytes);
    const auto rows = RowsOf({&second.files.back(), 1});
    if (setting.cache_bytes > 1) {
      EXPECT_THAT(rows, UnorderedElementsAre("key1=newer", "key2=new", "key4 gone"));
    } else {  // once for each time that it was evicted
      EXPECT_THAT(rows, UnorderedElementsAre("key1=new", "key1=newer", "key2=new", "key4 gone"));
    }

    const KeyedStateFiles third = Take(*opened);
    EXPECT_EQ(third.files, second.files);
    EXPECT_EQ(third.written_bytes, 0);
  }
}

TEST_F(KeyedStateSnapshotTest, KeysThatComeAndGoBetweenTwoSnapshotsLeaveNothing) {
  const auto opened = Open(kInMemory);
  Put(*opened, Numbered("key", 100), "x");
  const KeyedStateFiles first = Take(*opened);
  const int64_t before = opened->state->figures().cache_bytes;
  for (int round = 0; round < 200; ++round) {
    const auto names = Numbered(fmt::format("{}-", round), 100);
    Put(*opened, names, "y");
    End(*opened, names);
  }
  // The list of changes does not grow with them either: 20,000 of them would be 80 KB.
  EXPECT_LT(opened->state->figures().cache_bytes - before, 60'000);
  const KeyedStateFiles second = Take(*opened);
  EXPECT_EQ(second.files, first.files);
  // Now one is there when it is frozen, and its end must be told.
  Put(*opened, {"short"}, "y");
  Take(*opened);
  End(*opened, {"short"});
  const KeyedStateFiles last = Take(*opened);
  EXPECT_THAT(RowsOf({&last.files.back(), 1}), ElementsAre("short gone"));
}

TEST_F(KeyedStateSnapshotTest, WhatChangesAfterTheFreezeIsCopiedAsItWas) {
  for (const bool complete : {true, false}) {
    const auto opened = Open(kInMemory);
    if (!complete) {
      Put(*opened, Numbered("other", 100), "x");
      Take(*opened);
    }
    Put(*opened, {"changed", "moved", "ended", "untouched"}, "old", 5);
    const auto answer = Freeze(*opened);
    Put(*opened, {"changed", "new"}, "new");
    Put(*opened, {"moved"}, "old", 500);
    End(*opened, {"ended"});
    Put(*opened, {"ended"}, "again");
    while (opened->state->WriteFrozen(1)) {
    }
    ASSERT_TRUE(rig_.RunAll());
    ASSERT_TRUE(*answer && **answer);
    EXPECT_THAT(
        RowsOf({&(**answer)->files.back(), 1}),
        ::testing::IsSupersetOf({"changed=old", "moved=old", "ended=old", "untouched=old"}));
    EXPECT_EQ(RowsOf({&(**answer)->files.back(), 1}).size(), 4U);
    Opened other(kInMemory);
    ASSERT_TRUE(other.state->Restore({&***answer, 1}, rig_.storage()));
    std::vector<StateEntry*> due;
    ASSERT_TRUE(other.state->TakeDue(5, 10, due));
    EXPECT_EQ(due.size(), 4U);
    ASSERT_TRUE(other.state->EndBundle());
  }
}

TEST_F(KeyedStateSnapshotTest, TheNextFreezeFinishesTheOneBefore) {
  const auto opened = Open(kInMemory);
  Put(*opened, Numbered("key", 50), "1");
  const auto first = Freeze(*opened);
  Put(*opened, {"key7"}, "2");
  const auto second = Freeze(*opened);
  Put(*opened, {"key7"}, "3");
  const auto third = Freeze(*opened);
  EXPECT_FALSE(*first || *second || *third);
  while (opened->state->WriteFrozen(1 << 20)) {
  }
  ASSERT_TRUE(rig_.RunAll());
  for (const auto& [answer, value] : {std::pair{first, "1"}, {second, "2"}, {third, "3"}}) {
    ASSERT_TRUE(*answer && **answer);
    Opened other(kInMemory);
    ASSERT_TRUE(other.state->Restore({&***answer, 1}, rig_.storage()));
    EXPECT_EQ(ValueIn(other, "key7"), value);
    EXPECT_EQ(other.state->figures().cached_keys, 50);
  }
}

TEST_F(KeyedStateSnapshotTest, WhenAFileIsLostAllThatBuildOnItFailAndTheNextIsComplete) {
  const auto opened = Open(kInMemory);
  Put(*opened, Numbered("key", 50), "1");
  Take(*opened);
  Put(*opened, {"key1"}, "2");
  const auto lost = Freeze(*opened);
  Put(*opened, {"key2"}, "2");
  const auto later = Freeze(*opened);
  while (opened->state->WriteFrozen(1 << 20)) {
  }
  bool failed = false;
  rig_.storage().SetFaults([&](const StorageCall& call) {
    return call.kind == StorageCall::Kind::kCommit && !std::exchange(failed, true)
               ? StorageFault::kFail
               : StorageFault::kNone;
  });
  ASSERT_TRUE(rig_.RunAll());
  EXPECT_TRUE(*lost && !**lost);
  EXPECT_TRUE(*later && !**later);
  Put(*opened, {"key3"}, "2");
  const KeyedStateFiles next = Take(*opened);
  EXPECT_EQ(next.files.size(), 1U);
  EXPECT_EQ(RowsOf(next.files).size(), 50U);
}

TEST_F(KeyedStateSnapshotTest, NothingToSayIsSaidToo) {
  const auto opened = Open(kInMemory);
  EXPECT_THAT(Take(*opened).files, IsEmpty());
  Put(*opened, {"a"}, "1");
  End(*opened, {"a"});
  EXPECT_THAT(Take(*opened).files, IsEmpty());
  EXPECT_THAT(rig_.storage().objects(), IsEmpty());
}

TEST_F(KeyedStateSnapshotTest, SlicesAreSmallAndWaitForASlowStorage) {
  const auto opened = Open(kInMemory);
  for (int i = 0; i < 20; ++i) {
    Put(*opened, Numbered(fmt::format("{}-", i), 1000), std::string(990, 'v'));
  }
  const auto answer = Freeze(*opened);
  int slices = 0;
  while (opened->state->WriteFrozen(100'000)) ++slices;
  // About 8 MB of 20 are handed over; then it is the storage's turn.
  EXPECT_GT(slices, 70);
  EXPECT_LT(slices, 110);
  EXPECT_FALSE(opened->state->WriteFrozen(100'000));
  while (rig_.io().RunAll() > 0) {
    while (opened->state->WriteFrozen(100'000)) ++slices;
  }
  EXPECT_GT(slices, 190);
  EXPECT_LT(slices, 220);
  ASSERT_TRUE(rig_.RunAll());
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ(RowsOf((**answer)->files).size(), 20'000U);
}

// What is evicted goes to the next file at once. With a storage that writes nothing this must end.
TEST_F(KeyedStateSnapshotTest, WhatWaitsForAStorageThatStandsStillIsBounded) {
  const auto opened = Open({StateBackendKind::kHashMap, 1 << 20, 0});
  Put(*opened, {"key"}, "1");
  Take(*opened);
  for (int i = 0; i < 60; ++i) {
    Put(*opened, Numbered(fmt::format("{}-", i), 1000), std::string(1000, 'v'));
  }
  int chunks = 0;  // a megabyte each
  rig_.storage().SetFaults([&](const StorageCall& call) {
    if (call.kind == StorageCall::Kind::kAppend) ++chunks;
    return StorageFault::kNone;
  });
  rig_.io().RunAll();
  EXPECT_LT(chunks, 10);  // of 58: most was given up
  const KeyedStateFiles next = Take(*opened);
  Opened other({StateBackendKind::kHashMap, 64 << 20, 0});
  ASSERT_TRUE(other.state->Restore({&next, 1}, rig_.storage()));
  EXPECT_EQ(other.state->figures().cached_keys + other.state->figures().backend_keys, 60'001);
}

// Every key is changed while its old value waits to be copied; the storage takes a chunk only when
// the state says that it can wait no longer.
TEST_F(KeyedStateSnapshotTest, CopiesKeepToTheProcessesShareByHoldingTheTaskBack) {
  const auto account = SnapshotAccount(4 << 20);
  const auto opened = Open(kInMemory, kAllGroups, account.get());
  const auto names = Numbered("key", 12'000);
  Put(*opened, names, std::string(1000, 'a'));
  const auto answer = Freeze(*opened);
  int waits = 0;
  for (size_t i = 0; i < names.size(); i += 100) {
    for (; opened->state->held_up(); ++waits) {
      ASSERT_TRUE(rig_.io().Step());
      ASSERT_TRUE(*rig_.StepMail());  // every chunk wakes the task
    }
    Put(*opened,
        {names.begin() + static_cast<ptrdiff_t>(i),
         names.begin() + static_cast<ptrdiff_t>(i) + 100},
        "b");
  }
  EXPECT_GE(waits, 5);
  EXPECT_LE(account->peak_bytes(MemoryShare::kSnapshots), (4 << 20) + (3 << 19));
  ASSERT_TRUE(rig_.RunAll());
  while (opened->state->WriteFrozen(1 << 20)) ASSERT_TRUE(rig_.RunAll());
  ASSERT_TRUE(rig_.RunAll());
  ASSERT_TRUE(answer->has_value() && **answer);
  const auto rows = RowsOf((**answer)->files);
  EXPECT_EQ(rows.size(), names.size());
  EXPECT_THAT(rows, Not(Contains(HasSubstr("=b"))));
  EXPECT_EQ(account->used_bytes(MemoryShare::kSnapshots), 0);
}

TEST_F(KeyedStateSnapshotTest, AStorageAtAStandstillIsGivenUpAndTheNextSnapshotHasItAll) {
  const auto account = SnapshotAccount(4 << 20);
  const auto opened = Open(kInMemory, kAllGroups, account.get());
  const auto names = Numbered("key", 6000);
  Put(*opened, names, std::string(1000, 'a'));
  const auto answer = Freeze(*opened);
  opened->state->GiveUpIfHeldUp();  // there is no need
  Put(*opened, names, "b");
  ASSERT_TRUE(opened->state->held_up());
  opened->state->GiveUpIfHeldUp();
  EXPECT_FALSE(opened->state->held_up());
  EXPECT_EQ(account->used_bytes(MemoryShare::kSnapshots), 0);
  ASSERT_TRUE(*rig_.StepMail());
  ASSERT_TRUE(answer->has_value());
  ASSERT_FALSE(**answer);
  EXPECT_THAT((**answer).error().message, HasSubstr("memory://storage is too slow"));
  EXPECT_THAT((**answer).error().message, HasSubstr("taskmanager.memory.process.size"));
  const auto rows = RowsOf(Take(*opened).files);
  EXPECT_EQ(rows.size(), names.size());
  EXPECT_THAT(rows, Contains("key2=b"));
}

// What a checkpoint that failed left to copy does not pile up behind a storage that takes nothing.
TEST_F(KeyedStateSnapshotTest, TheNextFreezeKeepsToTheShareToo) {
  const auto account = SnapshotAccount(4 << 20);
  const auto opened = Open(kInMemory, kAllGroups, account.get());
  Put(*opened, Numbered("key", 20'000), std::string(1000, 'a'));
  const auto first = Freeze(*opened);
  const auto second = Freeze(*opened);
  EXPECT_LE(account->peak_bytes(MemoryShare::kSnapshots), (4 << 20) + (3 << 19));
  ASSERT_TRUE(rig_.RunAll());
  while (opened->state->WriteFrozen(1 << 20)) ASSERT_TRUE(rig_.RunAll());
  ASSERT_TRUE(rig_.RunAll());
  ASSERT_TRUE(first->has_value() && second->has_value());
  EXPECT_FALSE(**first);
  ASSERT_TRUE(**second);
  EXPECT_EQ(RowsOf((**second)->files).size(), 20'000U);
}

TEST_F(KeyedStateSnapshotTest, AChainEnds) {
  const auto opened = Open(kInMemory);
  Put(*opened, Numbered("key", 100), "1");
  size_t longest = 0, restarts = 0;
  for (int i = 0; i < 600; ++i) {
    Put(*opened, {"key1"}, std::to_string(i));
    const KeyedStateFiles taken = Take(*opened);
    longest = std::max(longest, taken.files.size());
    if (taken.files.size() == 1) ++restarts;
  }
  EXPECT_EQ(longest, 256U);
  EXPECT_EQ(restarts, 3U);
}

TEST_F(KeyedStateSnapshotTest, AChainThatOutgrowsTheStateEnds) {
  const auto opened = Open(kInMemory);
  const std::string large(1 << 20, 'v');
  Put(*opened, Numbered("key", 9), large);
  size_t longest = 0;
  for (int i = 0; i < 40; ++i) {
    Put(*opened, Numbered("key", 4), large);
    longest = std::max(longest, Take(*opened).files.size());
  }
  // 2 * 9 + 64 MB, of which a delta has four.
  EXPECT_GT(longest, 15U);
  EXPECT_LT(longest, 25U);
}

TEST_F(KeyedStateSnapshotTest, LongPartsAreCutIntoFiles) {
  const auto opened = Open({StateBackendKind::kHashMap, 256 << 20, 0});
  Put(*opened, Numbered("key", 80), std::string(1 << 20, 'v'));
  const KeyedStateFiles taken = Take(*opened);
  EXPECT_EQ(taken.files.size(), 2U);
  for (const StoredFile& file : taken.files) EXPECT_LE(file.size_bytes, 66 << 20);
  EXPECT_EQ(taken.written_bytes, taken.files[0].size_bytes + taken.files[1].size_bytes);
  const auto evicted = Open(kAllEvicted);
  ASSERT_TRUE(evicted->state->Restore({&taken, 1}, rig_.storage()));
  EXPECT_EQ(evicted->state->figures().backend_keys, 80);
  // Of the backend's rows, too.
  const auto again = Open(kAllEvicted);
  Put(*again, Numbered("key", 80), std::string(1 << 20, 'v'));
  EXPECT_EQ(Take(*again).files.size(), 2U);
}

TEST_F(KeyedStateSnapshotTest, AfterARestoreOfTheSameRangeTheChainGoesOn) {
  for (const Setting& setting : {kInMemory, kAllEvicted}) {
    const auto former = Open(setting);
    Put(*former, Numbered("key", 100), "1", 5);
    const KeyedStateFiles first = Take(*former);
    const auto opened = Open(setting);
    ASSERT_TRUE(opened->state->Restore({&first, 1}, rig_.storage()));
    Put(*opened, {"key1"}, "2");
    End(*opened, {"key2"});
    const KeyedStateFiles second = Take(*opened);
    ASSERT_EQ(second.files.size(), first.files.size() + 1);
    EXPECT_THAT(RowsOf({&second.files.back(), 1}), UnorderedElementsAre("key1=2", "key2 gone"));
  }
}

TEST_F(KeyedStateSnapshotTest, AfterARestoreFromAnotherPlaceTheChainBeginsAnew) {
  const auto former = Open(kInMemory);
  Put(*former, Numbered("key", 100), "1");
  const KeyedStateFiles first = Take(*former);
  FaultyStorage elsewhere(&SystemClock(), "memory://elsewhere");
  for (const StoredFile& file : first.files) {
    ASSERT_TRUE(elsewhere.PutIfAbsent(file.name, **rig_.storage().Get(file.name)));
  }
  const auto opened = Open(kInMemory);
  ASSERT_TRUE(opened->state->Restore({&first, 1}, elsewhere));
  Put(*opened, {"key1"}, "2");
  const KeyedStateFiles second = Take(*opened);
  EXPECT_THAT(second.files, Not(Contains(first.files.front())));
  EXPECT_EQ(RowsOf(second.files).size(), 100U);
}

TEST_F(KeyedStateSnapshotTest, AfterARestoreOfOtherRangesTheChainBeginsAnew) {
  const KeyGroupRange lower{0, 7}, upper{8, 15};
  const auto whole = Open(kInMemory);
  Put(*whole, Numbered("key", 100), "1");
  const KeyedStateFiles all = Take(*whole);
  std::vector<KeyedStateFiles> halves;
  for (const KeyGroupRange range : {lower, upper}) {
    const auto half = Open(kInMemory, range);
    ASSERT_TRUE(half->state->Restore({&all, 1}, rig_.storage()));
    halves.push_back(Take(*half));
    EXPECT_EQ(halves.back().files.size(), 1U);
    EXPECT_GT(halves.back().written_bytes, 0);
  }
  EXPECT_EQ(RowsOf(halves[0].files).size() + RowsOf(halves[1].files).size(), 100U);
  const auto again = Open(kInMemory);
  ASSERT_TRUE(again->state->Restore(halves, rig_.storage()));
  EXPECT_EQ(RowsOf(Take(*again).files).size(), 100U);
}

TEST_F(KeyedStateSnapshotTest, ARestoreNamesTheFileThatIsDamagedOrGone) {
  const auto opened = Open(kInMemory);
  Put(*opened, Numbered("key", 10), "1");
  const KeyedStateFiles files = Take(*opened);
  const std::string name = files.files.at(0).name;
  const auto restore = [&] {
    const Status restored = Opened(kInMemory).state->Restore({&files, 1}, rig_.storage());
    return restored ? std::string() : restored.error().message;
  };
  EXPECT_EQ(restore(), "");
  ASSERT_TRUE(rig_.storage().Flip(name, 60));
  EXPECT_THAT(restore(), HasSubstr(name));
  ASSERT_TRUE(rig_.storage().Remove(name));
  EXPECT_THAT(restore(), HasSubstr(name));
}

TEST_F(KeyedStateSnapshotTest, ARestoreRefusesAnotherNumberOfKeyGroups) {
  const auto opened = Open(kInMemory);
  Put(*opened, Numbered("key", 10), "1");
  const KeyedStateFiles files = Take(*opened);
  KeyedStateFactory factory({.backend = StateBackendKind::kHashMap});
  const auto other = factory.Open({.key_groups = {0, 31}, .max_parallelism = 32});
  ASSERT_TRUE(other);
  const Status refused = (*other)->Restore({&files, 1}, rig_.storage());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(refused.error().message, HasSubstr("max-parallelism"));
}

// Rows whose timer has fired are dead though nobody deletes them.
TEST_F(KeyedStateSnapshotTest, DeadRowsOfTheBackendAreLeftOut) {
  for (const auto backend : {StateBackendKind::kHashMap, StateBackendKind::kRocksDb}) {
    const auto opened = Open({backend, 1, 0});
    Put(*opened, Numbered("early", 100), "x", 10);
    Put(*opened, Numbered("late", 50), "x", 20);
    Put(*opened, Numbered("never", 50), "x");
    std::vector<StateEntry*> due;
    do {
      ASSERT_TRUE(opened->state->TakeDue(15, 30, due));
      for (StateEntry* entry : due) opened->state->Resize(*entry, 0);
      ASSERT_TRUE(opened->state->EndBundle());
    } while (!due.empty());
    EXPECT_EQ(RowsOf(Take(*opened).files).size(), 100U);
  }
}

// Also in the middle of firing, when the deletes of those that have fired wait.
TEST_F(KeyedStateSnapshotTest, ASnapshotBetweenSlicesOfFiringHasWhatIsLeft) {
  for (const auto backend : {StateBackendKind::kHashMap, StateBackendKind::kRocksDb}) {
    const auto opened = Open({backend, 1, 0});
    Put(*opened, Numbered("key", 100), "x", 10);
    std::vector<StateEntry*> due;
    ASSERT_TRUE(opened->state->TakeDue(15, 30, due));
    ASSERT_EQ(due.size(), 30U);
    for (StateEntry* entry : due) opened->state->Resize(*entry, 0);
    ASSERT_TRUE(opened->state->EndBundle());
    const KeyedStateFiles taken = Take(*opened);
    EXPECT_EQ(RowsOf(taken.files).size(), 70U);
    Opened other(kInMemory);
    ASSERT_TRUE(other.state->Restore({&taken, 1}, rig_.storage()));
    ASSERT_TRUE(other.state->TakeDue(15, 1000, due));
    EXPECT_EQ(due.size(), 70U);
    ASSERT_TRUE(other.state->EndBundle());
  }
}

}  // namespace
}  // namespace watershed::test
