#include "runtime/state/backend_index.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace watershed {

bool BackendIndex::MayContain(uint64_t hash, TimestampMs timer_ms) const {
  if (!enabled_) return true;
  if (cells_.empty()) return false;
  const uint32_t tag = TagOf(hash);
  const uint32_t check = CheckOf(timer_ms);
  for (size_t at = Home(tag); cells_[at].check != 0; at = Next(at)) {
    if (cells_[at].tag == tag && cells_[at].check == check) return true;
  }
  return false;
}

int64_t BackendIndex::NextByteSize() const {
  // At most 3/4 full.
  const bool grows = (size_ + 1) * 4 > cells_.size() * 3;
  return grows ? static_cast<int64_t>(std::max(kMinCells, cells_.size() * 2) * sizeof(Cell))
               : byte_size();
}

size_t BackendIndex::LongestRun() const {
  size_t longest = 0;
  size_t run = 0;
  for (size_t i = 0; i < 2 * cells_.size() && run < cells_.size(); ++i) {  // runs go round the end
    run = cells_[i % cells_.size()].check == 0 ? 0 : run + 1;
    longest = std::max(longest, run);
  }
  return longest;
}

void BackendIndex::Place(Cell cell) {
  size_t at = Home(cell.tag);
  while (cells_[at].check != 0) at = Next(at);
  cells_[at] = cell;
}

void BackendIndex::Insert(uint64_t hash, TimestampMs timer_ms) {
  if (!enabled_) return;
  if (const int64_t bytes = NextByteSize(); bytes != byte_size()) {
    Rehash(static_cast<size_t>(bytes) / sizeof(Cell));
  }
  Place({TagOf(hash), CheckOf(timer_ms)});
  ++size_;
}

void BackendIndex::Erase(uint64_t hash, TimestampMs timer_ms) {
  if (!enabled_) return;
  const uint32_t tag = TagOf(hash);
  const uint32_t check = CheckOf(timer_ms);
  size_t hole = Home(tag);
  while (cells_[hole].tag != tag || cells_[hole].check != check) {
    if (cells_[hole].check == 0) return;
    hole = Next(hole);
  }
  // Backward shift, as in EntryTable.
  const size_t mask = cells_.size() - 1;
  for (size_t at = Next(hole); cells_[at].check != 0; at = Next(at)) {
    const size_t home = Home(cells_[at].tag);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    cells_[hole] = cells_[at];
    hole = at;
  }
  cells_[hole] = Cell{};
  --size_;
  if (cells_.size() > kMinCells && size_ * 8 < cells_.size()) Rehash(cells_.size() / 2);
}

void BackendIndex::Disable() {
  enabled_ = false;
  cells_ = {};
  size_ = 0;
}

void BackendIndex::Rehash(size_t cells) {
  const std::vector<Cell> old = std::exchange(cells_, std::vector<Cell>(cells));
  shift_ = 32 - std::countr_zero(cells);
  for (const Cell& cell : old) {
    if (cell.check != 0) Place(cell);
  }
}

}  // namespace watershed
