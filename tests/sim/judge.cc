#include "tests/sim/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace watershed::sim {
std::vector<std::string_view> Cells(std::string_view row) {
  std::vector<std::string_view> cells;
  for (size_t begin = 0; begin <= row.size();) {
    const size_t end = std::min(row.find('|', begin), row.size());
    cells.push_back(row.substr(begin, end - begin));
    begin = end + 1;
  }
  return cells;
}

int64_t Number(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

namespace {

using Visible = std::map<std::string, int>;

const Visible& In(const Outside& outside, const std::string& sink) {
  static const Visible kNone;
  const auto found = outside.visible.find(sink);
  return found == outside.visible.end() ? kNone : found->second;
}

// A window whose value is wrong is told from the expected one that it overlaps.
void JudgeWindow(const WindowKey& window, const WindowValue& value,
                 const std::map<WindowKey, WindowValue>& expected,
                 std::map<WindowKey, WindowValue>& unseen, Observer& observer) {
  const auto exact = expected.find(window);
  if (exact != expected.end() && exact->second == value) {
    unseen.erase(window);
    return;
  }
  const std::string text = fmt::format("{} [{}, {}): {} rows, sum {}", window.key, window.start_ms,
                                       window.end_ms, value.rows, value.sum);
  bool overlaps = false;
  for (auto at = expected.lower_bound({window.key, INT64_MIN, INT64_MIN});
       at != expected.end() && at->first.key == window.key; ++at) {
    if (at->first.end_ms <= window.start_ms || at->first.start_ms >= window.end_ms) continue;
    overlaps = true;
    unseen.erase(at->first);
    observer.Violate(value.rows > at->second.rows ? "window-too-high" : "window-too-low",
                     fmt::format("{}, expected [{}, {}): {} rows, sum {}", text, at->first.start_ms,
                                 at->first.end_ms, at->second.rows, at->second.sum));
  }
  if (!overlaps) observer.Violate("window-invented", text);
}

void JudgeRowsOf(const Pipeline& pipeline, const Scenario& scenario, const Outside& outside,
                 Observer& observer) {
  Visible left = In(outside, pipeline.rows);
  for (const auto& [split, rows] : scenario.splits_of(pipeline)) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const Row& row = rows[i];
      const std::string text = fmt::format("{}|{}|{}|{}", row.key, row.id, row.value, row.time_ms);
      if (left.erase(text) == 0) {
        observer.Violate("rows-lost", fmt::format("row {} of split {} is not in '{}': {}", i, split,
                                                  pipeline.rows, text));
      }
    }
  }
  for (const auto& [text, count] : left) observer.Violate("rows-invented", text);
}

void JudgeWindowsOf(const Pipeline& pipeline, const Scenario& scenario, const Outside& outside,
                    Observer& observer) {
  const std::map<WindowKey, WindowValue> expected =
      ExpectedWindows(scenario, scenario.splits_of(pipeline));
  std::map<WindowKey, WindowValue> unseen = expected;
  for (const auto& [text, count] : In(outside, pipeline.results)) {
    const std::vector<std::string_view> cells = Cells(text);
    const WindowKey window{std::string(cells.at(0)), Number(cells.at(1)), Number(cells.at(2))};
    JudgeWindow(window, {Number(cells.at(3)), Number(cells.at(4))}, expected, unseen, observer);
  }
  for (const auto& [window, value] : unseen) {
    observer.Violate("window-missing",
                     fmt::format("{} [{}, {}): {} rows, not in '{}'", window.key, window.start_ms,
                                 window.end_ms, value.rows, pipeline.results));
  }
}

}  // namespace

void JudgeRows(const Scenario& scenario, const Outside& outside, Observer& observer) {
  for (const Pipeline& pipeline : scenario.pipelines) {
    if (!pipeline.rows.empty()) JudgeRowsOf(pipeline, scenario, outside, observer);
  }
}

void Judge(const Scenario& scenario, const Outside& outside, Observer& observer) {
  JudgeRows(scenario, outside, observer);
  for (const Pipeline& pipeline : scenario.pipelines) {
    if (!pipeline.results.empty()) JudgeWindowsOf(pipeline, scenario, outside, observer);
  }
  for (const auto& [text, count] : In(outside, "late")) observer.Violate("late", text);
  for (const auto& [sink, rows] : outside.visible) {
    for (const auto& [text, count] : rows) {
      if (count > 1) {
        observer.Violate("rows-repeated", fmt::format("{} times in {}: {}", count, sink, text));
      }
    }
  }
}

}  // namespace watershed::sim
