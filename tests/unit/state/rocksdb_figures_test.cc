#include "runtime/state/rocksdb_figures.h"

#include <gtest/gtest.h>
#include <rocksdb/listener.h>

#include "runtime/metrics/names.h"

namespace watershed {
namespace {

using rocksdb::TableFileCreationReason;
using rocksdb::WriteStallCondition;

class RocksDbFiguresTest : public testing::Test {
 protected:
  void Stall(WriteStallCondition from, WriteStallCondition to) {
    rocksdb::WriteStallInfo stall;
    stall.condition.prev = from;
    stall.condition.cur = to;
    listener_->OnStallConditionsChanged(stall);
  }
  void CreateFile(TableFileCreationReason reason, uint64_t bytes) {
    rocksdb::TableFileCreationInfo file;
    file.reason = reason;
    file.file_size = bytes;
    listener_->OnTableFileCreated(file);
  }

  std::shared_ptr<RocksDbFigures> figures_ = std::make_shared<RocksDbFigures>();
  std::shared_ptr<rocksdb::EventListener> listener_ = MakeRocksDbListener(figures_);
};

TEST_F(RocksDbFiguresTest, AStallIsOneHoweverItGoesOn) {
  Stall(WriteStallCondition::kNormal, WriteStallCondition::kDelayed);
  Stall(WriteStallCondition::kDelayed, WriteStallCondition::kStopped);
  Stall(WriteStallCondition::kStopped, WriteStallCondition::kNormal);
  EXPECT_EQ(figures_->stalls.value(), 1);
  Stall(WriteStallCondition::kNormal, WriteStallCondition::kStopped);
  EXPECT_EQ(figures_->stalls.value(), 2);
}

TEST_F(RocksDbFiguresTest, FilesAreOfFlushesOrOfMerges) {
  CreateFile(TableFileCreationReason::kFlush, 10);
  CreateFile(TableFileCreationReason::kCompaction, 7);
  CreateFile(TableFileCreationReason::kFlush, 30);
  EXPECT_EQ(figures_->flushed_bytes.value(), 40);
  EXPECT_EQ(figures_->compacted_bytes.value(), 7);
}

TEST_F(RocksDbFiguresTest, ItsMetricsMayOutliveIt) {
  MetricRegistry registry;
  MetricGroup group(&registry, {});
  figures_->stalls.AddShared(3);
  ExportRocksDb(figures_, group);
  figures_.reset();
  listener_.reset();
  bool found = false;
  for (const MetricSample& sample : registry.Collect()) {
    if (sample.name != std::string_view(metric_names::kRocksDbStalls)) continue;
    found = true;
    EXPECT_EQ(sample.value, 3);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace watershed
