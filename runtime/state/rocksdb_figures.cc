#include "runtime/state/rocksdb_figures.h"

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <utility>

#include "runtime/metrics/names.h"

namespace watershed {
namespace {

class FiguresListener final : public rocksdb::EventListener {
 public:
  explicit FiguresListener(std::shared_ptr<RocksDbFigures> figures)
      : figures_(std::move(figures)) {}

  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) override {
    figures_->flushes.AddShared(1);
    MeasureFiles(*db);
  }
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo&) override {
    figures_->compactions.AddShared(1);
    MeasureFiles(*db);
  }
  void OnTableFileCreated(const rocksdb::TableFileCreationInfo& file) override {
    const bool is_flush = file.reason == rocksdb::TableFileCreationReason::kFlush;
    Counter& bytes = is_flush ? figures_->flushed_bytes : figures_->compacted_bytes;
    bytes.AddShared(static_cast<int64_t>(file.file_size));
  }
  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& stall) override {
    const bool was_normal = stall.condition.prev == rocksdb::WriteStallCondition::kNormal;
    if (was_normal) figures_->stalls.AddShared(1);
  }

 private:
  void MeasureFiles(rocksdb::DB& db) {
    uint64_t bytes = 0;
    if (!db.GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes)) return;
    figures_->files_bytes.Set(static_cast<int64_t>(bytes));
  }

  const std::shared_ptr<RocksDbFigures> figures_;
};

}  // namespace

void ExportRocksDb(const std::shared_ptr<const RocksDbFigures>& figures, MetricGroup& group) {
  const auto add = [&](std::string_view name, auto figure) {
    group.callback(name,
                   [figures, figure] { return static_cast<double>(((*figures).*figure).value()); });
  };
  add(metric_names::kRocksDbFlushes, &RocksDbFigures::flushes);
  add(metric_names::kRocksDbFlushedBytes, &RocksDbFigures::flushed_bytes);
  add(metric_names::kRocksDbCompactions, &RocksDbFigures::compactions);
  add(metric_names::kRocksDbCompactedBytes, &RocksDbFigures::compacted_bytes);
  add(metric_names::kRocksDbFilesBytes, &RocksDbFigures::files_bytes);
  add(metric_names::kRocksDbStalls, &RocksDbFigures::stalls);
}

std::shared_ptr<rocksdb::EventListener> MakeRocksDbListener(
    std::shared_ptr<RocksDbFigures> figures) {
  return std::make_shared<FiguresListener>(std::move(figures));
}

}  // namespace watershed
