#include "tests/sim/watermark_case.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/job/plan_lookup.h"
#include "tests/sim/judge.h"

namespace watershed::sim {
namespace {

constexpr int64_t kFirstMs = 1'700'000'000'000;
constexpr int kKeys = 12;
constexpr const char* kPulse = "free-pulse";
// Of virtual time; no fault lasts a tenth of it.
constexpr std::chrono::seconds kLongestPhase{60};

bool IsFree(std::string_view key) { return key.starts_with("free-"); }

std::string TextOf(const Row& row) {
  return fmt::format("{}|{}|{}|{}", row.key, row.id, row.value, row.time_ms);
}

}  // namespace

WatermarkCase::WatermarkCase(const Scenario& scenario, Outside* outside, Observer* observer)
    : settings_(*scenario.watermarks),
      scenario_(scenario),
      outside_(outside),
      observer_(observer),
      random_(scenario.seed * 2 + 1),
      reference_(scenario.sessions, scenario.window_ms) {
  for (const auto& [id, rows] : outside->splits) {
    splits_.push_back(id);
    newest_ms_[id] = kFirstMs + random_.Between(int64_t{0}, settings_.skew_ms);
  }
  // The whole of it, between two of them.
  newest_ms_[splits_.front()] = kFirstMs;
  newest_ms_[splits_.back()] = kFirstMs + settings_.skew_ms;
  if (settings_.skew_ms >= 3'600'000) ++features_["an hour of skew"];
  BeginPhase();
}

WatermarkCase::Seen WatermarkCase::Read(const v1::CheckpointManifest& manifest) {
  Seen seen;
  bool all_have = true;
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    for (const v1::SplitSnapshot& split : part.splits()) {
      seen.positions[split.split_id()] = static_cast<size_t>(split.next_position());
      if (split.has_watermark_ms()) {
        seen.split_watermarks_ms[split.split_id()] = split.watermark_ms();
      }
    }
    const v1::Vertex* vertex = FindVertex(manifest.plan(), part.vertex_id());
    const bool has_windows = std::ranges::any_of(
        vertex->nodes(), [](const v1::PlanNode& node) { return node.id() == "windows"; });
    if (!has_windows || SourceNode(*vertex) != nullptr) continue;
    all_have &= part.has_watermark_ms();
    seen.watermark_ms = std::min(seen.watermark_ms.value_or(INT64_MAX), part.watermark_ms());
  }
  if (!all_have) seen.watermark_ms.reset();
  return seen;
}

void WatermarkCase::OnManifest(const v1::CheckpointManifest& manifest) {
  if (done_) return;
  const Seen seen = Read(manifest);
  JudgeWatermarks(seen);
  const bool is_over = IsRead(seen) && HasPassed(seen);
  if (!is_over) {
    if (outside_->schedule().Steady() - phase_began_ > kLongestPhase) {
      observer_->Violate(
          "watermark-held",
          fmt::format("phase {}: all rows read: {}; the watermark is {} instead of {}", phase_,
                      IsRead(seen), seen.watermark_ms.value_or(-1), awaited_ms_.value_or(-1)));
      done_ = true;
    } else if (IsRead(seen) && settings_.idle_timeout_ms > 0) {
      Pulse();
    }
    return;
  }
  bounds_.low_ms = seen.watermark_ms.value_or(INT64_MIN);
  if (++phase_ == settings_.phases) {
    done_ = true;
  } else {
    BeginPhase();
  }
}

void WatermarkCase::JudgeWatermarks(const Seen& seen) {
  for (const auto& [split, position] : seen.positions) {
    const auto told = seen.split_watermarks_ms.find(split);
    const std::optional<int64_t> has = told == seen.split_watermarks_ms.end()
                                           ? std::nullopt
                                           : std::optional<int64_t>(told->second);
    const std::optional<int64_t> expected = MarkOf(split, position);
    if (has == expected) continue;
    observer_->Violate("split-watermark", fmt::format("{} at {}: {} instead of {}", split, position,
                                                      has.value_or(-1), expected.value_or(-1)));
  }
  const int64_t now_ms = seen.watermark_ms.value_or(INT64_MIN);
  const int64_t highest_ms = std::max(bounds_.low_ms, HighestMark(seen.positions));
  if (now_ms < bounds_.low_ms) {
    observer_->Violate("watermark-back", fmt::format("{} after {}", now_ms, bounds_.low_ms));
  }
  if (now_ms > highest_ms) {
    observer_->Violate("watermark-ahead", fmt::format("{}, but rows allow {}", now_ms, highest_ms));
  }
}

