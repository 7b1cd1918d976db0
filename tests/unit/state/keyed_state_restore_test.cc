// What a restore reads chunk by chunk is what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/state/snapshot_file.h"
#include "runtime/storage/content_hash.h"
#include "tests/support/snapshot_rig.h"
#include "tests/unit/state/state_fixture.h"

namespace watershed::test {
namespace {

class RestoreRig {
 protected:
  // Each with a value of its own, of up to some fifty bytes.
  static std::string ValueFor(int i, int round) {
    return fmt::format("{}:{:>{}}", i, round, 1 + i % 50);
  }
  void Put(Opened& opened, int keys, int round) {
    for (int first = 0; first < keys; first += kBundle) {
      std::vector<StateEntry*> entries;
      const KeyBatch bundle = BundleOf(first);
      ASSERT_TRUE(opened.state->Resolve(bundle, 0, kBundle, entries));
      for (int i = 0; i < kBundle; ++i) {
        StateEntry& entry = *entries[static_cast<size_t>(i)];
        SetValue(*opened.state, entry, ValueFor(first + i, round));
        opened.state->MoveTimer(entry, 1000 + first + i);
      }
      ASSERT_TRUE(opened.state->EndBundle());
    }
  }
  // How many keys have not the value of this round, or not their timer.
  static int Wrong(Opened& opened, int keys, int round) {
    int wrong = 0;
    for (int first = 0; first < keys; first += kBundle) {
      std::vector<StateEntry*> entries;
      EXPECT_TRUE(opened.state->Resolve(BundleOf(first), 0, kBundle, entries));
      for (int i = 0; i < kBundle; ++i) {
        StateEntry& entry = *entries[static_cast<size_t>(i)];
        wrong += ValueOf(entry) != ValueFor(first + i, round) ||
                 entry.EarliestTimer() != 1000 + first + i;
      }
      EXPECT_TRUE(opened.state->EndBundle());
    }
    return wrong;
  }
  KeyedStateFiles Take(Opened& opened) {
    auto taken = rig_.TakeSnapshot(*opened.state);
    EXPECT_TRUE(taken) << taken.error().message;
    return taken.value_or(KeyedStateFiles{});
  }

  SnapshotRig rig_;

