#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/state/rocksdb_figures.h"
#include "runtime/state/scratch_env.h"
#include "runtime/state/state_backend.h"
#include "runtime/state/state_memory.h"
#include "runtime/state/state_rows.h"

namespace watershed {
namespace {

// Drops dead rows while RocksDB writes or merges files, so that they need no deletes.
class DeadRowsFilter final : public rocksdb::CompactionFilter {
 public:
  explicit DeadRowsFilter(TimestampMs dead_up_to_ms) : dead_up_to_ms_(dead_up_to_ms) {}
  const char* Name() const override { return "WatershedDeadRows"; }
  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    return IsDeadRow({key.data(), key.size()}, {value.data(), value.size()}, dead_up_to_ms_);
  }

 private:
  const TimestampMs dead_up_to_ms_;
};

class DeadRowsFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  const char* Name() const override { return "WatershedDeadRows"; }
  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason) const override {
    return true;  // also when a memtable is flushed
  }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<DeadRowsFilter>(dead_up_to_ms_.load(std::memory_order_relaxed));
  }
  void Set(TimestampMs dead_up_to_ms) {
    dead_up_to_ms_.store(dead_up_to_ms, std::memory_order_relaxed);
  }

 private:
  std::atomic<TimestampMs> dead_up_to_ms_{kMinWatermarkMs};
};

rocksdb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Small values, written in bundles, read back by point look-ups; scratch, so nothing is synced.
rocksdb::Options MakeOptions(StateMemory& memory) {
  rocksdb::Options options;
  options.env = ScratchEnv();
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.write_buffer_manager = memory.write_buffers();
  // Their manager has a buffer flushed when all together reach the budget. Should the disk lag, a
  // database waits when it has three, so that they never hold more than half as much again.
  const int64_t slots = std::max(memory.options().slots, 2);
  options.write_buffer_size = static_cast<size_t>(
      std::clamp<int64_t>(memory.options().write_buffer_bytes / (2 * slots), 1 << 20, 32 << 20));
  options.max_write_buffer_number = 3;
  options.target_file_size_base = 16 << 20;
  options.max_bytes_for_level_base = 64 << 20;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kNoCompression;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.avoid_flush_during_shutdown = true;
  options.allow_concurrent_memtable_write = false;
  options.max_open_files = 512;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.block_cache();
  table.block_size = 4 << 10;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// An open database; removed when nobody uses it any more.
struct OpenedDb {
  OpenedDb(std::string its_directory, rocksdb::DB* opened)
      : directory(std::move(its_directory)), db(opened) {}
  OpenedDb(const OpenedDb&) = delete;
  OpenedDb& operator=(const OpenedDb&) = delete;
  ~OpenedDb() {
    // Best effort: the directory's owner removes what might stay.
    (void)db->Close();
    db.reset();
    rocksdb::Options options;
    options.env = ScratchEnv();
    (void)rocksdb::DestroyDB(directory, options);
  }
  tl::unexpected<Error> Failed(std::string_view what, const rocksdb::Status& status) const {
    return ExternalError(
        "keyed state: RocksDB in {} cannot {}: {}; check the disk behind io.tmp.dirs", directory,
        what, status.ToString());
  }

  const std::string directory;
  std::unique_ptr<rocksdb::DB> db;
};

// The iterator keeps the memtables and files that there were when it was made: no compaction
// filter reaches its rows, as it would those of a RocksDB snapshot.
class RocksDbScan final : public StateBackendScan {
 public:
  explicit RocksDbScan(std::shared_ptr<OpenedDb> opened) : opened_(std::move(opened)) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    at_.reset(opened_->db->NewIterator(options));
  }

  Result<bool> Next(std::string_view& key, std::string_view& row) override {
    if (std::exchange(begun_, true)) {
      at_->Next();
    } else {
      at_->SeekToFirst();
    }
    if (!at_->status().ok()) return opened_->Failed("scan", at_->status());
    if (!at_->Valid()) return false;
    key = ViewOf(at_->key());
    row = ViewOf(at_->value());
    return true;
  }

 private:
  const std::shared_ptr<OpenedDb> opened_;
  std::unique_ptr<rocksdb::Iterator> at_;
  bool begun_ = false;
};

