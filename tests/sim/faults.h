// Does to the cluster what the scenario plans, and repairs it: processes that are gone are started
// again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"

namespace watershed::sim {

class Faults {
 public:
  Faults(const Scenario& scenario, Cluster* cluster) : scenario_(scenario), cluster_(cluster) {}

  using Say = std::function<void(const std::string&)>;
  void Begin(Say say);
  void OnReleased();
  // One more, soon.
  void Add(FaultKind kind);
  // Now and then: ends bursts and counts those that did something.
  void Glance();
  // A JobManager that cannot lead ends by itself; whoever is gone is started again.
  void Repair();

  // Those before the release.
  bool all_done() const { return outstanding_ == 0 && suffered_ >= 2; }
  int64_t suffered() const { return suffered_; }
  int64_t kills() const { return kills_; }
  // How often which.
  const std::map<std::string, int64_t>& by_kind() const { return by_kind_; }

 private:
  void Plan(const Fault& fault);
  void OnDeployment();
  void Strike(const Fault& fault);
  void StartBurst(const Fault& fault);
  void EndBurst(nanoseconds duration, std::function<void()> stop);
  StorageFaults FaultsOf(FaultKind kind);
  // `counts`: as one of those that each seed must have.
  void Suffer(FaultKind kind, const std::string& what, bool counts = true);
  void StrikeTaskManager(const Fault& fault);
  void StrikeInSinkCall(Fault fault, int index);
  void StrikeJobManager(const Fault& fault);
  void StepClock(const Fault& fault);
  void LosePower();
  void DamageStored(const Fault& fault);
  // The one that is meant; of those that wait for checkpoints, one that runs tasks. -1: none.
  int TargetOf(const Fault& fault);
  void RestartJobManager();
  void RestartTaskManager(int index);

  const Scenario& scenario_;
  Cluster* const cluster_;
  Say say_;
  int outstanding_ = 0;          // planned, or going on
  std::vector<Fault> awaiting_;  // that there are checkpoints
  std::vector<Fault> awaiting_deployment_;
  std::map<std::string, int64_t> by_kind_;
  int64_t suffered_ = 0;
  int64_t kills_ = 0;
  bool job_manager_restarts_ = false;
};

}  // namespace watershed::sim
