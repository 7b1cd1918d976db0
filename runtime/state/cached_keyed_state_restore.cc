// Restoring: the rows of own key groups, applied in the order in which they were written.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "runtime/state/cached_keyed_state.h"
#include "runtime/state/snapshot_file.h"
#include "runtime/state/state_memory.h"
#include "runtime/state/state_rows.h"
#include "runtime/storage/stored_bytes.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

constexpr int64_t kRestoreBundleRows = 512;

// To the end, where the file's checksum is told.
Status ReadRest(ObjectReader& from) {
  std::string piece(size_t{64} << 10, '\0');
  for (size_t size = piece.size(); size > 0;) {
    WS_ASSIGN_OR_RETURN(size, from.Read(piece));
  }
  return Ok();
}

}  // namespace

// One bundle of rows; views into the chunk.
struct CachedKeyedState::RestoredRows {
  KeyBatch keys;
  std::vector<SnapshotRow> rows;
  std::vector<StateEntry*> entries;

  void Clear() {
    ClearKeys(keys);
    rows.clear();
  }
};

Status CachedKeyedState::Restore(std::span<const KeyedStateFiles> former, ObjectStorage& storage) {
  if (!empty()) return InternalError("keyed state: a restore into a state that is not empty");
  // Files of another place (a job begun from another's checkpoint) are not in ours.
  bool goes_on = former.size() == 1 && spec_.snapshots != nullptr &&
                 storage.uri() == spec_.snapshots->storage->uri();
  int64_t rows = 0;
  for (const KeyedStateFiles& part : former) {
    int64_t part_bytes = 0;  // until there is room for the part
    for (const StoredFile& file : part.files) part_bytes += file.size_bytes;
    for (const StoredFile& file : part.files) {
      WS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectReader> from, OpenStored(storage, file));
      WS_RETURN_IF_ERROR(RestoreFile(file.name, *from, goes_on, rows, part_bytes));
    }
  }
  if (snapshots_ && goes_on) {
    snapshots_->GoOnFrom(former.front().files, rows);
    UpdateSettled();
  }
  return Ok();
}

// All that a part's files hold, by what one of its chunks does. A row may replace an earlier one,
// so a quarter less: the table doubles, and doubles once more should that be too few. Not more than
// will stay in the cache.
void CachedKeyedState::MakeRoom(const SnapshotFileReader& reader, int64_t chunk_rows,
                                int64_t part_bytes) {
  const double rows = static_cast<double>(chunk_rows) * static_cast<double>(part_bytes) /
                      static_cast<double>(reader.chunk_bytes());
  const double most = static_cast<double>(memory_->AllowanceBytes(reported_bytes_)) /
                      static_cast<double>(cache_.least_entry_bytes());
  const int64_t before = std::max<int64_t>(cache_.size() - chunk_rows, 0);
  const double keys = static_cast<double>(before) + rows * 3 / 4;
  cache_.Reserve(static_cast<int64_t>(std::min(keys, most)));
}

Status CachedKeyedState::RestoreFile(std::string_view name, ObjectReader& from, bool& goes_on,
                                     int64_t& rows, int64_t& part_bytes) {
  Result<SnapshotFileReader> opened = SnapshotFileReader::Open(name, from);
  if (!opened) {
    // What looks like another version may be damage.
    if (opened.error().damaged_file.empty()) WS_RETURN_IF_ERROR(ReadRest(from));
    return tl::make_unexpected(std::move(opened).error());
  }
  SnapshotFileReader& reader = *opened;
  const SnapshotFileHeader& header = reader.header();
  if (header.max_parallelism != spec_.max_parallelism) {
    return UserError(
        "the state in '{}' was cut into {} key groups, not {}; restore it with the max-parallelism "
        "it was taken with",
        name, header.max_parallelism, spec_.max_parallelism);
  }
  goes_on = goes_on && header.key_groups.first == spec_.key_groups.first &&
            header.key_groups.last == spec_.key_groups.last;
  KeyGroupRange wanted = spec_.key_groups;
  if (IsPlanted(PlantedBug::kKeyGroupLost)) --wanted.last;
  RestoredRows bundle;
  bundle.Clear();
  const auto restore = [&](const SnapshotRow& row) -> Status {
    AppendKey(row.key, bundle.keys);
    if (KeyGroupOfHash(bundle.keys.hashes.back(), spec_.max_parallelism) != row.group) {
      return DamagedFile(
          name, fmt::format("keyed state: the snapshot file '{}' has a key in key group {} that is "
                            "of another one",
                            name, row.group.value));
    }
    bundle.rows.push_back(row);
    ++rows;
    return bundle.keys.size() < kRestoreBundleRows ? Ok() : RestoreRows(bundle);
  };
  for (;;) {
    WS_ASSIGN_OR_RETURN(const bool more, reader.NextChunk());
    if (!more) return Ok();
    const int64_t rows_before = rows;
    WS_RETURN_IF_ERROR(reader.ForEachRow(wanted, restore));
    if (part_bytes > 0) MakeRoom(reader, rows - rows_before, std::exchange(part_bytes, 0));
    WS_RETURN_IF_ERROR(RestoreRows(bundle));  // its views end with the chunk
  }
}

Status CachedKeyedState::RestoreRows(RestoredRows& bundle) {
  WS_RETURN_IF_ERROR(Resolve(bundle.keys, 0, bundle.keys.size(), bundle.entries));
  for (size_t i = 0; i < bundle.rows.size(); ++i) {
    StateEntry& entry = *bundle.entries[i];
    const SnapshotRow& row = bundle.rows[i];
    Resize(entry, static_cast<uint32_t>(row.value.size()));
    if (!row.value.empty()) {
      std::memcpy(entry.value().data(), row.value.data(), row.value.size());
    }
    if (!IsPlanted(PlantedBug::kTimersNotRestored)) RestoreTimer(entry, row.timer_ms);
    entry.flags_ |= StateEntry::kInSnapshot;
  }
  bundle.Clear();
  return EndBundle();
}

void CachedKeyedState::RestoreTimer(StateEntry& entry, TimestampMs time_ms) {
  if (time_ms < entry.timer_ms_) {
    Queue(entry, time_ms);
  } else if (time_ms == kNoTimer && entry.timer_ms_ != kNoTimer) {
    entry.timer_ms_ = kNoTimer;
    ++entry.generation_;  // its reference in the queue is stale
    --live_timers_;
  } else {
    entry.timer_ms_ = time_ms;
  }
}

}  // namespace watershed
