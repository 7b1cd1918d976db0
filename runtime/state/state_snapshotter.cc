#include "runtime/state/state_snapshotter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/state/backend_snapshot.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

// Handed over and not written: above the first, slices wait; above the second, what the snapshot to
// come has already is given up, and it will be a complete one.
constexpr int64_t kEnoughUnwrittenBytes = int64_t{8} << 20;
constexpr int64_t kTooManyUnwrittenBytes = int64_t{32} << 20;
// A chain is cut when a restore would read this much more than a complete snapshot, or this many
// parts.
constexpr int64_t kChainFactor = 2;
constexpr int64_t kChainSlackBytes = int64_t{64} << 20;
constexpr size_t kMaxChainParts = 256;

constexpr size_t kPrefetchEntries = 12;
constexpr int64_t kStepBytes = 8;  // what looking at an entry in vain counts for
constexpr int64_t kRowOverheadBytes = 10;
constexpr int64_t kUnknownRowBytes = 64;

}  // namespace

StateSnapshotter::StateSnapshotter(const SnapshotTarget& target, const SnapshotFileHeader& header,
                                   StateCache& cache)
    : target_(target),
      header_(header),
      cache_(cache),
      names_(std::make_shared<SnapshotFileNames>(target.name_prefix)) {}

StateSnapshotter::~StateSnapshotter() { *given_up_ = true; }

uint16_t StateSnapshotter::settled_mask() const {
  const int changed = tracking_ ? changed_flag() : 0;
  return static_cast<uint16_t>(StateEntry::kDirty | frozen_flag() | StateEntry::kWrittenOdd |
                               changed);
}

uint16_t StateSnapshotter::settled_flags() const {
  const int changed = tracking_ ? changed_flag() : 0;
  return static_cast<uint16_t>(StateEntry::kDirty | written_turn_ | changed);
}

SnapshotRow StateSnapshotter::RowOf(StateEntry& entry) const {
  const std::span<char> value = entry.value();
  return {KeyGroupOfHash(entry.hash(), header_.max_parallelism),
          entry.key(),
          {value.data(), value.size()},
          entry.EarliestTimer()};
}

void StateSnapshotter::CopyFrozen(StateEntry& entry) {
  const SnapshotRow row = RowOf(entry);
  frozen_->Append(row);
  ++rows_;
  row_bytes_ += static_cast<int64_t>(row.key.size() + row.value.size()) + kRowOverheadBytes;
  const int kept = entry.flags_ & ~(frozen_flag() | StateEntry::kWrittenOdd);
  entry.flags_ = static_cast<uint16_t>(kept | written_turn_ | StateEntry::kInSnapshot);
}

void StateSnapshotter::BeforeChange(StateEntry& entry) {
  if (IsFrozen(entry)) CopyFrozen(entry);
  if (!tracking_ || (entry.flags_ & changed_flag())) return;
  if (IsPlanted(PlantedBug::kDirtySetLost)) return;
  entry.flags_ |= changed_flag();
  changed_.push_back(cache_.SlotOf(entry));
  ++changed_entries_;
}

void StateSnapshotter::BeforeEviction(StateEntry& entry) {
  if (IsFrozen(entry)) CopyFrozen(entry);
  if (!tracking_ || !(entry.flags_ & changed_flag())) return;
  --changed_entries_;
  Next().Append(RowOf(entry));
}

void StateSnapshotter::BeforeErase(StateEntry& entry) {
  if (!tracking_) return;
  if (entry.flags_ & changed_flag()) --changed_entries_;
  if (!(entry.flags_ & StateEntry::kInSnapshot)) return;
  SnapshotRow row{KeyGroupOfHash(entry.hash(), header_.max_parallelism), entry.key()};
  row.deleted = true;
  Next().Append(row);
}

void StateSnapshotter::EndBundle() {
  if (static_cast<int64_t>(changed_.size()) > 2 * changed_entries_ + 4096) CompactChanged();
  if (!next_) return;
  const int64_t unwritten = next_->unwritten_bytes();
  if (unwritten > kTooManyUnwrittenBytes || (unwritten > kSnapshotChunkBytes && held_up())) {
    StopTracking();
  }
}

// Slots of entries that have gone, or are listed twice because their slot was used again, leave.
void StateSnapshotter::CompactChanged() {
  const auto unlisted = static_cast<uint16_t>(~changed_flag());
  std::erase_if(changed_, [&](uint32_t slot) {
    StateEntry& entry = cache_.At(slot);
    if (!(entry.flags_ & changed_flag())) return true;
    entry.flags_ &= unlisted;
    return false;
  });
  for (const uint32_t slot : changed_) cache_.At(slot).flags_ |= changed_flag();
}

void StateSnapshotter::StopTracking() {
  tracking_ = false;
  changed_ = {};
  changed_entries_ = 0;
  next_.reset();
}

std::unique_ptr<SnapshotPartWriter> StateSnapshotter::NewWriter() {
  return std::make_unique<SnapshotPartWriter>(target_, header_, *names_, Settle());
}

SnapshotPartWriter& StateSnapshotter::Next() {
  if (!next_) next_ = NewWriter();
  return *next_;
}

// Weak: the files under way refer to it, and belong to the chain's parts. Written in vain or never,
// they must not keep the state's snapshots once the state has gone.
std::function<Status()> StateSnapshotter::Settle() const {
  return [weak = std::weak_ptr(chain_)]() -> Status {
    const std::shared_ptr<SnapshotChain> chain = weak.lock();
    return chain == nullptr ? Ok() : chain->Settle();
  };
}

