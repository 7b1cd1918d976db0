// Random streams against a reference that keeps every event and recomputes: arrival orders, gaps,
// sizes, offsets, lateness, nulls. The seed of a failure is in its trace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/support/rows.h"
#include "tests/unit/operators/window_cases.h"

namespace watershed::test {
namespace {

struct Event {
  std::string ip;
  bool null_ip = false;
  int64_t t = 0;
  std::optional<int64_t> l;
};

struct Stream {
  std::vector<Item> items;
  // In the order of arrival; an event or, in its absence, a watermark.
  std::vector<std::pair<std::optional<Event>, TimestampMs>> script;
};

// Events drift forward in time with disorder; watermarks lag by a delay that is sometimes too
// short.
Stream RandomStream(std::mt19937& random) {
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  Stream stream;
  const int64_t keys = 1 + below(6);
  const int64_t disorder = 1 + below(60);
  const int64_t delay = below(disorder + 10);
  const int64_t step = 1 + below(15);
  int64_t now = below(200) - 100;
  int64_t highest = now - 1000;
  for (int batches = 3 + static_cast<int>(below(8)); batches > 0; --batches) {
    std::vector<Row> rows;
    for (int64_t i = below(12); i >= 0; --i) {
      now += below(step);
      Event event;
      event.null_ip = below(12) == 0;
      event.ip = event.null_ip ? "NULL" : fmt::format("ip{}", below(keys));
      event.t = now - below(disorder);
      if (below(4) != 0) event.l = below(100) - 50;
      highest = std::max(highest, event.t);
      rows.push_back({event.null_ip ? Cell(nullptr) : Cell(event.ip), nullptr, event.t, nullptr,
                      event.l ? Cell(*event.l) : Cell(nullptr), nullptr});
      stream.script.emplace_back(event, 0);
    }
    stream.items.emplace_back(MakeBatch(EventSchema(), rows));
    if (below(2) == 0) {
      stream.items.emplace_back(WatermarkItem{highest - delay});
      stream.script.emplace_back(std::nullopt, highest - delay);
    }
  }
  stream.script.emplace_back(std::nullopt, kMaxWatermarkMs);
  return stream;
}

int64_t FloorTo(int64_t t, int64_t size, int64_t offset) {
  int64_t start = offset;
  while (start > t) start -= size;
  while (start + size <= t) start += size;
  return start;
}

// Windows of one key that have not fired, each with the events in it.
struct ReferenceWindow {
  int64_t start, end;
  std::vector<Event> events;
};

class Reference {
 public:
  explicit Reference(const v1::WindowAggregate& aggregate) : window_(aggregate.window()) {}

  HarnessResult Run(const Stream& stream) {
    for (const auto& [event, watermark] : stream.script) {
      if (event) {
        Add(*event);
      } else {
        watermark_ = std::max(watermark_, watermark);
        Fire();
      }
    }
    std::sort(result_.rows.begin(), result_.rows.end());
    return result_;
  }

 private:
  void Add(const Event& event) {
    std::vector<ReferenceWindow>& open = open_[event.ip];
    ReferenceWindow merged = WindowOf(event);
    std::vector<ReferenceWindow> apart;
    for (ReferenceWindow& other : open) {
      const bool same = window_.has_session()
                            ? other.start <= merged.end && merged.start <= other.end
                            : other.start == merged.start;
      if (!same) {
        apart.push_back(std::move(other));
        continue;
      }
      merged.start = std::min(merged.start, other.start);
      merged.end = std::max(merged.end, other.end);
      merged.events.insert(merged.events.end(), other.events.begin(), other.events.end());
    }
    open = std::move(apart);
    if (merged.end - 1 > watermark_) {
      open.push_back(std::move(merged));
    } else {
      ++result_.late_dropped;  // alone: what is open has not fired, so neither has its union
    }
  }

