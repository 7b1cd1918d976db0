// Keyed state against a plain map: the same values and the same timers, whatever is evicted
// meanwhile.
#include "runtime/state/keyed_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "runtime/metrics/names.h"
#include "tests/support/snapshot_rig.h"
#include "tests/unit/state/state_fixture.h"

namespace watershed::test {
namespace {

using ::testing::IsEmpty;

// What the state must be: per key its value and its deadline.
struct Model {
  struct Row {
    std::string value;
    TimestampMs deadline_ms;
  };
  std::map<std::string, Row> rows;
};

class KeyedStateTest : public ::testing::TestWithParam<Setting> {};

// Every due key of the model fires, none before its time, and afterwards it is gone.
void FireAll(KeyedState& state, Model& model, TimestampMs watermark_ms, int64_t slice) {
  std::set<std::string> fired;
  std::vector<StateEntry*> due;
  while (true) {
    ASSERT_TRUE(state.TakeDue(watermark_ms, slice, due));
    if (due.empty()) break;
    ASSERT_LE(static_cast<int64_t>(due.size()), slice);
    for (StateEntry* entry : due) {
      const std::string key(entry->key());
      if (entry->value().empty()) continue;
      const auto row = model.rows.find(key);
      ASSERT_NE(row, model.rows.end()) << key;
      ASSERT_EQ(ValueOf(*entry), row->second.value);
      if (row->second.deadline_ms > watermark_ms) {  // early: look again later
        state.SetTimer(*entry, row->second.deadline_ms);
        continue;
      }
      state.Resize(*entry, 0);
      fired.insert(key);
    }
    ASSERT_TRUE(state.EndBundle());
  }
  ASSERT_TRUE(state.EndBundle());
  for (auto row = model.rows.begin(); row != model.rows.end();) {
    if (row->second.deadline_ms <= watermark_ms) {
      ASSERT_TRUE(fired.contains(row->first)) << row->first;
      row = model.rows.erase(row);
    } else {
      ++row;
    }
  }
}

void RandomBundle(KeyedState& state, Model& model, std::mt19937& random, TimestampMs watermark_ms) {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) {
    const int number = static_cast<int>(random() % 300);
    // Some keys are longer than a slot of the cache.
    names.push_back(std::to_string(number) + std::string(number % 7 == 0 ? 600 : number % 50, 'k'));
  }
  const KeyBatch keys = Keys(names);
  std::vector<StateEntry*> entries;
  ASSERT_TRUE(state.Resolve(keys, 0, keys.size(), entries));
  for (size_t i = 0; i < names.size(); ++i) {
    const auto row = model.rows.find(names[i]);
    ASSERT_EQ(ValueOf(*entries[i]), row == model.rows.end() ? "" : row->second.value);
    if (random() % 3 == 0) continue;  // only looked at
    if (random() % 8 == 0) {
      state.Resize(*entries[i], 0);
      model.rows.erase(names[i]);
      continue;
    }
    const std::string value(1 + random() % 120, static_cast<char>('a' + random() % 26));
    const TimestampMs deadline_ms = watermark_ms + 1 + static_cast<int64_t>(random() % 20000);
    SetValue(state, *entries[i], value);
    if (random() % 2 == 0) {
      state.SetTimer(*entries[i], deadline_ms);
    } else {
      state.MoveTimer(*entries[i], deadline_ms);
    }
    model.rows[names[i]] = {value, deadline_ms};
  }
  ASSERT_TRUE(state.EndBundle());
}

TEST_P(KeyedStateTest, AgreesWithAMap) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    SnapshotRig rig;
    auto opened = std::make_unique<Opened>(GetParam(), kAllGroups, rig.NewTarget());
    Model model;
    TimestampMs watermark_ms = -50'000;
    for (int round = 0; round < 60; ++round) {
      ASSERT_NO_FATAL_FAILURE(RandomBundle(*opened->state, model, random, watermark_ms));
      if (random() % 3 == 0) {
        watermark_ms += static_cast<int64_t>(random() % 6000);
        ASSERT_NO_FATAL_FAILURE(
            FireAll(*opened->state, model, watermark_ms, 1 + static_cast<int64_t>(random() % 64)));
      }
      if (random() % 12 == 0) {
        const auto files = rig.TakeSnapshot(*opened->state);
        ASSERT_TRUE(files) << files.error().message;
        opened = std::make_unique<Opened>(GetParam(), kAllGroups, rig.NewTarget());
        ASSERT_TRUE(opened->state->Restore({&*files, 1}, rig.storage()));
      }
    }
    ASSERT_NO_FATAL_FAILURE(FireAll(*opened->state, model, kMaxWatermarkMs, 16));
    EXPECT_THAT(model.rows, IsEmpty());
    EXPECT_TRUE(opened->state->empty());
    EXPECT_EQ(opened->state->figures().dirty_bytes, 0);
  }
}

