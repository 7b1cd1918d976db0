#include "tests/golden/many_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace watershed::golden {
namespace {

constexpr int kPortions = 9;
constexpr int64_t kPortionMs = 10'000;  // of event time, about
constexpr int64_t kGapMs = 30'000;
constexpr int64_t kWindowMs = 27'000;  // none ends with a portion

struct Row {
  std::string key;
  int64_t time_ms;
  int64_t value;
};

struct Window {
  int64_t rows = 0;
  int64_t sum = 0;
  int64_t least = INT64_MAX;
  void Add(const Row& row) {
    ++rows;
    sum += row.value;
    least = std::min(least, row.value);
  }
};
struct Bounds {
  std::string key;
  int64_t start_ms, end_ms;
  auto operator<=>(const Bounds&) const = default;
};

// Any number below `bound`, the same for the same two.
int64_t Mixed(int64_t one, int64_t other, int64_t bound) {
  uint64_t mixed = static_cast<uint64_t>(one) * 1'000'003 + static_cast<uint64_t>(other);
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  return static_cast<int64_t>(((mixed ^ (mixed >> 27)) >> 8) % static_cast<uint64_t>(bound));
}

std::string TimeText(int64_t time_ms) {
  return fmt::format("1970-01-01 00:{:02}:{:02}.{:03}", time_ms / 60'000, time_ms / 1000 % 60,
                     time_ms % 1000);
}

std::string Payload(const Row& row) {
  return fmt::format(R"({{"k": "{}", "v": {}, "t": {}}})", row.key, row.value, row.time_ms);
}

Lines RowsOf(const std::map<Bounds, Window>& windows) {
  Lines lines;
  for (const auto& [bounds, window] : windows) {
    lines.push_back(fmt::format(
        R"({{"k": "{}", "window_start": "{}", "window_end": "{}", "n": {}, "total": {}, "least": {}}})",
        bounds.key, TimeText(bounds.start_ms), TimeText(bounds.end_ms), window.rows, window.sum,
        window.least));
  }
  return Normalised(lines);
}

std::string Job(const std::string& window, const std::string& delay) {
  return fmt::format(R"(kind: Job
name: many-keys
sources:
  events:
    connector: lines
    format: json
    columns: {{ k: string, v: bigint, t: {{ type: timestamp, epoch: ms }} }}
    watermark: {{ column: t, delay: {} }}
operators:
  w:
    input: events
    {}
    key: [k]
    aggregate: {{ n: count(*), total: sum(v), least: min(v) }}
sinks:
  out: {{ input: w, connector: collect }}
)",
                     delay, window);
}

// Three a key, in thirds of the time: some nearer to each other than the gap, some not.
std::vector<Row> SessionRows() {
  constexpr int64_t kThirds[] = {0, 2, 5, kPortions};
  std::vector<Row> rows;
  for (int key = 0; key < kManyKeys; ++key) {
    for (int third = 0; third < 3; ++third) {
      const int64_t from_ms = kThirds[third] * kPortionMs;
      const int64_t length_ms = (kThirds[third + 1] - kThirds[third]) * kPortionMs;
      rows.push_back({ManyKey(key), from_ms + Mixed(key, third, length_ms),
                      Mixed(key, third + 3, 1000) - 100});
    }
  }
  return rows;
}

std::map<Bounds, Window> Sessions(const std::vector<Row>& in_order) {
  std::map<std::string, std::vector<Row>> by_key;
  for (const Row& row : in_order) by_key[row.key].push_back(row);
  std::map<Bounds, Window> windows;
  for (const auto& [key, rows] : by_key) {
    for (size_t first = 0; first < rows.size();) {
      size_t last = first;
      while (last + 1 < rows.size() && rows[last + 1].time_ms - rows[last].time_ms <= kGapMs)
        ++last;
      Window& window = windows[{key, rows[first].time_ms, rows[last].time_ms + kGapMs}];
      for (; first <= last; ++first) window.Add(rows[first]);
    }
  }
  return windows;
}

}  // namespace

std::string ManyKey(int key) { return fmt::format("key-{}", key); }

GoldenCase ManyKeysInSessions() {
  std::vector<Row> rows = SessionRows();
  const auto by_time = [](const Row& row) { return row.time_ms; };
  std::ranges::stable_sort(rows, {}, by_time);
  GoldenCase golden;
  golden.name = "many_keys_in_sessions";
  golden.job = Job("type: session-window\n    gap: 30s", "10s");
  golden.portions = kPortions;
  golden.rows["out"] = RowsOf(Sessions(rows));
  // Up to 5 s out of order.
  std::ranges::stable_sort(
      rows, {}, [](const Row& row) { return row.time_ms + Mixed(row.time_ms, row.value, 5000); });
  auto& partitions = golden.input["events"];
  partitions.resize(4);
  for (const Row& row : rows) {
    partitions[static_cast<size_t>(Mixed(row.value, row.time_ms, 4))].push_back(Payload(row));
  }
  return golden;
}

GoldenCase ManyKeysWithLateRows() {
  // So many that two portions have every key.
  constexpr int kRows = kManyKeys / 2;
  GoldenCase golden;
  golden.name = "many_keys_with_late_rows";
  golden.job = Job("type: tumbling-window\n    size: 27s", "2s");
  golden.portions = kPortions;
  golden.order_matters = true;
  Lines& lines = golden.input["events"].emplace_back();
  std::map<Bounds, Window> windows;
  for (int portion = 0; portion < kPortions; ++portion) {
    for (int i = 0; i < kRows; ++i) {
      const int number = portion * kRows + i;
      // Out of order by less than the delay, so that only portions before this one make late.
      const int64_t disorder_ms = Mixed(number, 0, 1500);
      Row row{ManyKey(number * 5 % kManyKeys),
              std::max<int64_t>(portion * kPortionMs + i * kPortionMs / kRows - disorder_ms, 0),
              Mixed(number, 1, 1000) - 100};
      // The first window that is open when the portion begins; what is late is for the one before.
      const int64_t open_ms = (portion * kPortionMs - 4000) / kWindowMs * kWindowMs;
      const bool is_late = open_ms > 0 && i % 16 == 0;
      if (is_late) row.time_ms = open_ms - 1 - Mixed(number, 2, kWindowMs);
      lines.push_back(Payload(row));
      if (is_late) {
        ++golden.late;
        continue;
      }
      const int64_t start_ms = row.time_ms - row.time_ms % kWindowMs;
      windows[{row.key, start_ms, start_ms + kWindowMs}].Add(row);
    }
  }
  golden.rows["out"] = RowsOf(windows);
  return golden;
}

}  // namespace watershed::golden