class RocksDbBackend final : public StateBackend {
 public:
  RocksDbBackend(std::shared_ptr<OpenedDb> opened, std::shared_ptr<DeadRowsFilterFactory> dead_rows)
      : opened_(std::move(opened)), db_(*opened_->db), dead_rows_(std::move(dead_rows)) {
    write_options_.disableWAL = true;
  }

  Status MultiGet(std::span<const std::string_view> keys,
                  const std::function<void(size_t, std::string_view)>& found) override {
    slices_.clear();
    for (const std::string_view key : keys) slices_.push_back(SliceOf(key));
    values_.resize(std::max(values_.size(), keys.size()));
    statuses_.assign(keys.size(), rocksdb::Status());
    db_.MultiGet(rocksdb::ReadOptions(), db_.DefaultColumnFamily(), keys.size(), slices_.data(),
                 values_.data(), statuses_.data(), /*sorted_input=*/true);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses_[i].ok()) {
        found(i, ViewOf(values_[i]));
        values_[i].Reset();
      } else if (!statuses_[i].IsNotFound()) {
        return opened_->Failed("read", statuses_[i]);
      }
    }
    return Ok();
  }

  // In key order: the memtable's skip list then goes on from where the last row went in, which
  // halves the cost of a large bundle.
  Status Write(const StateWriteBatch& batch) override {
    rows_.clear();
    batch.ForEach([&](StateWriteBatch::Kind kind, std::string_view key, std::string_view value) {
      rows_.push_back({kind, key, value});
    });
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const Row& a, const Row& b) { return a.key < b.key; });
    batch_.Clear();
    rocksdb::Status status;
    for (const Row& row : rows_) {
      status = row.kind == StateWriteBatch::Kind::kPut
                   ? batch_.Put(SliceOf(row.key), SliceOf(row.value))
                   : batch_.Delete(SliceOf(row.key));
      if (!status.ok()) break;
    }
    if (status.ok()) status = db_.Write(write_options_, &batch_);
    return status.ok() ? Ok() : Status(opened_->Failed("write", status));
  }

  void DeadUpTo(TimestampMs timer_ms) override { dead_rows_->Set(timer_ms); }

  std::unique_ptr<StateBackendScan> Scan() override {
    return std::make_unique<RocksDbScan>(opened_);
  }

 private:
  struct Row {
    StateWriteBatch::Kind kind;
    std::string_view key, value;
  };

  const std::shared_ptr<OpenedDb> opened_;
  rocksdb::DB& db_;
  std::shared_ptr<DeadRowsFilterFactory> dead_rows_;
  rocksdb::WriteOptions write_options_;
  rocksdb::WriteBatch batch_;
  std::vector<Row> rows_;
  std::vector<rocksdb::Slice> slices_;
  std::vector<rocksdb::PinnableSlice> values_;
  std::vector<rocksdb::Status> statuses_;
};

}  // namespace

Result<std::unique_ptr<StateBackend>> OpenRocksDbBackend(const std::string& directory,
                                                         StateMemory& memory,
                                                         std::shared_ptr<RocksDbFigures> figures) {
  rocksdb::DB* db = nullptr;
  rocksdb::Options options = MakeOptions(memory);
  const auto dead_rows = std::make_shared<DeadRowsFilterFactory>();
  options.compaction_filter_factory = dead_rows;
  options.listeners.push_back(MakeRocksDbListener(std::move(figures)));
  const rocksdb::Status status = rocksdb::DB::Open(options, directory, &db);
  if (!status.ok()) {
    return ExternalError(
        "keyed state: cannot open RocksDB in {}: {}; check the disk behind io.tmp.dirs", directory,
        status.ToString());
  }
  return std::make_unique<RocksDbBackend>(std::make_shared<OpenedDb>(directory, db), dead_rows);
}

}  // namespace watershed