TEST_P(KeyedStateTest, KeyGroupsMoveToOtherRanges) {
  SnapshotRig rig;
  Opened one(GetParam(), kAllGroups, rig.NewTarget());
  const std::vector<std::string> names = Numbered("key", 200);
  std::vector<StateEntry*> entries;
  const KeyBatch keys = Keys(names);
  ASSERT_TRUE(one.state->Resolve(keys, 0, keys.size(), entries));
  for (size_t i = 0; i < names.size(); ++i) {
    SetValue(*one.state, *entries[i], "v" + names[i]);
    one.state->SetTimer(*entries[i], static_cast<int64_t>(i));
  }
  ASSERT_TRUE(one.state->EndBundle());

  // 1 -> 3 -> 2, each from the parts of the one before.
  std::vector<KeyedStateFiles> parts = {rig.TakeSnapshot(*one.state).value()};
  for (const int32_t parallelism : {3, 2}) {
    std::vector<KeyedStateFiles> next;
    int64_t found = 0;
    for (int32_t subtask = 0; subtask < parallelism; ++subtask) {
      const KeyGroupRange range = RangeOfSubtask({subtask}, kMaxParallelism, parallelism);
      Opened part(GetParam(), range, rig.NewTarget());
      ASSERT_TRUE(part.state->Restore(parts, rig.storage()));
      for (size_t i = 0; i < names.size(); ++i) {
        if (!range.Contains(KeyGroupOfHash(keys.hashes[i], kMaxParallelism))) continue;
        ASSERT_TRUE(part.state->Resolve(keys, static_cast<int64_t>(i), 1, entries));
        EXPECT_EQ(ValueOf(*entries[0]), "v" + names[i]);
        EXPECT_LE(entries[0]->EarliestTimer(), static_cast<int64_t>(i));
        ++found;
      }
      ASSERT_TRUE(part.state->EndBundle());
      next.push_back(rig.TakeSnapshot(*part.state).value());
    }
    EXPECT_EQ(found, 200);
    parts = std::move(next);
  }
}

INSTANTIATE_TEST_SUITE_P(All, KeyedStateTest, AllSettings(), SettingName);

TEST(KeyedState, WhatLivesAndDiesInTheCacheNeverTouchesTheBackend) {
  Opened opened({StateBackendKind::kRocksDb, 64 << 20, 0});
  std::vector<StateEntry*> entries;
  for (int round = 0; round < 10; ++round) {
    const KeyBatch keys = Keys(Numbered(fmt::format("{}-", round), 1000));
    ASSERT_TRUE(opened.state->Resolve(keys, 0, keys.size(), entries));
    for (StateEntry* entry : entries) {
      SetValue(*opened.state, *entry, "x");
      opened.state->SetTimer(*entry, round);
    }
    ASSERT_TRUE(opened.state->EndBundle());
    ASSERT_TRUE(opened.state->TakeDue(round, 5000, entries));
    EXPECT_EQ(entries.size(), 1000U);
    for (StateEntry* entry : entries) opened.state->Resize(*entry, 0);
    ASSERT_TRUE(opened.state->EndBundle());
  }
  EXPECT_EQ(opened.state->figures().backend_writes, 0);
  EXPECT_EQ(opened.state->figures().backend_reads, 0);
  EXPECT_FALSE(std::filesystem::exists(opened.directory.path() + "/db"));
}