 private:
  static constexpr int kBundle = 1000;
  static KeyBatch BundleOf(int first) {
    KeyBatch keys;
    ClearKeys(keys);
    for (int i = first; i < first + kBundle; ++i) AppendKey(fmt::format("key-{}", i), keys);
    return keys;
  }
};

class KeyedStateRestoreTest : public ::testing::TestWithParam<Setting>, protected RestoreRig {};
class KeyedStateRestoreRoomTest : public ::testing::Test, protected RestoreRig {};

// The rows of a bundle must not outlive the chunk that they are read from.
TEST_P(KeyedStateRestoreTest, RowsOfManyChunksComeBackAsTheyWere) {
  constexpr int kKeys = 120'000;
  Opened opened({StateBackendKind::kHashMap, 64 << 20, 0}, kAllGroups, rig_.NewTarget());
  Put(opened, kKeys, 0);
  Take(opened);
  Put(opened, kKeys / 3, 1);
  const KeyedStateFiles files = Take(opened);
  ASSERT_EQ(files.files.size(), 2U);
  EXPECT_GT(files.files[0].size_bytes, 5 * kSnapshotChunkBytes);
  Opened restored(GetParam());
  ASSERT_TRUE(restored.state->Restore({&files, 1}, rig_.storage()));
  EXPECT_EQ(Wrong(restored, kKeys / 3, 1), 0);
  EXPECT_EQ(Wrong(restored, kKeys, 0), kKeys / 3);
}

// Each of its chunks is right; only the manifest knows that they are not this file's.
TEST_P(KeyedStateRestoreTest, AFileInThePlaceOfAnotherIsRefused) {
  Opened opened({StateBackendKind::kHashMap, 64 << 20, 0}, kAllGroups, rig_.NewTarget());
  Opened later({StateBackendKind::kHashMap, 64 << 20, 0}, kAllGroups, rig_.NewTarget());
  Put(opened, 1000, 1);
  Put(later, 1000, 2);
  const KeyedStateFiles files = Take(opened), others = Take(later);
  ASSERT_EQ(files.files.at(0).size_bytes, others.files.at(0).size_bytes);
  const std::string& name = files.files.at(0).name;
  ASSERT_TRUE(rig_.storage().Replace(name, **rig_.storage().Get(others.files.at(0).name)));
  const Status restored = Opened(GetParam()).state->Restore({&files, 1}, rig_.storage());
  ASSERT_FALSE(restored);
  EXPECT_THAT(restored.error().message, ::testing::HasSubstr(name));
}

// Also where a whole file would be one of another format.
TEST_P(KeyedStateRestoreTest, DamageIsToldAsDamageWhereverItIs) {
  Opened opened({StateBackendKind::kHashMap, 64 << 20, 0}, kAllGroups, rig_.NewTarget());
  Put(opened, 1000, 1);
  const KeyedStateFiles files = Take(opened);
  const std::string& name = files.files.at(0).name;
  for (const size_t at : {0, 7, 9, 30, 5000}) {
    ASSERT_TRUE(rig_.storage().Flip(name, at));
    const Status restored = Opened(GetParam()).state->Restore({&files, 1}, rig_.storage());
    ASSERT_FALSE(restored) << at;
    EXPECT_EQ(restored.error().damaged_file, name) << at << ": " << restored.error().message;
    ASSERT_TRUE(rig_.storage().Flip(name, at));
  }
}

// As it was written, by a version that writes another format: the job cannot go on with this one.
TEST_P(KeyedStateRestoreTest, AWholeFileOfAnotherFormatIsForAUserToActOn) {
  Opened opened({StateBackendKind::kHashMap, 64 << 20, 0}, kAllGroups, rig_.NewTarget());
  Put(opened, 1000, 1);
  KeyedStateFiles files = Take(opened);
  StoredFile& file = files.files.at(0);
  std::string bytes = **rig_.storage().Get(file.name);
  bytes[7] = 9;
  file.xxh3 = ContentHash::Of(bytes);
  ASSERT_TRUE(rig_.storage().Replace(file.name, bytes));
  const Status restored = Opened(GetParam()).state->Restore({&files, 1}, rig_.storage());
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().domain, ErrorDomain::kUser) << restored.error().message;
  EXPECT_EQ(restored.error().damaged_file, "");
}

// Room is made by what a chunk holds and how long the files are; rows that replace others, or are
// for other subtasks, must not make the table larger.
TEST_F(KeyedStateRestoreRoomTest, ARestoredStateTakesNoMoreMemoryThanBefore) {
  constexpr int kKeys = 63'000;  // as many rows as these have would need a table twice as large
  const Setting setting{StateBackendKind::kHashMap, 64 << 20, 0};
  Opened opened(setting, kAllGroups, rig_.NewTarget());
  Put(opened, kKeys, 0);
  Take(opened);
  Put(opened, kKeys / 3, 1);
  const KeyedStateFiles files = Take(opened);
  ASSERT_EQ(files.files.size(), 2U);
  const int64_t before = opened.state->figures().cache_bytes;
  Opened restored(setting);
  ASSERT_TRUE(restored.state->Restore({&files, 1}, rig_.storage()));
  EXPECT_LE(restored.state->figures().cache_bytes, before);
  Opened quarter(setting, {0, kAllGroups.size() / 4 - 1});
  ASSERT_TRUE(quarter.state->Restore({&files, 1}, rig_.storage()));
  EXPECT_LE(quarter.state->figures().cache_bytes, before / 3);
}

// More keys than the cache may hold: the table is for those that stay.
TEST_F(KeyedStateRestoreRoomTest, ASmallCacheGetsNoLargeTable) {
  const Setting small{StateBackendKind::kHashMap, 256 << 10, 0};
  Opened opened({StateBackendKind::kHashMap, 64 << 20, 0}, kAllGroups, rig_.NewTarget());
  Put(opened, 40'000, 0);
  const KeyedStateFiles files = Take(opened);
  Opened restored(small);
  ASSERT_TRUE(restored.state->Restore({&files, 1}, rig_.storage()));
  EXPECT_LE(restored.state->figures().cache_bytes, 2 * small.cache_bytes);
  EXPECT_EQ(Wrong(restored, 40'000, 0), 0);
}

INSTANTIATE_TEST_SUITE_P(All, KeyedStateRestoreTest, AllSettings(), SettingName);

}  // namespace
}  // namespace watershed::test