bool WatermarkCase::IsRead(const Seen& seen) const {
  return std::ranges::all_of(splits_, [&](const std::string& split) {
    const auto position = seen.positions.find(split);
    return position != seen.positions.end() &&
           position->second == outside_->splits.at(split).size();
  });
}

bool WatermarkCase::HasPassed(const Seen& seen) const {
  return !awaited_ms_ || seen.watermark_ms.value_or(INT64_MIN) >= *awaited_ms_;
}

std::optional<int64_t> WatermarkCase::MarkOf(const std::string& split, size_t position) const {
  const std::vector<Row>& rows = outside_->splits.at(split);
  std::optional<int64_t> newest_ms;
  for (size_t i = 0; i < position; ++i) {
    newest_ms = std::max(newest_ms.value_or(INT64_MIN), rows.at(i).time_ms);
  }
  if (!newest_ms) return std::nullopt;
  return *newest_ms - settings_.delay_ms;
}

std::optional<int64_t> WatermarkCase::MarkOf(const std::string& split) const {
  return MarkOf(split, outside_->splits.at(split).size());
}

int64_t WatermarkCase::HighestMark(const std::map<std::string, size_t>& positions) const {
  const bool any_may_be_idle = settings_.idle_timeout_ms > 0;
  int64_t least_ms = INT64_MAX;
  int64_t most_ms = INT64_MIN;
  for (const auto& [split, position] : positions) {
    const int64_t mark_ms = MarkOf(split, position).value_or(INT64_MIN);
    least_ms = std::min(least_ms, mark_ms);
    most_ms = std::max(most_ms, mark_ms);
  }
  return any_may_be_idle ? most_ms : least_ms;
}

void WatermarkCase::BeginPhase() {
  phase_began_ = outside_->schedule().Steady();
  owners_.clear();
  ChooseSpeakers();
  Advance();
  Probe();
  // Silent ones do not count, all others do.
  awaited_ms_.reset();
  for (const std::string& split : settings_.idle_timeout_ms > 0 ? speakers_ : splits_) {
    const std::optional<int64_t> mark_ms = MarkOf(split);
    if (!mark_ms) {
      awaited_ms_.reset();
      break;
    }
    awaited_ms_ = std::min(awaited_ms_.value_or(INT64_MAX), *mark_ms);
  }
}

void WatermarkCase::ChooseSpeakers() {
  speakers_ = splits_;
  // The watermark waits for one that has had no row, unless that counts as idle.
  if (settings_.begins_later && phase_ < 2 && splits_.size() > 1) {
    std::erase(speakers_, splits_.at(1));
    if (settings_.idle_timeout_ms == 0) return;
  } else if (settings_.begins_later && phase_ == 2) {
    ++features_["a partition empty at first"];
    return;
  }
  if (settings_.idle_timeout_ms == 0 || speakers_.size() < 2) return;
  if (!silent_.empty() && random_.Chance(500)) {
    speakers_.assign(silent_.begin(), silent_.end());  // alone, and behind the watermark
    silent_.clear();
    ++features_["a partition back from idleness"];
    return;
  }
  if (!random_.Chance(700)) {
    silent_.clear();
    return;
  }
  // The furthest, or some.
  const std::string furthest = *std::ranges::max_element(
      speakers_, {}, [&](const std::string& split) { return newest_ms_.at(split); });
  const bool alone = random_.Chance(600);
  std::erase_if(speakers_, [&](const std::string& split) {
    return split != furthest && (alone || random_.Chance(500));
  });
  silent_.clear();
  for (const std::string& split : splits_) {
    if (std::ranges::find(speakers_, split) == speakers_.end()) silent_.insert(split);
  }
  if (!silent_.empty()) ++features_["an idle partition"];
}

