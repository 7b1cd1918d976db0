// Does to the cluster what the scenario plans, and repairs it: processes that are gone are started
// again.
#pragma once

#include <functional>
#include <string>

#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"

namespace watershed::sim {

class Faults {
 public:
  Faults(const Scenario& scenario, Cluster* cluster) : scenario_(scenario), cluster_(cluster) {}

  using Say = std::function<void(const std::string&)>;
  void Begin(Say say);
  void OnReleased();
  // Now and then: ends bursts and counts those that did something.
  void Glance();
  // A JobManager that cannot lead ends by itself; whoever is gone is started again.
  void Repair();

  // Those before the release.
  bool all_done() const { return outstanding_ == 0 && suffered_ >= 2; }
  int64_t suffered() const { return suffered_; }
  int64_t kills() const { return kills_; }

 private:
  void Plan(const Fault& fault);
  void Strike(const Fault& fault);
  void StartBurst(const Fault& fault);
  void EndBurst(nanoseconds duration, std::function<void()> stop);
  StorageFaults FaultsOf(FaultKind kind);
  void Suffer(const std::string& what);
  void RestartJobManager();
  void RestartTaskManager(int index);

  const Scenario& scenario_;
  Cluster* const cluster_;
  Say say_;
  int outstanding_ = 0;  // planned, or going on
  int64_t suffered_ = 0;
  int64_t kills_ = 0;
  bool job_manager_restarts_ = false;
};

}  // namespace watershed::sim
