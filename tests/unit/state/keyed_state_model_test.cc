// Keyed state and its snapshots against plain maps, under every order of what can happen: changes,
// firing in slices, evictions, freezes, slices of copying, storage that is slow or fails, crashes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <unordered_map>

#include "tests/support/snapshot_rig.h"
#include "tests/unit/state/state_fixture.h"

namespace watershed::test {
namespace {

struct ModelRow {
  std::string value;
  TimestampMs timer_ms;
  bool operator==(const ModelRow&) const = default;
};
std::ostream& operator<<(std::ostream& out, const ModelRow& row) {
  return out << row.value << " @ " << row.timer_ms;
}
using Rows = std::map<std::string, ModelRow>;

// Pairs of keys that the cache's table and the backend's index cannot tell apart by their tags.
std::vector<std::string> CollidingKeys() {
  std::vector<std::string> found;
  std::unordered_map<uint32_t, int> by_tag;
  for (int i = 0; found.size() < 20; ++i) {
    const std::string key = "collide" + std::to_string(i);
    const auto [other, is_new] = by_tag.emplace(static_cast<uint32_t>(HashKey(key) >> 32), i);
    if (is_new) continue;
    found.push_back(key);
    found.push_back("collide" + std::to_string(other->second));
  }
  return found;
}

const std::vector<std::string>& Universe() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = CollidingKeys();
    for (int i = 0; i < 200; ++i) {
      // Some are longer than a slot of the cache.
      all.push_back(std::to_string(i) +
                    std::string(i % 7 == 0 ? 600 : static_cast<size_t>(i) % 50, 'k'));
    }
    return all;
  }();
  return keys;
}

Rows Read(KeyedState& state, KeyGroupRange groups) {
  Rows rows;
  std::vector<std::string> names;
  for (const std::string& key : Universe()) {
    if (groups.Contains(KeyGroupOfHash(HashKey(key), kMaxParallelism))) names.push_back(key);
  }
  std::vector<StateEntry*> entries;
  const KeyBatch keys = Keys(names);
  EXPECT_TRUE(state.Resolve(keys, 0, keys.size(), entries));
  for (size_t i = 0; i < names.size(); ++i) {
    if (entries[i]->value().empty()) continue;
    rows[names[i]] = {ValueOf(*entries[i]), entries[i]->EarliestTimer()};
  }
  EXPECT_TRUE(state.EndBundle());
  return rows;
}

