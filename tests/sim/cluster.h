// The processes of a simulation and what they share: one JobManager at a time, TaskManagers, the
// network and the storage between them. Everything but what this folder models is production code.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "jobmanager/checkpoint/checkpoint_settings.h"
#include "jobmanager/scheduler/adaptive.h"
#include "tests/sim/disk.h"
#include "tests/sim/machine_clock.h"
#include "tests/sim/network.h"
#include "tests/sim/outside.h"
#include "tests/support/faulty_storage.h"

namespace watershed::sim {

class JobManager;
class TaskManager;
class Observer;

// Drawn from the seed.
struct ClusterSettings {
  int task_managers = 2;
  int slots = 4;  // of each
  milliseconds heartbeat_interval{200};
  milliseconds heartbeat_timeout{1000};
  int max_parallelism = 128;
  CheckpointSettings checkpoints;
  AdaptiveSettings adaptive;
  TaskOptions tasks;
  int64_t state_cache_bytes = 1 << 20;
  int64_t channel_capacity_bytes = 1 << 16;
  int log_snapshot_every = 200;
  // Of JobManagers: one that is started stands by first. 0: none, it leads at once.
  milliseconds lease{0};
  // How long a use of the storage takes, and a call of a sink.
  nanoseconds longest_io{milliseconds(3)};
  bool has_disks = false;  // below its storages; else they keep all that is committed
  // One for each machine (Cluster::machines); none: all are right.
  std::vector<ClockError> clocks;
};

class Cluster {
 public:
  Cluster(Schedule* schedule, Outside* outside, Observer* observer,
          const ClusterSettings& settings);
  ~Cluster();

  void StartJobManager();
  // One that stands by, and leads by itself later.
  bool has_standby() const { return standby_ != nullptr; }
  void StartTaskManager(int index);
  void KillJobManager();
  void KillTaskManager(int index);
  // The JobManager is cut off for a time, and another is to be started. When it goes on, it does
  // not know that it leads no longer.
  void LoseJobManager(nanoseconds duration);
  // Former ones that have found out are gone; the last one may lead again.
  void BuryFormerJobManagers();
  // All machines lose power at once, and what is on the disks comes back with it: needs has_disks.
  void LosePower();
  JobManager* job_manager() { return job_manager_.get(); }  // nullptr: none runs
  JobManager* FindJobManager(const ProcessPtr& process);
  TaskManager* task_manager(int index) { return task_managers_[size_t(index)].get(); }
  int task_managers() const { return settings_.task_managers; }
  // Each TaskManager has a machine of its own; a JobManager is on one of two, and the storage on
  // the last.
  static int machines(const ClusterSettings& settings) { return settings.task_managers + 3; }
  MachineClock& clock_of_machine(int index) { return clocks_[size_t(index)]; }
  MachineClock& clock_of_task_manager(int index) { return clocks_[size_t(index)]; }
  MachineClock& clock_of_job_manager() {
    return clocks_[size_t(settings_.task_managers) + size_t(job_manager_machine_)];
  }
  MachineClock& clock_of_storage() { return clocks_.back(); }
  // By the name of its process.
  TaskManager* FindTaskManager(const std::string& name);

  Result<std::shared_ptr<ObjectStorage>> OpenStorage(const std::string& uri);
  // Looks at an object without a fault; nothing when it is not there.
  std::optional<std::string> Peek(const std::string& uri, const std::string& name);
  // Of all storages but the log's, and of the log's; from now on.
  void SetStorageFaults(StorageFaults faults);
  void SetLogFaults(StorageFaults faults) { log_->SetFaults(std::move(faults)); }
  nanoseconds IoLatency();
  void SetSlowIo(bool slow) { slow_io_ = slow; }
  std::string MakeId();
  // Called by the one that stood by.
  void OnLeads(bool leads);
  int NextJobManager() { return ++job_managers_; }

  Schedule& schedule() { return *schedule_; }
  Network& network() { return network_; }
  const Network& network() const { return network_; }
  Outside& outside() { return *outside_; }
  Observer& observer() { return *observer_; }
  const ClusterSettings& settings() const { return settings_; }
  const ConnectorFactory& connectors() const { return *connectors_; }
  std::shared_ptr<ObjectStorage> log() { return BehindDisk(log_); }
  const std::map<std::string, std::shared_ptr<FaultyStorage>>& storages() const {
    return storages_;
  }
  const std::string& directory() const { return directory_; }

  static constexpr const char* kCheckpointDirectory = "memory://checkpoints";

 private:
  // What processes see of it.
  std::shared_ptr<ObjectStorage> BehindDisk(const std::shared_ptr<FaultyStorage>& storage);

  Schedule* const schedule_;
  Outside* const outside_;
  Observer* const observer_;
  const ClusterSettings settings_;
  const std::string directory_;  // for the folders that tasks make
  std::vector<MachineClock> clocks_;
  int job_manager_machine_ = 0;  // or 1
  Network network_;
  std::unique_ptr<ConnectorFactory> connectors_;
  std::shared_ptr<FaultyStorage> log_;
  std::map<std::string, std::shared_ptr<FaultyStorage>> storages_;  // by URI
  std::map<std::string, std::shared_ptr<StorageOnDisk>> disks_;     // the same
  std::shared_ptr<StorageFaults> faults_ = std::make_shared<StorageFaults>();
  bool slow_io_ = false;
  int incarnations_ = 0;
  int job_managers_ = 0;
  uint64_t ids_ = 0;
  std::unique_ptr<JobManager> job_manager_;
  std::unique_ptr<JobManager> standby_;
  std::vector<std::unique_ptr<JobManager>> former_job_managers_;
  std::vector<std::unique_ptr<TaskManager>> task_managers_;
};

}  // namespace watershed::sim
