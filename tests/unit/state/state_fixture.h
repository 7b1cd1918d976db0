// What tests of keyed state share: an open state, keys and values.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state/keyed_state.h"
#include "runtime/state/state_rows.h"
#include "tests/support/test_directory.h"

namespace watershed::test {

inline constexpr int32_t kMaxParallelism = 16;
inline constexpr KeyGroupRange kAllGroups{0, kMaxParallelism - 1};

struct Setting {
  StateBackendKind backend;
  int64_t cache_bytes;
  int64_t max_dirty_bytes;
};

inline std::string SettingName(const ::testing::TestParamInfo<Setting>& info) {
  return fmt::format("{}_cache{}_dirty{}",
                     info.param.backend == StateBackendKind::kRocksDb ? "rocksdb" : "hashmap",
                     info.param.cache_bytes, info.param.max_dirty_bytes);
}

// Caches that hold everything, nothing and a part; change lists without and with a bound.
inline auto AllSettings() {
  return ::testing::Values(Setting{StateBackendKind::kHashMap, 64 << 20, 0},
                           Setting{StateBackendKind::kHashMap, 1, 0},
                           Setting{StateBackendKind::kHashMap, 40 << 10, 0},
                           Setting{StateBackendKind::kHashMap, 64 << 20, 4 << 10},
                           Setting{StateBackendKind::kRocksDb, 1, 0},
                           Setting{StateBackendKind::kRocksDb, 40 << 10, 8 << 10});
}

// One state with its factory and directory.
struct Opened {
  explicit Opened(const Setting& setting, KeyGroupRange groups = kAllGroups,
                  const SnapshotTarget* snapshots = nullptr, int64_t write_buffer_mb = 24)
      : factory({.backend = setting.backend,
                 .cache_bytes = setting.cache_bytes,
                 .write_buffer_bytes = write_buffer_mb << 20,
                 .max_dirty_bytes = setting.max_dirty_bytes}) {
    auto opened = factory.Open({.directory = directory.path() + "/db",
                                .key_groups = groups,
                                .max_parallelism = kMaxParallelism,
                                .metrics = &metrics,
                                .snapshots = snapshots});
    if (!opened) throw std::runtime_error(opened.error().message);
    state = std::move(*opened);
  }
  // Of one metric of the state, -1: there is none.
  double Metric(std::string_view name) const {
    for (const MetricSample& sample : registry.Collect()) {
      if (sample.name == name) return sample.value;
    }
    return -1;
  }
  MetricRegistry registry;
  MetricGroup metrics{&registry, {}};
  TestDirectory directory;
  KeyedStateFactory factory;
  std::unique_ptr<KeyedState> state;
};

inline std::string ValueOf(StateEntry& entry) {
  const auto value = entry.value();
  return {value.data(), value.size()};
}

// prefix0, prefix1, …
inline std::vector<std::string> Numbered(const std::string& prefix, int count) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) names.push_back(prefix + std::to_string(i));
  return names;
}

inline KeyBatch Keys(const std::vector<std::string>& keys) {
  KeyBatch batch;
  ClearKeys(batch);
  for (const std::string& key : keys) AppendKey(key, batch);
  return batch;
}

inline void SetValue(KeyedState& state, StateEntry& entry, std::string_view value) {
  state.Resize(entry, static_cast<uint32_t>(value.size()));
  if (!value.empty()) std::memcpy(entry.value().data(), value.data(), value.size());
}

}  // namespace watershed::test
