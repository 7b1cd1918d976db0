#include "runtime/state/cached_keyed_state.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "runtime/metrics/names.h"
#include "runtime/state/state_memory.h"
#include "runtime/state/state_rows.h"

namespace watershed {

struct CachedKeyedState::Gauges {
  explicit Gauges(MetricGroup& group)
      : hits(group.gauge("watershed_state_cache_hits")),
        misses(group.gauge("watershed_state_cache_misses")),
        evictions(group.gauge("watershed_state_cache_evictions")),
        backend_reads(group.gauge("watershed_state_backend_reads")),
        backend_writes(group.gauge("watershed_state_backend_writes")),
        bytes(group.gauge(metric_names::kStateCacheBytes)),
        dirty_bytes(group.gauge(metric_names::kStateDirtyBytes)),
        keys(group.gauge("watershed_state_cache_keys")) {}
  Gauge &hits, &misses, &evictions, &backend_reads, &backend_writes, &bytes, &dirty_bytes, &keys;
};

CachedKeyedState::CachedKeyedState(KeyedStateSpec spec, std::shared_ptr<StateMemory> memory)
    : spec_(std::move(spec)), memory_(std::move(memory)) {
  groups_.resize(static_cast<size_t>(std::max(spec_.key_groups.size(), 0)));
  if (spec_.metrics != nullptr) gauges_ = std::make_unique<Gauges>(*spec_.metrics);
  memory_->Join();
}

CachedKeyedState::~CachedKeyedState() { memory_->Leave(reported_bytes_); }

Status CachedKeyedState::Open() {
  return cache_.Open(spec_.inline_value_bytes, memory_->options().cache_bytes);
}

void CachedKeyedState::BecomeDirty(StateEntry& entry) {
  entry.flags_ |= StateEntry::kDirty;
  dirty_bytes_ += StateCache::BytesOf(entry);
}

void CachedKeyedState::AddTimer(StateEntry& entry, TimestampMs time_ms) {
  // The reference at the old, later time stays behind, stale.
  if (entry.timer_ms_ == kNoTimer) ++live_timers_;
  entry.timer_ms_ = time_ms;
  timers_.Add({time_ms, cache_.SlotOf(entry), entry.generation_});
}

bool CachedKeyedState::Live(const TimerRef& timer) const {
  const StateEntry& entry = cache_.At(timer.slot);
  return entry.generation_ == timer.generation && entry.timer_ms_ == timer.time_ms;
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
  return misses_.empty() ? Ok() : ReadMisses();
}

Status CachedKeyedState::Create(uint64_t hash, std::string_view key, StateEntry*& entry) {
  const KeyGroup group = KeyGroupOfHash(hash, spec_.max_parallelism);
  if (!spec_.key_groups.Contains(group)) {
    return InternalError("keyed state: a key of group {} came to key groups [{}, {}]", group.value,
                         spec_.key_groups.first, spec_.key_groups.last);
  }
  entry = cache_.Insert(hash, key);
  if (entry == nullptr) return InternalError("keyed state: the cache's address range is exhausted");
  entry->flags_ |= StateEntry::kMaybeEmpty;
  maybe_empty_.push_back(entry);
  if (Group(group).keys == 0) return Ok();  // the backend cannot know it
  const size_t begin = miss_keys_.size();
  AppendValueRowKey(group, key, miss_keys_);
  misses_.push_back({entry, begin, miss_keys_.size() - begin});
  return Ok();
}

Status CachedKeyedState::ReadMisses() {
  const auto key_of = [&](const Miss& miss) {
    return std::string_view(miss_keys_).substr(miss.key_begin, miss.key_size);
  };
  std::sort(misses_.begin(), misses_.end(),
            [&](const Miss& a, const Miss& b) { return key_of(a) < key_of(b); });
  row_keys_.clear();
  for (const Miss& miss : misses_) row_keys_.push_back(key_of(miss));
  figures_.backend_reads += static_cast<int64_t>(misses_.size());
  Status filled = Ok();
  Status read = backend_->MultiGet(row_keys_, [&](size_t i, std::string_view row) {
    Status status = Fill(*misses_[i].entry, row);
    if (!status) filled = std::move(status);
  });
  misses_.clear();
  miss_keys_.clear();
  WS_RETURN_IF_ERROR(std::move(read));
  return filled;
}

Status CachedKeyedState::Fill(StateEntry& entry, std::string_view row) {
  WS_ASSIGN_OR_RETURN(const ValueRow parsed, ParseValueRow(row));
  cache_.Resize(entry, static_cast<uint32_t>(parsed.value.size()));
  if (!parsed.value.empty()) {
    std::memcpy(entry.value().data(), parsed.value.data(), parsed.value.size());
  }
  entry.backend_timer_ms_ = parsed.timer_ms;
  entry.flags_ |= StateEntry::kInBackend;
  return Ok();
}

Status CachedKeyedState::TakeDue(TimestampMs watermark_ms, int64_t max_entries,
                                 std::vector<StateEntry*>& entries) {
  entries.clear();
  watermark_ms = std::min(watermark_ms, kNoTimer - 1);
  TakeDueFromCache(watermark_ms, max_entries, entries);
  Status status = Ok();
  if (earliest_backend_timer_ms_ <= watermark_ms) {
    status = TakeDueFromBackend(watermark_ms, max_entries, entries);
  }
  for (StateEntry* entry : entries) {
    entry->flags_ &= static_cast<uint8_t>(~StateEntry::kDue);
  }
  return status;
}

// In groups, so that the cache misses on entries, and then on their buckets for Erase, overlap.
void CachedKeyedState::TakeDueFromCache(TimestampMs watermark_ms, int64_t max_entries,
                                        std::vector<StateEntry*>& entries) {
  constexpr int64_t kGroup = 32;
  std::array<TimerRef, kGroup> timers;
  bool more = true;
  while (more) {
    const auto room = std::min(kGroup, max_entries - static_cast<int64_t>(entries.size()));
    int64_t popped = 0;
    while (popped < room && timers_.PopDue(watermark_ms, timers[static_cast<size_t>(popped)])) {
      __builtin_prefetch(&cache_.At(timers[static_cast<size_t>(popped)].slot), 1);
      ++popped;
    }
    more = popped == room && room > 0;
    for (int64_t i = 0; i < popped; ++i) {
      const TimerRef& timer = timers[static_cast<size_t>(i)];
      if (!Live(timer)) continue;
      StateEntry& entry = cache_.At(timer.slot);
      cache_.table().Prefetch(entry.hash());
      entry.timer_ms_ = kNoTimer;
      --live_timers_;
      if (entry.flags_ & StateEntry::kDue) continue;
      entry.flags_ |= StateEntry::kDue;
      entries.push_back(&entry);
    }
  }
}

Status CachedKeyedState::TakeDueFromBackend(TimestampMs watermark_ms, int64_t max_entries,
                                            std::vector<StateEntry*>& entries) {
  WS_RETURN_IF_ERROR(WritePending());  // what an earlier call deleted must not be seen again
  ClearKeys(due_keys_);
  due_times_.clear();
  const int64_t room = max_entries - static_cast<int64_t>(entries.size());
  TimestampMs earliest = kNoTimer;
  for (int32_t group = spec_.key_groups.first; group <= spec_.key_groups.last; ++group) {
    if (Group({group}).earliest_timer_ms <= watermark_ms && due_keys_.size() < room) {
      WS_RETURN_IF_ERROR(CollectDueRows({group}, watermark_ms, room));
    }
    earliest = std::min(earliest, Group({group}).earliest_timer_ms);
  }
  earliest_backend_timer_ms_ = earliest;
  WS_RETURN_IF_ERROR(Resolve(due_keys_, 0, due_keys_.size(), due_entries_));
  for (size_t i = 0; i < due_times_.size(); ++i) {
    StateEntry& entry = *due_entries_[i];
    if (entry.backend_timer_ms_ == due_times_[i]) entry.backend_timer_ms_ = kNoTimer;
    MarkDirty(entry);  // its row in the backend still names the timer
    if (entry.flags_ & StateEntry::kDue) continue;
    entry.flags_ |= StateEntry::kDue;
    entries.push_back(&entry);
  }
  return Ok();
}

// Appends one group's due timer rows to due_keys_ and due_times_, `max_keys` in all, deletes those
// rows, and learns what is next.
Status CachedKeyedState::CollectDueRows(KeyGroup group, TimestampMs watermark_ms,
                                        int64_t max_keys) {
  BackendGroup& of = Group(group);
  std::string begin;
  std::string end;
  AppendTimerRowKey(group, of.earliest_timer_ms, {}, begin);
  AppendTimerRowKey(group, kNoTimer, {}, end);
  of.earliest_timer_ms = kNoTimer;
  return backend_->Scan(begin, end, [&](std::string_view row_key, std::string_view) {
    const TimestampMs time_ms = TimeOfTimerRowKey(row_key);
    if (time_ms > watermark_ms || due_keys_.size() == max_keys) {
      of.earliest_timer_ms = time_ms;
      return false;
    }
    due_times_.push_back(time_ms);
    AppendKey(row_key.substr(kTimerRowPrefixBytes), due_keys_);
    pending_.Delete(row_key);
    return true;
  });
}

Status CachedKeyedState::EndBundle() {
  DropEmpty();
  if (timers_.size() > 2 * live_timers_ + 4096) CompactTimers();
  const int64_t used = UsedBytes();
  const int64_t allowed = memory_->AllowanceBytes(reported_bytes_);
  if (used > allowed) Evict(allowed - allowed / 16);
  const int64_t max_dirty = memory_->options().max_dirty_bytes;
  if (max_dirty > 0 && dirty_bytes_ > max_dirty) Clean(max_dirty - max_dirty / 4);
  WS_RETURN_IF_ERROR(WritePending());
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
}

}  // namespace watershed
