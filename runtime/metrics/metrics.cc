#include "runtime/metrics/metrics.h"

#include <algorithm>
#include <cassert>

namespace watershed {

MetricGroup::MetricGroup(MetricRegistry* registry, MetricLabels labels)
    : registry_(registry), labels_(std::move(labels)) {
  if (registry_ == nullptr) return;
  const std::lock_guard lock(registry_->mutex_);
  registry_->groups_.push_back(this);
}

MetricGroup::~MetricGroup() { LeaveRegistry(); }

void MetricGroup::LeaveRegistry() {
  if (registry_ == nullptr) return;
  const std::lock_guard lock(registry_->mutex_);
  std::erase(registry_->groups_, this);
  registry_ = nullptr;
}

MetricGroup::Entry& MetricGroup::FindOrAdd(std::string_view name, const MetricLabels& extra) {
  MetricLabels labels = labels_;
  labels.insert(labels.end(), extra.begin(), extra.end());
  for (const auto& entry : entries_) {
    if (entry->name == name && entry->labels == labels) return *entry;
  }
  entries_.push_back(std::make_unique<Entry>());
  entries_.back()->name = name;
  entries_.back()->labels = std::move(labels);
  return *entries_.back();
}

Counter& MetricGroup::counter(std::string_view name, const MetricLabels& extra) {
  const std::lock_guard lock(mutex_);
  Entry& entry = FindOrAdd(name, extra);
  assert(!entry.gauge && !entry.callback);
  if (!entry.counter) entry.counter = std::make_unique<Counter>();
  return *entry.counter;
}

Gauge& MetricGroup::gauge(std::string_view name, const MetricLabels& extra) {
  const std::lock_guard lock(mutex_);
  Entry& entry = FindOrAdd(name, extra);
  assert(!entry.counter && !entry.callback);
  if (!entry.gauge) entry.gauge = std::make_unique<Gauge>();
  return *entry.gauge;
}

void MetricGroup::callback(std::string_view name, std::function<double()> value,
                           const MetricLabels& extra) {
  const std::lock_guard lock(mutex_);
  Entry& entry = FindOrAdd(name, extra);
  assert(!entry.counter && !entry.gauge);
  entry.callback = std::move(value);
}

std::vector<MetricSample> MetricRegistry::Collect() const {
  std::vector<MetricSample> samples;
  const std::lock_guard lock(mutex_);
  for (const MetricGroup* group : groups_) {
    const std::lock_guard group_lock(group->mutex_);
    for (const auto& entry : group->entries_) {
      double value = 0;
      if (entry->counter) value = static_cast<double>(entry->counter->value());
      if (entry->gauge) value = static_cast<double>(entry->gauge->value());
      if (entry->callback) value = entry->callback();
      samples.push_back({entry->name, entry->labels, value});
    }
  }
  return samples;
}

}  // namespace watershed
