#include "runtime/state/cached_keyed_state.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/metrics/names.h"
#include "runtime/state/state_memory.h"
#include "runtime/state/state_rows.h"

namespace watershed {
namespace {

// The part of the budget that deletes may wait in; a few are kept even without a budget.
constexpr int64_t kDeferredShare = 32;
constexpr int64_t kMinDeferredBytes = 16 << 10;

}  // namespace

struct CachedKeyedState::Gauges {
  explicit Gauges(MetricGroup& group)
      : hits(group.gauge(metric_names::kStateCacheHits)),
        misses(group.gauge(metric_names::kStateCacheMisses)),
        evictions(group.gauge(metric_names::kStateCacheEvictions)),
        backend_reads(group.gauge(metric_names::kStateBackendReads)),
        backend_writes(group.gauge(metric_names::kStateBackendWrites)),
        bytes(group.gauge(metric_names::kStateCacheBytes)),
        dirty_bytes(group.gauge(metric_names::kStateDirtyBytes)),
        keys(group.gauge(metric_names::kStateCacheKeys)),
        backend_keys(group.gauge(metric_names::kStateBackendKeys)) {}
  Gauge &hits, &misses, &evictions, &backend_reads, &backend_writes, &bytes, &dirty_bytes, &keys,
      &backend_keys;
};

CachedKeyedState::CachedKeyedState(KeyedStateSpec spec, std::shared_ptr<StateMemory> memory)
    : spec_(std::move(spec)), memory_(std::move(memory)) {
  group_keys_.resize(static_cast<size_t>(std::max(spec_.key_groups.size(), 0)));
  if (spec_.metrics != nullptr) gauges_ = std::make_unique<Gauges>(*spec_.metrics);
  if (memory_->options().backend == StateBackendKind::kRocksDb) {
    rocksdb_figures_ = std::make_shared<RocksDbFigures>();
    if (spec_.metrics != nullptr) ExportRocksDb(rocksdb_figures_, *spec_.metrics);
  }
  memory_->Join();
}

CachedKeyedState::~CachedKeyedState() { memory_->Leave(reported_bytes_); }

Status CachedKeyedState::Open() {
  WS_RETURN_IF_ERROR(cache_.Open(spec_.inline_value_bytes, memory_->options().cache_bytes));
  if (spec_.snapshots == nullptr) return Ok();
  const SnapshotFileHeader header{spec_.max_parallelism, spec_.key_groups};
  snapshots_ = std::make_unique<StateSnapshotter>(*spec_.snapshots, header, cache_);
  UpdateSettled();
  return Ok();
}

void CachedKeyedState::BecomeDirty(StateEntry& entry) {
  if (snapshots_) snapshots_->BeforeChange(entry);
  if (entry.flags_ & StateEntry::kDirty) return;
  entry.flags_ |= StateEntry::kDirty;
  dirty_bytes_ += StateCache::BytesOf(entry);
}

void CachedKeyedState::AddTimer(StateEntry& entry, TimestampMs time_ms) {
  MarkDirty(entry);  // the row names the timer
  Queue(entry, time_ms);
}

void CachedKeyedState::Queue(StateEntry& entry, TimestampMs time_ms) {
  // The reference at an old, later time stays behind, stale.
  if (entry.timer_ms_ == kNoTimer) ++live_timers_;
  entry.timer_ms_ = time_ms;
  timers_.Add({time_ms, cache_.SlotOf(entry), ++entry.generation_});
}

void CachedKeyedState::Resize(StateEntry& entry, uint32_t size) {
  MarkDirty(entry);
  const int64_t before = StateCache::BytesOf(entry);
  cache_.Resize(entry, size);
  dirty_bytes_ += StateCache::BytesOf(entry) - before;
  if (size == 0 && !(entry.flags_ & StateEntry::kMaybeEmpty)) {
    entry.flags_ |= StateEntry::kMaybeEmpty;
    maybe_empty_.push_back(&entry);
  }
}

Status CachedKeyedState::Resolve(const KeyBatch& keys, int64_t first, int64_t count,
                                 std::vector<StateEntry*>& entries) {
  entries.resize(static_cast<size_t>(count));
  cache_.Lookup(keys, first, count, entries.data());
  int64_t misses = 0;
  for (int64_t i = 0; i < count; ++i) {
    StateEntry*& entry = entries[static_cast<size_t>(i)];
    if (entry == nullptr) {
      const auto row = static_cast<size_t>(first + i);
      entry = cache_.Find(keys.hashes[row], keys.key(first + i));  // an earlier row made it
      if (entry == nullptr) {
        ++misses;
        WS_RETURN_IF_ERROR(Create(keys.hashes[row], keys.key(first + i), entry));
      }
    }
    entry->flags_ |= StateEntry::kReferenced;
  }
  figures_.hits += count - misses;
  figures_.misses += misses;
  if (misses_.empty()) return Ok();
  return ReadMisses([&](const Miss& miss, const ValueRow& row) {
    Fill(*miss.entry, row);
    if (row.timer_ms != kNoTimer) Queue(*miss.entry, row.timer_ms);
    return Ok();
  });
}

Status CachedKeyedState::Create(uint64_t hash, std::string_view key, StateEntry*& entry) {
  const KeyGroup group = KeyGroupOfHash(hash, spec_.max_parallelism);
  if (!spec_.key_groups.Contains(group)) {
    return InternalError("keyed state: a key of group {} came to key groups [{}, {}]", group.value,
                         spec_.key_groups.first, spec_.key_groups.last);
  }
  entry = InsertEntry(hash, key);
  if (entry == nullptr) return InternalError("keyed state: the cache's address range is exhausted");
  entry->flags_ |= StateEntry::kMaybeEmpty;
  maybe_empty_.push_back(entry);
  if (BackendKeys(group) == 0 || !index_.MayContain(hash)) return Ok();
  AddMiss(entry, 0, group, key);
  return Ok();
}

void CachedKeyedState::AddMiss(StateEntry* entry, size_t due, KeyGroup group,
                               std::string_view key) {
  const size_t begin = miss_keys_.size();
  AppendValueRowKey(group, key, miss_keys_);
  misses_.push_back({entry, due, begin, miss_keys_.size() - begin});
}

Status CachedKeyedState::ReadMisses(
    const std::function<Status(const Miss&, const ValueRow&)>& found) {
  const auto key_of = [&](const Miss& miss) {
    return std::string_view(miss_keys_).substr(miss.key_begin, miss.key_size);
  };
  std::sort(misses_.begin(), misses_.end(),
            [&](const Miss& a, const Miss& b) { return key_of(a) < key_of(b); });
  // A record may be there twice.
  const auto same = [&](const Miss& a, const Miss& b) { return key_of(a) == key_of(b); };
  misses_.erase(std::unique(misses_.begin(), misses_.end(), same), misses_.end());
  row_keys_.clear();
  bool deferred = false;
  for (const Miss& miss : misses_) {
    row_keys_.push_back(key_of(miss));
    if (deferred_.empty()) continue;
    deferred |= deferred_.MayContain(HashKey(row_keys_.back().substr(kValueRowPrefixBytes)));
  }
  if (deferred) {
    deferred_.MoveTo(pending_);
    WS_RETURN_IF_ERROR(WritePending());
  }
  figures_.backend_reads += static_cast<int64_t>(misses_.size());
  Status filled = Ok();
  Status read = backend_->MultiGet(row_keys_, [&](size_t i, std::string_view bytes) {
    const Result<ValueRow> row = ParseValueRow(bytes);
    Status status = Ok();
    if (!row) {
      status = tl::make_unexpected(row.error());
    } else if (row->timer_ms > fired_ms_) {  // else dead
      status = found(misses_[i], *row);
    }
    if (!status) filled = std::move(status);
  });
  misses_.clear();
  miss_keys_.clear();
  WS_RETURN_IF_ERROR(std::move(read));
  return filled;
}

void CachedKeyedState::Fill(StateEntry& entry, const ValueRow& row) {
  cache_.Resize(entry, static_cast<uint32_t>(row.value.size()));
  if (!row.value.empty()) {
    std::memcpy(entry.value().data(), row.value.data(), row.value.size());
  }
  // What is in the backend is in a snapshot's file, or would be in the next one's.
  entry.flags_ |= StateEntry::kInBackend | StateEntry::kInSnapshot;
  if (row.timer_ms != kNoTimer) entry.flags_ |= StateEntry::kRecorded;
  entry.row_timer_ms_ = row.timer_ms;
}

Status CachedKeyedState::EndBundle() {
  DropEmpty();
  if (timers_.size() > 2 * live_timers_ + 4096) CompactTimers();
  if (backend_keys_ == 0) index_.Enable();
  const int64_t used = UsedBytes();
  const int64_t allowed = memory_->AllowanceBytes(reported_bytes_);
  if (index_.byte_size() > allowed / 2) index_.Disable();  // the budget has shrunk
  if (used > allowed) Evict(allowed - allowed / 16);
  const int64_t max_dirty = memory_->options().max_dirty_bytes;
  if (max_dirty > 0 && dirty_bytes_ > max_dirty) Clean(max_dirty - max_dirty / 4);
  if (deferred_.byte_size() > std::max(kMinDeferredBytes, allowed / kDeferredShare)) {
    deferred_.MoveTo(pending_);
  }
  WS_RETURN_IF_ERROR(WritePending());
  if (snapshots_) {
    snapshots_->EndBundle();
    UpdateSettled();
  }
  const int64_t now = UsedBytes();
  memory_->Report(now - reported_bytes_);
  reported_bytes_ = now;
  if (gauges_) UpdateGauges();
  return Ok();
}

KeyedStateFigures CachedKeyedState::figures() const {
  KeyedStateFigures figures = figures_;
  figures.cache_bytes = UsedBytes();
  figures.dirty_bytes = dirty_bytes_;
  figures.cached_keys = cache_.size();
  figures.backend_keys = backend_keys_;
  return figures;
}

void CachedKeyedState::UpdateGauges() {
  const KeyedStateFigures now = figures();
  gauges_->hits.Set(now.hits);
  gauges_->misses.Set(now.misses);
  gauges_->evictions.Set(now.evictions);
  gauges_->backend_reads.Set(now.backend_reads);
  gauges_->backend_writes.Set(now.backend_writes);
  gauges_->bytes.Set(now.cache_bytes);
  gauges_->dirty_bytes.Set(now.dirty_bytes);
  gauges_->keys.Set(now.cached_keys);
  gauges_->backend_keys.Set(now.backend_keys);
}

}  // namespace watershed
