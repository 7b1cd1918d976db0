// The backend for tests: the same order and the same contract as RocksDB, in an std::map.
#include <map>

#include "runtime/state/state_backend.h"

namespace watershed {
namespace {

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
    return Ok();
  }

  Status Scan(std::string_view begin, std::string_view end,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    for (auto row = rows_.lower_bound(begin); row != rows_.end() && row->first < end; ++row) {
      if (!visit(row->first, row->second)) break;
    }
    return Ok();
  }

 private:
  std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace

std::unique_ptr<StateBackend> MakeOrderedMapBackend() {
  return std::make_unique<OrderedMapBackend>();
}

}  // namespace watershed
