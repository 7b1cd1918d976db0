// Snapshots: what the snapshotter (state_snapshotter.h) must be told, and the backend's part.
#include <utility>

#include "runtime/state/cached_keyed_state.h"

namespace watershed {

StateEntry* CachedKeyedState::InsertEntry(uint64_t hash, std::string_view key) {
  StateEntry* const entry = cache_.Insert(hash, key);
  if (entry != nullptr && snapshots_) entry->flags_ |= snapshots_->new_entry_flags();
  return entry;
}

void CachedKeyedState::UpdateSettled() {
  settled_mask_ = snapshots_->settled_mask();
  settled_flags_ = snapshots_->settled_flags();
}

void CachedKeyedState::Freeze(std::function<Status(Result<KeyedStateFiles>)> done) {
  Status frozen = FreezeNow(done);
  if (frozen || !done) return;
  const auto fail = [done = std::move(done), error = std::move(frozen).error()] {
    return done(tl::make_unexpected(error));
  };
  if (spec_.snapshots != nullptr) spec_.snapshots->post(fail);
}

// Takes `done` over unless it fails.
Status CachedKeyedState::FreezeNow(std::function<Status(Result<KeyedStateFiles>)>& done) {
  if (!snapshots_) return InternalError("keyed state: a snapshot without a place for its files");
  snapshots_->WriteAll();
  if (!snapshots_->NextIsComplete(backend_keys_)) {
    snapshots_->FreezeChanges(std::exchange(done, nullptr));
  } else {
    std::unique_ptr<StateBackendScan> scan;
    if (backend_keys_ > 0) {
      // Deletes that wait would come too late for the scan.
      deferred_.MoveTo(pending_);
      WS_RETURN_IF_ERROR(WritePending());
      scan = backend_->Scan();
    }
    snapshots_->FreezeAll(std::move(scan), fired_ms_, std::exchange(done, nullptr));
  }
  UpdateSettled();
  return Ok();
}

bool CachedKeyedState::WriteFrozen(int64_t max_bytes) {
  return snapshots_ && snapshots_->Write(max_bytes);
}

}  // namespace watershed
