// Up to several million keys, past the size at which a table has pages of its own.
#include "runtime/state/entry_table.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

// Spread over the upper half, from which home and tag are taken.
uint64_t HashOf(uint32_t key) { return uint64_t{key} * 0x9E3779B97F4A7C15u; }

uint32_t Find(const EntryTable& table, uint32_t key) {
  return table.Find(HashOf(key), [&](uint32_t slot) { return slot == key; });
}

class EntryTableTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(EntryTableTest, FindsWhatItHoldsAndNothingElse) {
  const uint32_t keys = GetParam();
  EntryTable table;
  for (uint32_t key = 1; key <= keys; ++key) table.Insert(HashOf(key), key);
  for (uint32_t key = 2; key <= keys; key += 2) table.Erase(HashOf(key), key);
  ASSERT_EQ(table.size(), keys - keys / 2);
  uint32_t wrong = 0;
  for (uint32_t key = 1; key <= keys + 1000; ++key) {
    wrong += Find(table, key) != (key <= keys && key % 2 == 1 ? key : 0);
  }
  EXPECT_EQ(wrong, 0U);
}

TEST_P(EntryTableTest, WithRoomItDoesNotGrowAndIsNoLargerThanWithout) {
  const uint32_t keys = GetParam();
  EntryTable grown, table;
  for (uint32_t key = 1; key <= keys / 3; ++key) table.Insert(HashOf(key), key);
  table.Reserve(keys);
  const size_t buckets = table.bucket_count();
  for (uint32_t key = keys / 3 + 1; key <= keys; ++key) table.Insert(HashOf(key), key);
  for (uint32_t key = 1; key <= keys; ++key) grown.Insert(HashOf(key), key);
  EXPECT_EQ(table.bucket_count(), buckets);
  EXPECT_EQ(table.bucket_count(), grown.bucket_count());
  uint32_t wrong = 0;
  for (uint32_t key = 1; key <= keys; ++key) wrong += Find(table, key) != key;
  EXPECT_EQ(wrong, 0U);
}

TEST_P(EntryTableTest, RoomForFewerTakesNothingAway) {
  const uint32_t keys = GetParam();
  EntryTable table;
  for (uint32_t key = 1; key <= keys; ++key) table.Insert(HashOf(key), key);
  const size_t buckets = table.bucket_count();
  table.Reserve(0);
  table.Reserve(keys / 2);
  EXPECT_EQ(table.bucket_count(), buckets);
  EXPECT_EQ(Find(table, keys), keys);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EntryTableTest,
                         ::testing::Values(10U, 40U, 41U, 5000U, 1'500'000U));

}  // namespace
}  // namespace watershed
