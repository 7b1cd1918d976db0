#include "jobmanager/cluster/task_manager_registry.h"

#include <algorithm>
#include <utility>

namespace watershed {

TaskManagerEntry& TaskManagerRegistry::Add(const v1::RegisterTaskManagerRequest& info,
                                           std::shared_ptr<TaskManagerGateway> gateway) {
  TaskManagerEntry& entry = entries_[info.task_manager_id()];
  entry = TaskManagerEntry{};
  entry.info = info;
  entry.registration = ++last_registration_;
  entry.gateway = std::move(gateway);
  return entry;
}

TaskManagerEntry* TaskManagerRegistry::Find(const std::string& id) {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

std::vector<std::string> TaskManagerRegistry::Silent(std::chrono::nanoseconds now,
                                                     std::chrono::nanoseconds timeout) const {
  std::vector<std::string> silent;
  for (const auto& [id, entry] : entries_) {
    if (now - entry.last_heard >= timeout) silent.push_back(id);
  }
  return silent;
}

void TaskManagerRegistry::Forgive(std::chrono::nanoseconds duration, std::chrono::nanoseconds now) {
  for (auto& [id, entry] : entries_) entry.last_heard = std::min(now, entry.last_heard + duration);
}

}  // namespace watershed
