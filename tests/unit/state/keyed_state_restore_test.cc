// What a restore reads chunk by chunk is what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/state/snapshot_file.h"
#include "tests/support/snapshot_rig.h"
#include "tests/unit/state/state_fixture.h"

namespace watershed::test {
namespace {

class KeyedStateRestoreTest : public ::testing::TestWithParam<Setting> {
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

INSTANTIATE_TEST_SUITE_P(All, KeyedStateRestoreTest, AllSettings(), SettingName);

}  // namespace
}  // namespace watershed::test
