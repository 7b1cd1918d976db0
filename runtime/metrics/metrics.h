// Counters and gauges that the hot path may touch: relaxed atomics, written by one thread, read by
// whoever scrapes. No exporter's header here; metrics/prometheus.h turns them into text.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watershed {

class Counter {
 public:
  // Single writer: a plain add, without a locked instruction.
  void Add(int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  // For counters that several threads share.
  void AddShared(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

struct MetricSample {
  std::string name;
  MetricLabels labels;
  double value = 0;
};

class MetricRegistry;

// Metrics of one thing (a task, an operator) that share its labels; they leave the registry when
// the group is destroyed. Registration takes a lock; the returned references live as long as the
// group. A null registry is allowed (tests): the metrics work and are not exported.
class MetricGroup {
 public:
  MetricGroup(MetricRegistry* registry, MetricLabels labels);
  ~MetricGroup();
  // Leaves the registry before the destructor does: for a group whose end nobody waits for. Its
  // metrics stay usable, and the registry may go.
  void LeaveRegistry();
  MetricGroup(const MetricGroup&) = delete;
  MetricGroup& operator=(const MetricGroup&) = delete;

  // `name` is the full exported name, Flink's where Flink has one (metrics/names.h). The same name
  // and labels give the same metric. `extra` labels distinguish series ("topic", "partition").
  Counter& counter(std::string_view name, const MetricLabels& extra = {});
  Gauge& gauge(std::string_view name, const MetricLabels& extra = {});
  // A value computed when scraped, on the scraping thread, under the registry's lock: it must be
  // quick and must not touch the registry. Once the group's destructor has returned it is not
  // called again. Registering the same name and labels again replaces it.
  void callback(std::string_view name, std::function<double()> value,
                const MetricLabels& extra = {});

 private:
  friend class MetricRegistry;
  struct Entry {
    std::string name;
    MetricLabels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::function<double()> callback;
  };
  Entry& FindOrAdd(std::string_view name, const MetricLabels& extra);

  MetricRegistry* registry_;
  MetricLabels labels_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

// All metrics of a process. Thread-safe. Outlives its groups, apart from those that have left.
class MetricRegistry {
 public:
  std::vector<MetricSample> Collect() const;

 private:
  friend class MetricGroup;
  mutable std::mutex mutex_;
  std::vector<MetricGroup*> groups_;
};

}  // namespace watershed
