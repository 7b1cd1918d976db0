// The backend for tests: the same order and the same contract as RocksDB, in an std::map.
#include <map>
#include <utility>

#include "runtime/state/state_backend.h"
#include "runtime/state/state_rows.h"

namespace watershed {
namespace {

using Rows = std::map<std::string, std::string, std::less<>>;

class MapScan final : public StateBackendScan {
 public:
  explicit MapScan(Rows rows) : rows_(std::move(rows)) {}
  Result<bool> Next(std::string_view& key, std::string_view& row) override {
    if (next_ == rows_.end()) return false;
    key = next_->first;
    row = next_->second;
    ++next_;
    return true;
  }

 private:
  const Rows rows_;
  Rows::const_iterator next_ = rows_.begin();
};

class OrderedMapBackend final : public StateBackend {
 public:
  Status MultiGet(std::span<const std::string_view> keys,
                  const std::function<void(size_t, std::string_view)>& found) override {
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto row = rows_.find(keys[i]);
      if (row != rows_.end()) found(i, row->second);
    }
    return Ok();
  }

  Status Write(const StateWriteBatch& batch) override {
    batch.ForEach([&](StateWriteBatch::Kind kind, std::string_view key, std::string_view value) {
      if (kind == StateWriteBatch::Kind::kPut) {
        rows_.insert_or_assign(std::string(key), std::string(value));
      } else if (const auto row = rows_.find(key); row != rows_.end()) {
        rows_.erase(row);
      }
    });
    if (rows_.size() > 2 * rows_swept_ + 64) {
      std::erase_if(
          rows_, [&](const auto& row) { return IsDeadRow(row.first, row.second, dead_up_to_ms_); });
      rows_swept_ = rows_.size();
    }
    return Ok();
  }

  void DeadUpTo(TimestampMs timer_ms) override { dead_up_to_ms_ = timer_ms; }

  std::unique_ptr<StateBackendScan> Scan() override { return std::make_unique<MapScan>(rows_); }

 private:
  Rows rows_;
  TimestampMs dead_up_to_ms_ = kMinWatermarkMs;
  size_t rows_swept_ = 0;  // rows that the last sweep for dead ones left
};

}  // namespace

std::unique_ptr<StateBackend> MakeOrderedMapBackend() {
  return std::make_unique<OrderedMapBackend>();
}

}  // namespace watershed