TEST(KeyedState, StaysWithinItsBudget) {
  constexpr int64_t kBudget = 1 << 20;
  Opened opened({StateBackendKind::kRocksDb, kBudget, 256 << 10});
  std::vector<StateEntry*> entries;
  for (int round = 0; round < 40; ++round) {
    const KeyBatch keys = Keys(Numbered(fmt::format("key-{}-", round), 1000));
    ASSERT_TRUE(opened.state->Resolve(keys, 0, keys.size(), entries));
    for (StateEntry* entry : entries) {
      SetValue(*opened.state, *entry, "0123456789");
      opened.state->SetTimer(*entry, 1'000'000 - round);
    }
    ASSERT_TRUE(opened.state->EndBundle());
    EXPECT_LE(opened.state->figures().cache_bytes, kBudget);
    EXPECT_LE(opened.state->figures().dirty_bytes, 256 << 10);
  }
  EXPECT_GT(opened.state->figures().evictions, 30'000);
}

TEST(KeyedState, TellsWhatCacheAndRocksDbDid) {
  // Memtables of a megabyte each, so that some are flushed.
  Opened opened({StateBackendKind::kRocksDb, 64 << 10, 0}, kAllGroups, nullptr,
                /*write_buffer_mb=*/1);
  opened.factory.Export(opened.metrics);
  EXPECT_EQ(opened.Metric(metric_names::kRocksDbFlushes), 0);
  std::vector<StateEntry*> entries;
  for (int round = 0; round < 300; ++round) {
    const KeyBatch keys = Keys(Numbered(fmt::format("{}-", round), 100));
    for (int again = 0; again < 2; ++again) {
      ASSERT_TRUE(opened.state->Resolve(keys, 0, keys.size(), entries));
      for (StateEntry* entry : entries) SetValue(*opened.state, *entry, std::string(200, 'v'));
    }
    ASSERT_TRUE(opened.state->EndBundle());
  }
  const KeyedStateFigures figures = opened.state->figures();
  EXPECT_EQ(figures.hits, 30'000);
  EXPECT_EQ(figures.misses, 30'000);
  EXPECT_EQ(opened.Metric(metric_names::kStateCacheHits), 30'000);
  EXPECT_EQ(opened.Metric(metric_names::kStateCacheMisses), 30'000);
  EXPECT_EQ(
      opened.Metric(metric_names::kStateCacheKeys) + opened.Metric(metric_names::kStateBackendKeys),
      30'000);
  EXPECT_EQ(opened.Metric(metric_names::kStateCacheEvictions), figures.evictions);
  EXPECT_EQ(opened.Metric(metric_names::kStateBackendWrites), figures.backend_writes);
  // Its own threads flush; writes wait for them when they lag.
  EXPECT_GT(opened.Metric(metric_names::kRocksDbFlushes), 0);
  EXPECT_GT(opened.Metric(metric_names::kRocksDbFlushedBytes), 1 << 20);
  EXPECT_GT(opened.Metric(metric_names::kRocksDbFilesBytes), 1 << 20);
  EXPECT_GT(opened.Metric(metric_names::kRocksDbWriteBufferBytes), 0);
  EXPECT_GT(opened.Metric(metric_names::kRocksDbBlockCacheBytes), 0);
  opened.state.reset();  // its figures stay for as long as its metrics
  // Now that nobody flushes or compacts between the readings.
  EXPECT_EQ(opened.Metric(metric_names::kRocksDbBlockCacheBytes) +
                opened.Metric(metric_names::kRocksDbWriteBufferBytes),
            static_cast<double>(opened.factory.backend_memory_bytes()));
  EXPECT_GT(opened.Metric(metric_names::kRocksDbFlushes), 0);
}

// A deadline that moves away must not leave a trail of timers.
TEST(KeyedState, TimersAreNotRegisteredPerRecord) {
  Opened opened({StateBackendKind::kHashMap, 64 << 20, 0});
  std::vector<StateEntry*> entries;
  const KeyBatch keys = Keys({"a", "b"});
  ASSERT_TRUE(opened.state->Resolve(keys, 0, 2, entries));
  const int64_t before = opened.state->figures().cache_bytes;
  for (int i = 0; i < 100'000; ++i) {
    SetValue(*opened.state, *entries[0], "a");
    opened.state->SetTimer(*entries[0], 1000 + i);
  }
  EXPECT_LT(opened.state->figures().cache_bytes - before, 1000);
}

// Deletes that wait for the end of a firing are bounded and in the account.
TEST(KeyedState, FiringInSlicesStaysWithinTheBudget) {
  constexpr int64_t kBudget = 1 << 20;
  Opened opened({StateBackendKind::kHashMap, kBudget, 0});
  std::vector<StateEntry*> entries;
  for (int round = 0; round < 40; ++round) {
    const KeyBatch keys = Keys(Numbered(fmt::format("key-with-a-long-name-{}-", round), 1000));
    ASSERT_TRUE(opened.state->Resolve(keys, 0, keys.size(), entries));
    for (StateEntry* entry : entries) {
      SetValue(*opened.state, *entry, "0123456789");
      opened.state->SetTimer(*entry, 1000 + round);
    }
    ASSERT_TRUE(opened.state->EndBundle());
  }
  int64_t fired = 0;
  do {
    ASSERT_TRUE(opened.state->TakeDue(5000, 500, entries));
    fired += static_cast<int64_t>(entries.size());
    for (StateEntry* entry : entries) opened.state->Resize(*entry, 0);
    ASSERT_TRUE(opened.state->EndBundle());
    // A chunk of the timer log that is being fired is held whole.
    EXPECT_LE(opened.state->figures().cache_bytes, kBudget * 5 / 4);
  } while (!entries.empty());
  EXPECT_EQ(fired, 40'000);
  EXPECT_TRUE(opened.state->empty());
}

// What is known of evicted keys gives way, too, when other states come.
TEST(KeyedState, TheIndexOfEvictedKeysKeepsToTheShareOfItsState) {
  constexpr int64_t kBudget = 1 << 20;
  TestDirectory directory;
  KeyedStateFactory factory({.backend = StateBackendKind::kHashMap, .cache_bytes = kBudget});
  std::vector<std::unique_ptr<KeyedState>> states;
  for (int i = 0; i < 8; ++i) {
    auto opened = factory.Open({.directory = fmt::format("{}/{}", directory.path(), i),
                                .key_groups = kAllGroups,
                                .max_parallelism = kMaxParallelism});
    ASSERT_TRUE(opened);
    states.push_back(std::move(*opened));
  }
  std::vector<StateEntry*> entries;
  // The first has the budget to itself at first, and an index of a quarter of it.
  for (int round = 0; round < 48; ++round) {
    for (const auto& state : states) {
      if ((round < 24) != (state == states.front())) continue;
      const KeyBatch keys = Keys(Numbered(fmt::format("{}-", round), 1000));
      ASSERT_TRUE(state->Resolve(keys, 0, keys.size(), entries));
      for (StateEntry* entry : entries) SetValue(*state, *entry, "0123456789");
      ASSERT_TRUE(state->EndBundle());
    }
  }
  int64_t bytes = 0;
  for (const auto& state : states) {
    // Once around, so that each has seen the others.
    ASSERT_TRUE(state->EndBundle());
    bytes += state->figures().cache_bytes;
  }
  EXPECT_LE(bytes, kBudget);
  EXPECT_LE(states.front()->figures().cache_bytes, kBudget / 4);
}

}  // namespace
}  // namespace watershed::test