void WatermarkCase::Advance() {
  for (const std::string& split : speakers_) {
    newest_ms_[split] += random_.Between(int64_t{1}, 3 * scenario_.window_ms);
  }
  int64_t least_ms = INT64_MAX;
  int64_t most_ms = INT64_MIN;
  for (const std::string& split : splits_) {
    const bool speaks = std::ranges::find(speakers_, split) != speakers_.end();
    const int64_t mark_ms =
        speaks ? newest_ms_.at(split) - settings_.delay_ms : MarkOf(split).value_or(INT64_MIN);
    least_ms = std::min(least_ms, mark_ms);
    most_ms = std::max(most_ms, mark_ms);
  }
  bounds_.high_ms = std::max(bounds_.low_ms, settings_.idle_timeout_ms > 0 ? most_ms : least_ms);
  for (const std::string& split : speakers_) {
    const int64_t newest_ms = newest_ms_.at(split);
    const int64_t rows = random_.Between(int64_t{1}, int64_t{6});
    const int64_t which = random_.Below(rows);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t before_ms = i == which ? 0 : random_.Below(settings_.delay_ms + 1);
      Put(split, KeyFor(split), newest_ms - before_ms);
    }
  }
}

void WatermarkCase::Probe() {
  for (int64_t left = random_.Between(int64_t{10}, int64_t{30}); left > 0; --left) {
    const std::string split = random_.Pick(speakers_);
    const std::string key = KeyFor(split);
    const int64_t time_ms = ProbeTime(key);
    // None raises a watermark.
    if (time_ms > kFirstMs / 2 && time_ms <= newest_ms_.at(split)) Put(split, key, time_ms);
  }
}

// On an edge or one beside it: of the watermark's bounds, of a window, or of the gap between two.
int64_t WatermarkCase::ProbeTime(const std::string& key) {
  const int64_t width_ms = scenario_.window_ms;
  const int64_t beside_ms = random_.Between(int64_t{-1}, int64_t{1});
  const std::vector<WindowReference::Window>& windows = reference_.windows(key);
  const bool has_low = bounds_.low_ms != INT64_MIN;
  const bool has_high = bounds_.high_ms != INT64_MIN;
  const int64_t kind = random_.Below(6);
  if (kind == 0 && has_low) return bounds_.low_ms - width_ms + 1 + beside_ms;
  if (kind == 1 && has_high) return bounds_.high_ms - width_ms + 2 + beside_ms;
  if (windows.empty() || kind == 2) {
    return (has_high ? bounds_.high_ms : kFirstMs) + random_.Between(-2 * width_ms, 2 * width_ms);
  }
  const size_t last = windows.size() - 1;
  const size_t at = last - static_cast<size_t>(random_.Below(
                               std::min<int64_t>(3, static_cast<int64_t>(windows.size()))));
  if (kind == 3) return windows[at].end_ms + beside_ms;
  if (kind == 4) {  // a second one that a row can bridge to
    return windows[at].end_ms + random_.Between(int64_t{1}, width_ms);
  }
  if (at == 0) return windows[at].start_ms - width_ms + beside_ms;
  const int64_t first_ms = windows[at].start_ms - width_ms;
  const int64_t last_ms = windows[at - 1].end_ms;
  if (first_ms > last_ms) return first_ms + beside_ms;
  return random_.Pick<int64_t>({first_ms, last_ms, random_.Between(first_ms, last_ms)});
}

std::string WatermarkCase::KeyFor(const std::string& split) {
  for (int i = 0; i < 3; ++i) {
    std::string key = fmt::format("k{}", random_.Below(kKeys));
    const auto [owner, is_new] = owners_.try_emplace(key, split);
    if (owner->second == split) return key;
  }
  return fmt::format("free-{}", random_.Below(3));
}

void WatermarkCase::Put(const std::string& split, const std::string& key, int64_t time_ms) {
  Row row{key, 0, random_.Between(int64_t{1}, int64_t{1} << 40), time_ms};
  row.id = ++ids_;
  if (!IsFree(key)) {
    if (reference_.FateOf(row, bounds_).outcome == Outcome::kUndecided) {
      row.key = fmt::format("free-{}", random_.Below(3));
    } else {
      Note(row, reference_.Add(row, bounds_));
    }
  }
  Append(split, std::move(row));
}

void WatermarkCase::Append(const std::string& split, Row row) {
  ++features_[IsFree(row.key) ? "rows only counted" : "rows"];
  outside_->splits.at(split).push_back(std::move(row));
}

