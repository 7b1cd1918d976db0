// Keyed state as a log of changes: which entries belong to which snapshot, and the rows on their
// way.
//
// At every moment there is at most one snapshot under way (frozen, not wholly copied yet) and one
// to come. What an entry has to do with them are three bits whose meaning turns over at every
// Freeze, so that freezing touches no entry:
//  * kChangedEven/kChangedOdd: changed since the Freeze of that parity.
//    Of the current parity: listed for the snapshot to come.
//    Of the other: belongs to the snapshot under way and is not copied.
//  * kWrittenOdd differs from the current turn: belongs to the complete snapshot under way and is
//    not copied. (Only a complete snapshot turns it.)
// Rows go to the snapshot to come before its Freeze when an entry is evicted or ends: so that what
// is in the backend has always been written, and need not be known.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/state/keyed_state.h"
#include "runtime/state/snapshot_chain.h"
#include "runtime/state/snapshot_part.h"
#include "runtime/state/state_backend.h"
#include "runtime/state/state_cache.h"

namespace watershed {

// The task's thread.
class StateSnapshotter {
 public:
  using Done = SnapshotChain::Done;

  // Both outlive it.
  StateSnapshotter(const SnapshotTarget& target, const SnapshotFileHeader& header,
                   StateCache& cache);
  ~StateSnapshotter();  // what is under way is given up
  StateSnapshotter(const StateSnapshotter&) = delete;
  StateSnapshotter& operator=(const StateSnapshotter&) = delete;

  // An entry with these flags of these needs no BeforeChange. They change with Freeze… and
  // EndBundle.
  uint16_t settled_mask() const;
  uint16_t settled_flags() const;
  // What a new entry, or one read from the backend, has at first.
  uint16_t new_entry_flags() const { return written_turn_; }

  // Copies the entry if the snapshot under way needs it, and lists it for the one to come.
  void BeforeChange(StateEntry& entry);
  void BeforeEviction(StateEntry& entry);
  // An entry without state leaves the cache for good.
  void BeforeErase(StateEntry& entry);
  void EndBundle();
  int64_t byte_size() const {
    return static_cast<int64_t>((changed_.capacity() + frozen_list_.capacity()) * sizeof(uint32_t));
  }

  // Whether the next snapshot has to hold everything, or holding it would be hardly longer.
  bool NextIsComplete(int64_t backend_keys) const;
  // Freeze what changed, or all of the cache and the rows of `scan` (may be null) but for those
  // with a timer up to `fired_ms`. Precondition: nothing is left of the Freeze before (WriteAll).
  void FreezeChanges(Done done);
  void FreezeAll(std::unique_ptr<StateBackendScan> scan, TimestampMs fired_ms, Done done);
  // As KeyedState::WriteFrozen.
  bool Write(int64_t max_bytes);
  // All that is left; what a storage that is too slow would make the process keep is given up.
  void WriteAll();
  // The process has no room for more copies until the storage has taken some: change nothing.
  bool held_up() const { return target_.backlog != nullptr && target_.backlog->too_long(); }
  // Drops the copies that wait, if the process is short of room for them: snapshots that need them
  // fail, and the next one holds everything.
  void GiveUpIfHeldUp();
  // Everything is in these files now: the next snapshot goes on from them.
  void GoOnFrom(const std::vector<StoredFile>& files, int64_t rows);

 private:
  uint16_t changed_flag() const {
    return odd_ ? StateEntry::kChangedOdd : StateEntry::kChangedEven;
  }
  uint16_t frozen_flag() const { return odd_ ? StateEntry::kChangedEven : StateEntry::kChangedOdd; }
  // Also of a slot that is free by now.
  bool IsFrozen(const StateEntry& entry) const {
    return (entry.flags_ & (frozen_flag() | StateEntry::kWrittenOdd)) != written_turn_ &&
           entry.key_offset_eights_ != 0;
  }
  SnapshotRow RowOf(StateEntry& entry) const;
  void CopyFrozen(StateEntry& entry);
  // The next entry of the snapshot under way that is not copied; null at the end. `steps` counts
  // down what was looked at.
  StateEntry* NextFrozen(int64_t& steps);
  void FinishFrozen();
  void CompactChanged();
  void StopTracking();
  SnapshotPartWriter& Next();
  std::unique_ptr<SnapshotPartWriter> NewWriter();
  void TurnOver();
  std::function<Status()> Settle() const;
  void GiveUp();
  int64_t CompleteBytes(int64_t backend_keys) const;

  const SnapshotTarget& target_;
  const SnapshotFileHeader header_;
  StateCache& cache_;
  const std::shared_ptr<SnapshotFileNames> names_;
  const std::shared_ptr<SnapshotChain> chain_ = std::make_shared<SnapshotChain>();
  const std::shared_ptr<std::atomic<bool>> given_up_ = std::make_shared<std::atomic<bool>>(false);

  bool odd_ = false;           // parity of Freezes
  uint16_t written_turn_ = 0;  // kWrittenOdd or 0

  // The snapshot to come.
  bool tracking_ = false;                     // it may be a delta: changes are listed
  std::vector<uint32_t> changed_;             // slots, some of them stale
  int64_t changed_entries_ = 0;               // those that are not
  std::unique_ptr<SnapshotPartWriter> next_;  // null until it has a row

  // The snapshot under way.
  std::unique_ptr<SnapshotPartWriter> frozen_;  // null: there is none
  bool sweeping_ = false;                       // it is complete: all of the cache; else the list
  std::vector<uint32_t> frozen_list_;
  size_t frozen_at_ = 0;
  EntryArena::Cursor sweep_;

  // Of all rows so far, to tell how long a complete snapshot would be.
  int64_t rows_ = 0, row_bytes_ = 0;
};

}  // namespace watershed
