#include "runtime/exchange/key_partitioner.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/unit/exchange/rows.h"

namespace watershed {
namespace {

KeyPartitionerOptions Options(int parallelism, int64_t target_batch_bytes = 1 << 20) {
  return {.key_columns = {0, 1},
          .max_parallelism = 128,
          .parallelism = parallelism,
          .target_batch_bytes = target_batch_bytes};
}

// Which subtask a row belongs to, by the definition and nothing else.
int OwnerOf(const RecordBatch& batch, int64_t row, int parallelism) {
  KeyBatch keys;
  EncodeKeys(batch, std::vector<int>{0, 1}, keys);
  const KeyGroup group = KeyGroupOfHash(keys.hashes[static_cast<size_t>(row)], 128);
  for (int subtask = 0; subtask < parallelism; ++subtask) {
    if (RangeOfSubtask({subtask}, 128, parallelism).Contains(group)) return subtask;
  }
  return -1;
}

TEST(KeyPartitionerTest, EveryRowGoesOnceToTheOwnerOfItsKeyGroupInOrder) {
  for (const int parallelism : {1, 2, 3, 4, 128}) {
    KeyPartitioner partitioner(AllTypesSchema(), Options(parallelism));
    std::vector<PartitionedBatch> ready;
    std::map<int, std::vector<std::string>> expected;
    for (int64_t first = 0; first < 1000; first += 100) {
      const RecordBatch batch = AllTypesRows(first, 100);
      for (int64_t row = 0; row < 100; ++row) {
        expected[OwnerOf(batch, row, parallelism)].push_back(RowText(batch, row));
      }
      partitioner.Add(batch, ready);
    }
    EXPECT_TRUE(ready.empty());
    EXPECT_GT(partitioner.buffered_bytes(), 0);
    partitioner.Flush(ready);
    EXPECT_EQ(partitioner.buffered_bytes(), 0);
    std::map<int, std::vector<std::string>> got;
    for (const auto& [target, batch] : ready) {
      EXPECT_GT(batch.num_rows(), 0);
      for (int64_t row = 0; row < batch.num_rows(); ++row) {
        got[target.value].push_back(RowText(batch, row));
      }
    }
    EXPECT_EQ(got, expected) << "parallelism " << parallelism;
    ready.clear();
    partitioner.Flush(ready);
    EXPECT_TRUE(ready.empty());
  }
}

TEST(KeyPartitionerTest, HandsOutABatchOnceItHasItsSize) {
  KeyPartitioner partitioner(AllTypesSchema(), Options(2, 16 * 1024));
  std::vector<PartitionedBatch> ready;
  int64_t rows = 0;
  int64_t handed_out = 0;
  while (ready.size() < 10 && rows < 100'000) {
    partitioner.Add(AllTypesRows(rows, 20), ready);
    rows += 20;
    EXPECT_LT(partitioner.buffered_bytes(), 2 * 16 * 1024);
  }
  EXPECT_EQ(ready.size(), 10u);
  for (const auto& [target, batch] : ready) {
    EXPECT_GE(batch.byte_size(), 16 * 1024);
    EXPECT_LT(batch.byte_size(), 24 * 1024);
    handed_out += batch.num_rows();
  }
  ready.clear();
  partitioner.Flush(ready);
  for (const auto& [target, batch] : ready) handed_out += batch.num_rows();
  EXPECT_EQ(handed_out, rows);
}

TEST(KeyPartitionerTest, PassesALargeBatchOfOneSubtaskWithoutCopyingButAfterWhatWaits) {
  KeyPartitioner partitioner(AllTypesSchema(), Options(1, 1000));
  std::vector<PartitionedBatch> ready;
  partitioner.Add(AllTypesRows(0, 2), ready);
  ASSERT_TRUE(ready.empty());
  const RecordBatch large = AllTypesRows(2, 500);
  partitioner.Add(large, ready);
  ASSERT_EQ(ready.size(), 2u);
  EXPECT_EQ(ready[0].batch.num_rows(), 2);
  EXPECT_EQ(ready[1].batch.column_ptr(0), large.column_ptr(0));
}

TEST(KeyPartitionerTest, KeepsRowKinds) {
  KeyPartitioner partitioner(AllTypesSchema(), Options(2));
  std::vector<PartitionedBatch> ready;
  std::multiset<std::string> expected;
  const RecordBatch inserts = AllTypesRows(0, 50);
  partitioner.Add(inserts, ready);
  for (int64_t row = 0; row < 50; ++row) expected.insert(RowText(inserts, row) + "|0");
  RecordBatch changes = AllTypesRows(50, 50);
  std::vector<RowKind> kinds;
  for (int i = 0; i < 50; ++i) kinds.push_back(static_cast<RowKind>(i % 4));
  changes.set_row_kinds(std::make_shared<const std::vector<RowKind>>(kinds));
  partitioner.Add(changes, ready);
  for (int64_t row = 0; row < 50; ++row) expected.insert(RowText(changes, row));
  partitioner.Add(AllTypesRows(0, 50), ready);
  for (int64_t row = 0; row < 50; ++row) expected.insert(RowText(inserts, row) + "|0");
  partitioner.Flush(ready);
  std::multiset<std::string> got;
  for (const auto& [target, batch] : ready) {
    for (int64_t row = 0; row < batch.num_rows(); ++row) got.insert(RowText(batch, row));
  }
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace watershed