// A state and what it must be.
class Simulation {
 public:
  Simulation(const Setting& setting, unsigned seed, StorageFaultRates faults)
      : setting_(setting), random_(seed), faults_(faults) {
    rig_.storage().SetFaults(SeededStorageFaults(seed, faults_));
    Open();
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) Step();
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_EQ(Read(*opened_->state, kAllGroups), rows_);
    EXPECT_GT(completed_, 0);
  }
  int completed() const { return completed_; }
  int failed() const { return failed_; }
  int deltas() const { return deltas_; }

 private:
  struct Taken {
    Rows rows;
    TimestampMs watermark_ms = kMinWatermarkMs;
    KeyedStateFiles files;
  };

  int Draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  void Open() {
    opened_ =
        std::make_unique<Opened>(setting_, kAllGroups, rig_.NewTarget(), /*write_buffer_mb=*/1);
  }

  void Step() {
    const int what = Draw(100);
    if (what < 35) {
      Change(1 + Draw(40));
    } else if (what < 45) {
      Fire();
    } else if (what < 53) {
      Freeze();
    } else if (what < 70) {
      opened_->state->WriteFrozen(1 + Draw(4000));
    } else if (what < 85) {
      if (rig_.io().waiting() > 0) {
        rig_.io().Step(static_cast<size_t>(Draw(static_cast<int>(rig_.io().waiting()))));
      }
    } else if (what < 98) {
      ASSERT_TRUE(rig_.StepMail());
    } else {
      Crash();
    }
  }

  void Change(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.push_back(Universe()[static_cast<size_t>(Draw(static_cast<int>(Universe().size())))]);
    }
    const KeyBatch keys = Keys(names);
    std::vector<StateEntry*> entries;
    ASSERT_TRUE(opened_->state->Resolve(keys, 0, keys.size(), entries));
    for (size_t i = 0; i < names.size(); ++i) {
      const auto row = rows_.find(names[i]);
      if (row != rows_.end()) {
        ASSERT_EQ(ValueOf(*entries[i]), row->second.value) << names[i];
        ASSERT_EQ(entries[i]->EarliestTimer(), row->second.timer_ms) << names[i];
      } else {
        ASSERT_EQ(ValueOf(*entries[i]), "") << names[i];
      }
      ChangeOne(names[i], *entries[i]);
    }
    ASSERT_TRUE(opened_->state->EndBundle());
  }

  void ChangeOne(const std::string& key, StateEntry& entry) {
    KeyedState& state = *opened_->state;
    const int what = Draw(10);
    if (what < 3) return;  // only looked at
    if (what < 5) {
      // The next bundle must find no timer of a key without state.
      if (entry.value().empty()) return;
      state.Resize(entry, 0);
      rows_.erase(key);
      return;
    }
    // The same few times for many keys, some of them due at once.
    const TimestampMs time_ms = watermark_ms_ - 2000 + Draw(20) * 1000;
    if (what < 9) {
      SetValue(state, entry, std::string(1 + random_() % 120, static_cast<char>('a' + Draw(26))));
    } else if (entry.value().empty()) {
      return;
    }
    if (Draw(4) != 0) {
      if (Draw(2) == 0) {
        state.SetTimer(entry, time_ms);
      } else {
        state.MoveTimer(entry, time_ms);
      }
    }
    rows_[key] = {ValueOf(entry), entry.EarliestTimer()};
  }

  // Perhaps not to the end: the rest fires later.
  void Fire() {
    watermark_ms_ += Draw(3) == 0 ? Draw(6000) : 0;
    std::vector<StateEntry*> due;
    const int64_t slice = 1 + Draw(20);
    for (int slices = Draw(8); slices >= 0; --slices) {
      ASSERT_TRUE(opened_->state->TakeDue(watermark_ms_, slice, due));
      ASSERT_LE(static_cast<int64_t>(due.size()), slice);
      for (StateEntry* entry : due) {
        const auto row = rows_.find(std::string(entry->key()));
        ASSERT_NE(row, rows_.end()) << entry->key() << " fires and has no state";
        ASSERT_EQ(ValueOf(*entry), row->second.value) << entry->key();
        ASSERT_LE(row->second.timer_ms, watermark_ms_) << entry->key();
        row->second.timer_ms = kNoTimer;
        if (Draw(4) == 0) {
          row->second.timer_ms = watermark_ms_ + 1 + Draw(9) * 1000;
          opened_->state->SetTimer(*entry, row->second.timer_ms);
        } else if (Draw(4) != 0) {
          opened_->state->Resize(*entry, 0);
          rows_.erase(row);
        }
      }
      ASSERT_TRUE(opened_->state->EndBundle());
      if (!due.empty()) continue;
      for (const auto& [key, row] : rows_) {
        ASSERT_GT(row.timer_ms, watermark_ms_) << key << " did not fire";
      }
      return;
    }
  }

  void Freeze() {
    auto taken = std::make_shared<Taken>(Taken{rows_, watermark_ms_, {}});
    under_way_.push_back(taken);
    opened_->state->Freeze([this, taken](Result<KeyedStateFiles> files) -> Status {
      if (!files) {
        ++failed_;
        return Ok();
      }
      ++completed_;
      taken->files = std::move(*files);
      if (taken->files.files.size() > 1) ++deltas_;
      Check(*taken);
      last_ = *taken;
      return Ok();
    });
  }

  // Damaged objects would be found by their checksums; the model knows nothing of them.
  void Check(const Taken& taken) {
    rig_.storage().SetFaults(nullptr);
    const int32_t parallelism = 1 + Draw(3);
    Rows found;
    for (int32_t subtask = 0; subtask < parallelism; ++subtask) {
      const KeyGroupRange range = RangeOfSubtask({subtask}, kMaxParallelism, parallelism);
      Opened other({StateBackendKind::kHashMap, Draw(2) == 0 ? 1 : 64 << 20, 0}, range);
      const Status restored = other.state->Restore({&taken.files, 1}, rig_.storage());
      ASSERT_TRUE(restored) << restored.error().message;
      found.merge(Read(*other.state, range));
    }
    ASSERT_EQ(found, taken.rows);
    rig_.storage().SetFaults(SeededStorageFaults(random_(), faults_));
  }

  void Crash() {
    opened_.reset();
    rig_.Crash();
    for (const auto& taken : under_way_) ASSERT_TRUE(taken.expired()) << "outlived its state";
    under_way_.clear();
    Open();
    rows_.clear();
    watermark_ms_ = -50'000;
    if (!last_) return;
    rig_.storage().SetFaults(nullptr);
    const Status restored = opened_->state->Restore({&last_->files, 1}, rig_.storage());
    ASSERT_TRUE(restored) << restored.error().message;
    rig_.storage().SetFaults(SeededStorageFaults(random_(), faults_));
    rows_ = last_->rows;
    watermark_ms_ = last_->watermark_ms;
  }

  const Setting setting_;
  std::mt19937 random_;
  const StorageFaultRates faults_;
  SnapshotRig rig_;
  std::unique_ptr<Opened> opened_;
  Rows rows_;
  TimestampMs watermark_ms_ = -50'000;
  std::optional<Taken> last_;
  std::vector<std::weak_ptr<Taken>> under_way_;  // or answered
  int completed_ = 0, failed_ = 0, deltas_ = 0;
};

// More seeds: WATERSHED_STATE_SEEDS=n.
unsigned Seeds() {
  const char* const wanted = std::getenv("WATERSHED_STATE_SEEDS");
  return wanted == nullptr ? 4 : static_cast<unsigned>(std::atoi(wanted));
}

class KeyedStateModelTest : public ::testing::TestWithParam<Setting> {};

TEST_P(KeyedStateModelTest, EverySnapshotIsTheStateAtItsFreeze) {
  int deltas = 0;
  for (unsigned seed = 1; seed <= Seeds(); ++seed) {
    SCOPED_TRACE(seed);
    Simulation simulation(GetParam(), seed, {});
    simulation.Run(700);
    if (HasFatalFailure()) return;
    EXPECT_EQ(simulation.failed(), 0);
    deltas += simulation.deltas();
  }
  EXPECT_GT(deltas, 0);
}

TEST_P(KeyedStateModelTest, WhenStorageFailsNoLaterSnapshotMissesAnything) {
  int failed = 0;
  for (unsigned seed = 1; seed <= Seeds(); ++seed) {
    SCOPED_TRACE(seed);
    Simulation simulation(GetParam(), 1000 + seed, {.fail = 40, .full = 20, .outcome_unknown = 20});
    simulation.Run(700);
    if (HasFatalFailure()) return;
    failed += simulation.failed();
  }
  EXPECT_GT(failed, 0);
}

INSTANTIATE_TEST_SUITE_P(All, KeyedStateModelTest, AllSettings(), SettingName);

}  // namespace
}  // namespace watershed::test