int64_t StateSnapshotter::CompleteBytes(int64_t backend_keys) const {
  const int64_t row_bytes = rows_ == 0 ? kUnknownRowBytes : row_bytes_ / rows_;
  return (cache_.size() + backend_keys) * row_bytes;
}

bool StateSnapshotter::NextIsComplete(int64_t backend_keys) const {
  if (!tracking_ || chain_->broken()) return true;
  if (backend_keys == 0 && 2 * changed_entries_ >= cache_.size()) return true;
  if (chain_->size() >= kMaxChainParts) return true;
  return chain_->byte_size() > kChainFactor * CompleteBytes(backend_keys) + kChainSlackBytes;
}

void StateSnapshotter::TurnOver() {
  odd_ = !odd_;
  tracking_ = true;
  changed_entries_ = 0;
}

void StateSnapshotter::FreezeChanges(Done done) {
  chain_->DropEmpty();
  const bool any = next_ != nullptr || changed_entries_ > 0;
  const bool any_entries = changed_entries_ > 0;
  frozen_list_.swap(changed_);
  changed_.clear();
  frozen_at_ = 0;
  sweeping_ = false;
  TurnOver();
  if (!any) {
    chain_->Await(0, std::move(done));
    target_.post(Settle());
    return;
  }
  frozen_ = next_ ? std::move(next_) : NewWriter();
  chain_->Add(frozen_->part());
  chain_->Await(1, std::move(done));
  if (!any_entries) FinishFrozen();
}

void StateSnapshotter::FreezeAll(std::unique_ptr<StateBackendScan> scan, TimestampMs fired_ms,
                                 Done done) {
  StopTracking();
  chain_->Restart();
  size_t parts = 1;
  if (scan) {
    ++parts;
    chain_->Add(
        WriteBackend(std::move(scan), {target_, header_, names_, fired_ms, given_up_}, Settle()));
  }
  written_turn_ ^= StateEntry::kWrittenOdd;
  sweep_ = {};
  sweeping_ = true;
  TurnOver();
  frozen_ = NewWriter();
  chain_->Add(frozen_->part());
  chain_->Await(parts, std::move(done));
  if (cache_.size() == 0) FinishFrozen();
}

StateEntry* StateSnapshotter::NextFrozen(int64_t& steps) {
  if (sweeping_) {
    while (StateEntry* const entry = cache_.Next(sweep_)) {
      if (IsFrozen(*entry)) return entry;
      if (--steps <= 0) return entry;
    }
    return nullptr;
  }
  while (frozen_at_ < frozen_list_.size()) {
    if (frozen_at_ + kPrefetchEntries < frozen_list_.size()) {
      __builtin_prefetch(&cache_.At(frozen_list_[frozen_at_ + kPrefetchEntries]), 1);
    }
    StateEntry& entry = cache_.At(frozen_list_[frozen_at_++]);
    if (IsFrozen(entry)) return &entry;
    if (--steps <= 0) return &entry;
  }
  return nullptr;
}

bool StateSnapshotter::Write(int64_t max_bytes) {
  if (!frozen_ || frozen_->unwritten_bytes() > kEnoughUnwrittenBytes) return false;
  if (target_.backlog != nullptr && target_.backlog->long_enough()) return false;
  const int64_t before = row_bytes_;
  int64_t steps = max_bytes / kStepBytes + 1;
  while (steps > 0 && row_bytes_ - before < max_bytes) {
    StateEntry* const entry = NextFrozen(steps);
    if (entry == nullptr) {
      FinishFrozen();
      return false;
    }
    if (IsFrozen(*entry)) CopyFrozen(*entry);
  }
  return true;
}

void StateSnapshotter::WriteAll() {
  int64_t steps = std::numeric_limits<int64_t>::max();
  while (frozen_) {
    if (held_up()) GiveUp();
    StateEntry* const entry = NextFrozen(steps);
    if (entry == nullptr) {
      FinishFrozen();
    } else {
      CopyFrozen(*entry);
    }
  }
}

void StateSnapshotter::GiveUpIfHeldUp() {
  if (held_up()) GiveUp();
}

// Entries go on being passed over, as if they were copied, so that their marks stay in order.
void StateSnapshotter::GiveUp() {
  const MemoryAccount& account = target_.backlog->account();
  chain_->GiveUp({ErrorDomain::kExternal, true,
                  fmt::format("the checkpoint storage {} is too slow: {} bytes of keyed state wait "
                              "for it, and all tasks of this TaskManager may keep {}; raise "
                              "taskmanager.memory.process.size, or the interval of checkpoints",
                              target_.storage->uri(), target_.backlog->bytes(),
                              account.limits().of(MemoryShare::kSnapshots))});
  if (frozen_) frozen_->DropFile();
  target_.post(Settle());
}

void StateSnapshotter::FinishFrozen() {
  frozen_->Finish();
  frozen_.reset();
  frozen_list_.clear();
  target_.post(Settle());  // in case the last file, or all of none, was durable already
}

void StateSnapshotter::GoOnFrom(const std::vector<StoredFile>& files, int64_t rows) {
  chain_->Adopt(files);
  rows_ = rows;
  row_bytes_ = chain_->byte_size();
  tracking_ = true;
}

}  // namespace watershed
