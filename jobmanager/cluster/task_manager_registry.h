// The TaskManagers that are registered, and when each was last heard of. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jobmanager/cluster/task_manager_gateway.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

struct TaskManagerEntry {
  v1::RegisterTaskManagerRequest info;
  int64_t registration = 0;  // rises with every registration, so that an old stream's end is known
  std::shared_ptr<TaskManagerGateway> gateway;
  std::chrono::nanoseconds last_heard{0};  // steady clock
  int64_t last_heard_ms = 0;               // wall clock, to show
  bool leaving = false;                    // gets no more tasks
  // As the last heartbeat said.
  int64_t free_memory_bytes = 0;
  int64_t resident_memory_bytes = 0;
  std::vector<v1::MemoryShareUsage> memory;
};

class TaskManagerRegistry {
 public:
  // Replaces an entry of the same id; the caller has dealt with its tasks.
  TaskManagerEntry& Add(const v1::RegisterTaskManagerRequest& info,
                        std::shared_ptr<TaskManagerGateway> gateway);
  void Remove(const std::string& id) { entries_.erase(id); }
  TaskManagerEntry* Find(const std::string& id);
  const std::map<std::string, TaskManagerEntry>& entries() const { return entries_; }
  // Those that said nothing for `timeout` or longer.
  std::vector<std::string> Silent(std::chrono::nanoseconds now,
                                  std::chrono::nanoseconds timeout) const;
  // `duration` up to `now` is no silence of theirs.
  void Forgive(std::chrono::nanoseconds duration, std::chrono::nanoseconds now);

 private:
  std::map<std::string, TaskManagerEntry> entries_;
  int64_t last_registration_ = 0;
};

}  // namespace watershed
