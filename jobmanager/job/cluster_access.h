// What a job sees of the process and the cluster around it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jobmanager/checkpoint/checkpoint_coordinator.h"
#include "jobmanager/checkpoint/manifest_store.h"
#include "jobmanager/cluster/task_manager_gateway.h"
#include "jobmanager/scheduler/slot_assignment.h"
#include "runtime/process/executor.h"
#include "runtime/process/work_runner.h"
#include "runtime/types/clock.h"
#include "runtime/types/ids.h"
#include "runtime/types/planted_bug.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

class ClusterAccess {
 public:
  virtual ~ClusterAccess() = default;
  virtual std::vector<FreeSlots> free_slots() const = 0;
  // nullptr when it is not registered (any more).
  virtual std::shared_ptr<TaskManagerGateway> gateway(const std::string& task_manager_id) const = 0;
  virtual std::string address(const std::string& task_manager_id) const = 0;
  // Makes an entry durable, then calls `stored` on the executor, in the order of the calls. When
  // that fails the process ends instead: only its successor can know what was stored.
  virtual void Store(v1::LogEntry entry, std::function<void()> stored) = 0;
  // What is wrong with the store of entries, for people; empty: nothing.
  virtual std::string store_trouble() const = 0;
  // Something that the job shows has changed. May be called often, from within the job.
  virtual void OnJobChanged() = 0;
  // A job has ended and holds no slots any more. Called once.
  virtual void OnJobEnded(const JobId& id) = 0;
};

// All pointers outlive the jobs.
struct JobServices {
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  ClusterAccess* cluster = nullptr;
  LeaderEpoch leader_epoch;
  // Checkpoints; without a directory there are none.
  std::string checkpoint_directory;  // URI of all jobs' checkpoints
  WorkRunner* io = nullptr;
  StorageOpener open_storage;

  CheckpointTime now() const {
    const int64_t wall_ms = clock->NowMs();
    const bool by_wall = IsPlanted(PlantedBug::kCheckpointsByWallClock);
    return {.steady = by_wall ? std::chrono::milliseconds(wall_ms) : clock->Steady(),
            .wall_ms = wall_ms};
  }
};

}  // namespace watershed
