#include "tests/sim/window_reference.h"

#include <algorithm>

namespace watershed::sim {
namespace {

// A window fires with the watermark that has reached its last millisecond.
bool HasFired(const WindowReference::Window& window, WindowReference::Bounds bounds) {
  return window.end_ms <= bounds.low_ms + 1 && bounds.low_ms != INT64_MIN;
}
bool IsOpen(const WindowReference::Window& window, WindowReference::Bounds bounds) {
  return bounds.high_ms == INT64_MIN || window.end_ms > bounds.high_ms + 1;
}

}  // namespace

WindowReference::Window WindowReference::Assign(const Row& row) const {
  const int64_t start_ms = sessions_ ? row.time_ms : row.time_ms - row.time_ms % width_ms_;
  return {start_ms, start_ms + width_ms_, {1, row.value}};
}

bool WindowReference::Touch(const Window& a, const Window& b) const {
  if (!sessions_) return a.start_ms == b.start_ms;
  return a.start_ms <= b.end_ms && b.start_ms <= a.end_ms;
}

WindowReference::Fate WindowReference::FateOf(const Row& row, Bounds bounds) const {
  const Window own = Assign(row);
  Fate fate;
  bool is_undecided = false;
  for (const Window& window : windows(row.key)) {
    if (!Touch(own, window)) continue;
    const bool is_open = IsOpen(window, bounds);
    const bool has_fired = HasFired(window, bounds);
    fate.joined += is_open;
    fate.touched += has_fired;
    is_undecided |= !is_open && !has_fired;
  }
  if (is_undecided) return fate;
  if (fate.joined > 0) {
    fate.outcome = Outcome::kJoins;
  } else if (IsOpen(own, bounds)) {
    fate.outcome = Outcome::kOpens;
  } else if (HasFired(own, bounds)) {
    fate.outcome = Outcome::kLate;
  }
  return fate;
}

WindowReference::Fate WindowReference::Add(const Row& row, Bounds bounds) {
  const Fate fate = FateOf(row, bounds);
  if (fate.outcome == Outcome::kLate) {
    late_.push_back(row);
    return fate;
  }
  Window merged = Assign(row);
  std::vector<Window> others;
  for (const Window& window : windows(row.key)) {
    if (!IsOpen(window, bounds) || !Touch(Assign(row), window)) {
      others.push_back(window);
      continue;
    }
    merged.start_ms = std::min(merged.start_ms, window.start_ms);
    merged.end_ms = std::max(merged.end_ms, window.end_ms);
    merged.value.rows += window.value.rows;
    merged.value.sum += window.value.sum;
  }
  others.push_back(merged);
  std::ranges::sort(others, {}, &Window::start_ms);
  windows_[row.key] = std::move(others);
  return fate;
}

const std::vector<WindowReference::Window>& WindowReference::windows(const std::string& key) const {
  static const std::vector<Window> kNone;
  const auto found = windows_.find(key);
  return found == windows_.end() ? kNone : found->second;
}

}  // namespace watershed::sim
