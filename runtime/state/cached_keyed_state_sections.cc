// The former snapshot, whole and at once, until the engine uses Freeze.
// A section per key group: format version (1 byte), then per key: sizes of key and value (4 + 4
// bytes), its timer (8), key, value; numbers little-endian. Only values and one time per key: the
// timer rows of the backend are an index over them and are made again.
#include <cstring>

#include "runtime/state/cached_keyed_state.h"
#include "runtime/state/state_rows.h"

namespace watershed {
namespace {

constexpr char kSnapshotVersion = 1;
constexpr int64_t kRestoreBundleRows = 512;

struct RowHeader {
  uint32_t key_size, value_size;
  TimestampMs timer_ms;
};
static_assert(sizeof(RowHeader) == 16);

std::string SectionOf(KeyGroup group) { return fmt::format("keyed-state/{}", group.value); }

void AppendRow(std::string_view key, std::string_view value, TimestampMs timer_ms,
               std::string& out) {
  const RowHeader header{static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size()),
                         timer_ms};
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(key).append(value);
}

tl::unexpected<Error> Damaged(KeyGroup group, std::string_view why) {
  return InternalError("keyed state: section '{}' of the snapshot is damaged: {}", SectionOf(group),
                       why);
}

}  // namespace

Status CachedKeyedState::Snapshot(const PutSection& put) {
  if (!deferred_.empty()) {
    deferred_.MoveTo(pending_);
    WS_RETURN_IF_ERROR(WritePending());
  }
  std::vector<std::vector<uint32_t>> slots(group_keys_.size());
  for (size_t bucket = 0; bucket < cache_.table().bucket_count(); ++bucket) {
    const uint32_t slot = cache_.table().SlotAt(bucket);
    if (slot == 0) continue;
    const KeyGroup group = GroupOf(cache_.At(slot));
    slots[static_cast<size_t>(group.value - spec_.key_groups.first)].push_back(slot);
  }
  std::string section;
  for (size_t i = 0; i < group_keys_.size(); ++i) {
    const KeyGroup group{spec_.key_groups.first + static_cast<int32_t>(i)};
    if (slots[i].empty() && group_keys_[i] == 0) continue;
    section.assign(1, kSnapshotVersion);
    WS_RETURN_IF_ERROR(AppendGroup(group, slots[i], section));
    WS_RETURN_IF_ERROR(put(SectionOf(group), section));
  }
  return Ok();
}

Status CachedKeyedState::AppendGroup(KeyGroup group, std::span<const uint32_t> cached_slots,
                                     std::string& out) {
  for (const uint32_t slot : cached_slots) {
    StateEntry& entry = cache_.At(slot);
    const std::span<char> value = entry.value();
    AppendRow(entry.key(), {value.data(), value.size()}, entry.EarliestTimer(), out);
  }
  if (BackendKeys(group) == 0) return Ok();
  const auto scan = backend_->Scan();
  std::string_view row_key, row;
  while (true) {
    WS_ASSIGN_OR_RETURN(const bool found, scan->Next(row_key, row));
    if (!found) return Ok();
    if (!IsValueRowKey(row_key) || GroupOfRowKey(row_key) != group) continue;
    const std::string_view key = row_key.substr(kValueRowPrefixBytes);
    if (cache_.Find(HashKey(key), key) != nullptr) continue;  // the cache's is as new or newer
    WS_ASSIGN_OR_RETURN(const ValueRow value, ParseValueRow(row));
    if (value.timer_ms > fired_ms_) AppendRow(key, value.value, value.timer_ms, out);
  }
}

Status CachedKeyedState::Restore(const GetSection& get) {
  for (int32_t group = spec_.key_groups.first; group <= spec_.key_groups.last; ++group) {
    for (const std::string& section : get(SectionOf({group}))) {
      WS_RETURN_IF_ERROR(RestoreGroup({group}, section));
    }
  }
  return Ok();
}

Status CachedKeyedState::RestoreGroup(KeyGroup group, std::string_view section) {
  if (section.empty() || section[0] != kSnapshotVersion) {
    return Damaged(group, "its format version is not known");
  }
  section.remove_prefix(1);
  KeyBatch keys;
  std::vector<std::string_view> values;
  std::vector<TimestampMs> timers;
  while (!section.empty()) {
    ClearKeys(keys);
    values.clear();
    timers.clear();
    while (!section.empty() && keys.size() < kRestoreBundleRows) {
      RowHeader header;
      if (section.size() < sizeof header) return Damaged(group, "it ends within a row");
      std::memcpy(&header, section.data(), sizeof header);
      section.remove_prefix(sizeof header);
      if (section.size() < uint64_t{header.key_size} + header.value_size) {
        return Damaged(group, "it ends within a row");
      }
      AppendKey(section.substr(0, header.key_size), keys);
      values.push_back(section.substr(header.key_size, header.value_size));
      timers.push_back(header.timer_ms);
      section.remove_prefix(size_t{header.key_size} + header.value_size);
    }
    WS_RETURN_IF_ERROR(RestoreSection(group, keys, values, timers));
  }
  return Ok();
}

Status CachedKeyedState::RestoreSection(KeyGroup group, const KeyBatch& keys,
                                        std::span<const std::string_view> values,
                                        std::span<const TimestampMs> timers) {
  for (const uint64_t hash : keys.hashes) {
    if (KeyGroupOfHash(hash, spec_.max_parallelism) != group) {
      return UserError(
          "the snapshot's state was cut into another number of key groups than {}; restore it with "
          "the max-parallelism it was taken with",
          spec_.max_parallelism);
    }
  }
  std::vector<StateEntry*> entries;
  WS_RETURN_IF_ERROR(Resolve(keys, 0, keys.size(), entries));
  for (size_t i = 0; i < entries.size(); ++i) {
    StateEntry& entry = *entries[i];
    if (!entry.value().empty()) return Damaged(group, "a key occurs twice");
    Resize(entry, static_cast<uint32_t>(values[i].size()));
    if (!values[i].empty()) {
      std::memcpy(entry.value().data(), values[i].data(), values[i].size());
    }
    if (timers[i] != kNoTimer) SetTimer(entry, timers[i]);
  }
  return EndBundle();
}

}  // namespace watershed