void WatermarkCase::Note(const Row& row, const WindowReference::Fate& fate) {
  const bool is_late = fate.outcome == Outcome::kLate;
  if (is_late) ++features_["late rows"];
  const int64_t last_ms =
      (scenario_.sessions ? row.time_ms : row.time_ms - row.time_ms % scenario_.window_ms) +
      scenario_.window_ms - 1;
  if (is_late && last_ms == bounds_.low_ms) ++features_["late by nothing"];
  if (fate.outcome == Outcome::kOpens && bounds_.high_ms != INT64_MIN &&
      last_ms == bounds_.high_ms + 1) {
    ++features_["just not late"];
  }
  if (!scenario_.sessions) return;
  if (fate.joined > 1) ++features_["bridges"];
  if (is_late && fate.touched > 1) ++features_["late bridges"];
  if (!is_late && fate.touched > 0) ++features_["touches a fired session"];
  if (fate.joined > 0 && fate.touched > 0) ++features_["half late bridges"];
  if (fate.outcome == Outcome::kJoins && last_ms <= bounds_.low_ms) {
    ++features_["late alone but joins"];
  }
}

// An active split says its watermark again; silent ones have had time to become idle meanwhile.
void WatermarkCase::Pulse() {
  for (const std::string& split : speakers_) {
    if (outside_->splits.at(split).empty()) continue;
    Append(split,
           {kPulse, ++ids_, random_.Between(int64_t{1}, int64_t{1} << 40), newest_ms_.at(split)});
  }
}

void WatermarkCase::Judge() {
  Scenario read = scenario_;
  read.splits = outside_->splits;
  JudgeRows(read, *outside_, *observer_);
  JudgeWindows();
  if (settings_.late_to_side_output) JudgeLate();
  JudgeFreeKeys();
  for (const auto& [sink, rows] : outside_->visible) {
    for (const auto& [text, count] : rows) {
      if (count > 1) {
        observer_->Violate("rows-repeated", fmt::format("{} times in {}: {}", count, sink, text));
      }
    }
  }
}

void WatermarkCase::JudgeWindows() {
  std::map<std::string, int> left = outside_->visible["results"];
  for (const auto& [key, windows] : reference_.all()) {
    for (const WindowReference::Window& window : windows) {
      const std::string text = fmt::format("{}|{}|{}|{}|{}", key, window.start_ms, window.end_ms,
                                           window.value.rows, window.value.sum);
      if (left.erase(text) == 0) observer_->Violate("window-missing", text);
    }
  }
  for (const auto& [text, count] : left) {
    if (!IsFree(text)) observer_->Violate("window-invented", text);
  }
}

void WatermarkCase::JudgeLate() {
  std::map<std::string, int> left = outside_->visible["late"];
  for (const Row& row : reference_.late()) {
    if (left.erase(TextOf(row)) == 0) observer_->Violate("late-missing", TextOf(row));
  }
  for (const auto& [text, count] : left) {
    if (!IsFree(text)) observer_->Violate("late-invented", text);
  }
}

// Whatever became of their rows: they are in a window or late, once.
void WatermarkCase::JudgeFreeKeys() {
  std::map<std::string, WindowValue> read;
  for (const auto& [split, rows] : outside_->splits) {
    for (const Row& row : rows) {
      if (!IsFree(row.key)) continue;
      ++read[row.key].rows;
      read[row.key].sum += row.value;
    }
  }
  std::map<std::string, WindowValue> seen;
  for (const auto& [text, count] : outside_->visible["results"]) {
    const std::vector<std::string_view> cells = Cells(text);
    if (!IsFree(text)) continue;
    seen[std::string(cells.at(0))].rows += count * Number(cells.at(3));
    seen[std::string(cells.at(0))].sum += count * Number(cells.at(4));
  }
  for (const auto& [text, count] : outside_->visible["late"]) {
    const std::vector<std::string_view> cells = Cells(text);
    if (!IsFree(text)) continue;
    seen[std::string(cells.at(0))].rows += count;
    seen[std::string(cells.at(0))].sum += count * Number(cells.at(2));
  }
  for (const auto& [key, value] : read) {
    const WindowValue& has = seen[key];
    // Those that were dropped are counted by nobody but a metric, which a restart begins anew.
    const bool is_right = settings_.late_to_side_output ? has == value : has.rows <= value.rows;
    if (is_right) continue;
    observer_->Violate("not-conserved", fmt::format("{}: {} rows, sum {} of {} rows, sum {}", key,
                                                    has.rows, has.sum, value.rows, value.sum));
  }
}

}  // namespace watershed::sim
