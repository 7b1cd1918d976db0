// A JobManager's process: what job_manager_process.cc puts together but its servers, over the
// simulation's threads, network and clock.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "jobmanager/job/dispatcher.h"
#include "jobmanager/leadership/lease_watch.h"
#include "jobmanager/store/job_store.h"
#include "runtime/metrics/metrics.h"
#include "tests/sim/cluster.h"

namespace watershed::sim {

class JobManager {
 public:
  explicit JobManager(Cluster* cluster);
  // Killed: nobody is told by it.
  ~JobManager();

  // Becomes the leader, after that one or whoever it was. An error: this process cannot, and is to
  // be started again.
  Status Lead(std::optional<int64_t> successor_of);
  // Leads when the lease of whoever leads is over, and tells the cluster.
  void StandBy();
  int number() const { return number_; }  // of all JobManagers that there have been
  bool failed() const { return failed_; }

  Dispatcher& dispatcher() { return *dispatcher_; }
  const ProcessPtr& process() const { return process_; }
  ProcessExecutor& executor() { return executor_; }

 private:
  void Make(std::optional<int64_t> successor_of);

  Cluster* const cluster_;
  const int number_;
  const ProcessPtr process_;
  ProcessExecutor executor_;
  ProcessWorkRunner io_;
  ProcessWorkRunner log_io_;
  MetricRegistry metrics_;
  const LogJobStoreOptions log_options_;
  LeaderObserver leader_;
  LeaseWatch watch_;
  bool failed_ = false;
  std::unique_ptr<JobStore> store_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace watershed::sim