  ReferenceWindow WindowOf(const Event& event) const {
    if (window_.has_session()) return {event.t, event.t + window_.session().gap_ms(), {event}};
    const int64_t size = window_.tumbling().size_ms();
    const int64_t start = FloorTo(event.t, size, window_.tumbling().offset_ms());
    return {start, start + size, {event}};
  }

  void Fire() {
    for (auto& [ip, open] : open_) {
      std::erase_if(open, [&, ip = ip](const ReferenceWindow& window) {
        if (window.end - 1 > watermark_) return false;
        result_.rows.push_back(Describe(ip, window));
        return true;
      });
    }
  }

  // ip, start, end, COUNT(*), COUNT(l), SUM(l), MIN(l), MAX(l), AVG(l).
  static std::string Describe(const std::string& ip, const ReferenceWindow& window) {
    std::vector<int64_t> values;
    for (const Event& event : window.events) {
      if (event.l) values.push_back(*event.l);
    }
    std::string row = fmt::format("{}|{}|{}|{}|{}", ip, window.start, window.end,
                                  window.events.size(), values.size());
    if (values.empty()) return row + "|NULL|NULL|NULL|NULL";
    int64_t sum = 0;
    for (const int64_t value : values) sum += value;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return row +
           fmt::format("|{}|{}|{}|{}", sum, *low, *high, sum / static_cast<int64_t>(values.size()));
  }

  const v1::Window window_;
  std::map<std::string, std::vector<ReferenceWindow>> open_;
  TimestampMs watermark_ = kMinWatermarkMs;
  HarnessResult result_;
};

void AddCalls(v1::WindowAggregate& aggregate) {
  AddCall(aggregate, v1::AggregateCall::COUNT_STAR);
  for (const auto function :
       {v1::AggregateCall::COUNT, v1::AggregateCall::SUM, v1::AggregateCall::MIN,
        v1::AggregateCall::MAX, v1::AggregateCall::AVG}) {
    AddCall(aggregate, function, "l");
  }
}

constexpr unsigned kStreams = 6;         // in all variants of the harness
constexpr unsigned kPlainStreams = 400;  // in the plain one

HarnessVariant Plain() { return AllVariants().front(); }

void Compare(const HarnessResult& actual, const HarnessResult& expected) {
  ASSERT_EQ(actual.rows, expected.rows);
  ASSERT_EQ(actual.late_dropped, expected.late_dropped);
}

TEST(WindowProperty, SessionsAgreeWithTheReference) {
  for (unsigned seed = 0; seed < kPlainStreams; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    v1::WindowAggregate aggregate = SessionBy({"ip"}, 1 + static_cast<int64_t>(random() % 30));
    AddCalls(aggregate);
    const Stream stream = RandomStream(random);
    OperatorCase tested = SingleCase(aggregate);
    tested.items = stream.items;
    const HarnessResult expected = Reference(aggregate).Run(stream);
    ASSERT_NO_FATAL_FAILURE(Compare(RunVariant(tested, Plain()), expected));
    if (seed >= kStreams) continue;
    ASSERT_NO_FATAL_FAILURE(Compare(RunAllVariants(tested), expected));
  }
}

TEST(WindowProperty, TumblingWindowsAgreeWithTheReference) {
  for (unsigned seed = 0; seed < kPlainStreams; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const int64_t size = 1 + static_cast<int64_t>(random() % 40);
    v1::WindowAggregate aggregate =
        TumbleBy({"ip"}, size, static_cast<int64_t>(random() % 100) - 50);
    AddCalls(aggregate);
    const Stream stream = RandomStream(random);
    const HarnessResult expected = Reference(aggregate).Run(stream);
    for (OperatorCase tested : {SingleCase(aggregate), LocalGlobalCase(aggregate)}) {
      tested.items = stream.items;
      ASSERT_NO_FATAL_FAILURE(Compare(RunVariant(tested, Plain()), expected));
      if (seed >= kStreams) continue;
      ASSERT_NO_FATAL_FAILURE(Compare(RunAllVariants(tested), expected));
    }
  }
}

}  // namespace
}  // namespace watershed::test
