#include "tests/sim/faults.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "runtime/checkpoint/layout.h"
#include "tests/sim/damage.h"
#include "tests/sim/gateways.h"
#include "tests/sim/job_manager.h"
#include "tests/sim/observer.h"
#include "tests/sim/task_manager.h"

namespace watershed::sim {
namespace {

constexpr milliseconds kShortestRestart{10};
constexpr milliseconds kLongestRestart{400};

StorageFaultRates RatesOf(FaultKind kind) {
  if (kind == FaultKind::kLogErrors) return {.fail = 100, .outcome_unknown = 100};
  return {.fail = 60, .full = 40, .outcome_unknown = 60};
}

}  // namespace

void Faults::Begin(Say say) {
  say_ = std::move(say);
  cluster_->observer().on_deployment = [this] { OnDeployment(); };
  for (const Fault& fault : scenario_.faults) {
    if (!fault.after_release) Plan(fault);
  }
}

void Faults::OnReleased() {
  for (const Fault& fault : scenario_.faults) {
    if (fault.after_release) Plan(fault);
  }
}

// One after the other, so that each meets an attempt of its own.
void Faults::OnDeployment() {
  if (awaiting_deployment_.empty()) return;
  Fault fault = awaiting_deployment_.back();
  awaiting_deployment_.pop_back();
  fault.at_deployment = false;
  Plan(fault);
}

void Faults::Plan(const Fault& fault) {
  if (fault.at_deployment) {
    awaiting_deployment_.push_back(fault);
    return;
  }
  ++outstanding_;
  if (fault.after_checkpoints > cluster_->observer().completed()) {
    awaiting_.push_back(fault);
    return;
  }
  cluster_->schedule().After(fault.at, [this, fault] {
    --outstanding_;
    Strike(fault);
  });
}

void Faults::Add(FaultKind kind) {
  Random& random = cluster_->schedule().random();
  Fault fault{.kind = kind};
  fault.at = random.Between(milliseconds(0), milliseconds(60));
  fault.target = static_cast<int>(random.Below(cluster_->task_managers()));
  fault.duration = random.Between(milliseconds(20), milliseconds(300));
  Plan(fault);
}

void Faults::Suffer(FaultKind kind, const std::string& what, bool counts) {
  suffered_ += counts;
  ++by_kind_[NameOf(kind)];
  if (say_) say_("fault: " + what);
}

int Faults::TargetOf(const Fault& fault) {
  const int count = cluster_->task_managers();
  if (fault.after_checkpoints == 0) {
    return cluster_->task_manager(fault.target) == nullptr ? -1 : fault.target;
  }
  for (int i = 0; i < count; ++i) {
    const int target = (fault.target + i) % count;
    TaskManager* const candidate = cluster_->task_manager(target);
    if (candidate != nullptr && candidate->runs_tasks()) return target;
  }
  return -1;
}

void Faults::Strike(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kKillTaskManager:
    case FaultKind::kFreezeTaskManager:
    case FaultKind::kStallTaskManager:
    case FaultKind::kCutStreams:
    case FaultKind::kCutControl:
    case FaultKind::kSilence:
      return StrikeTaskManager(fault);
    case FaultKind::kKillJobManager:
    case FaultKind::kLoseJobManager:
    case FaultKind::kStallJobManager:
      if (cluster_->job_manager() != nullptr) StrikeJobManager(fault);
      return;
    case FaultKind::kStepClock:
      return StepClock(fault);
    case FaultKind::kDamageStored:
      return DamageStored(fault);
    case FaultKind::kPowerLoss:
      return LosePower();
    default:
      return StartBurst(fault);
  }
}

void Faults::StrikeTaskManager(const Fault& fault) {
  const int index = TargetOf(fault);
  if (index < 0) {
    if (fault.after_checkpoints > 0) Plan(fault);  // all are gone for the moment
    return;
  }
  if (fault.in_sink_call) return StrikeInSinkCall(fault, index);
  const ProcessPtr& target = cluster_->task_manager(index)->process();
  TaskManager* const other = cluster_->task_manager(fault.other);
  switch (fault.kind) {
    case FaultKind::kKillTaskManager:
      ++kills_;
      Suffer(fault.kind, "kill -9 of " + target->name());
      cluster_->KillTaskManager(index);
      return RestartTaskManager(index);
    case FaultKind::kCutStreams:
      if (other == nullptr || index == fault.other) return;
      cluster_->network().Cut(target->name(), other->process()->name());
      return Suffer(fault.kind, "cut between TaskManagers");
    case FaultKind::kCutControl:
      if (cluster_->job_manager() == nullptr) return;
      cluster_->network().Cut(target->name(), kJobManagerName);
      return Suffer(fault.kind, "cut from the JobManager");
    case FaultKind::kSilence:
      cluster_->network().Silence(target->name(), kJobManagerName, fault.duration);
      return Suffer(fault.kind, "silence of " + target->name());
    default:
      target->Freeze(fault.duration);
      return Suffer(fault.kind, "freeze of " + target->name());
  }
}

void Faults::StrikeInSinkCall(Fault fault, int index) {
  fault.in_sink_call = false;
  fault.after_checkpoints = 0;
  fault.target = index;
  cluster_->task_manager(index)->sinks().DuringNextCall([this, fault] {
    ++by_kind_[NameOf(fault.kind) + " in a sink's call"];
    Strike(fault);
  });
}

void Faults::StrikeJobManager(const Fault& fault) {
  if (fault.kind == FaultKind::kStallJobManager) {
    Suffer(fault.kind, "freeze of the JobManager");
    return cluster_->job_manager()->process()->Freeze(fault.duration);
  }
  if (fault.kind == FaultKind::kKillJobManager) {
    ++kills_;
    Suffer(fault.kind, "kill -9 of the JobManager");
    cluster_->KillJobManager();
  } else {
    Suffer(fault.kind, "the JobManager is cut off");
    cluster_->LoseJobManager(fault.duration);
  }
  RestartJobManager();
}

// Nobody should notice, so that it is none of those that a seed must have.
void Faults::StepClock(const Fault& fault) {
  cluster_->clock_of_machine(fault.target).Step(fault.step);
  const std::string which = fmt::format("clock {} by {} ms", fault.target, fault.step.count());
  Suffer(fault.kind, which, /*counts=*/false);
}

void Faults::LosePower() {
  std::vector<int> lost;
  for (int i = 0; i < cluster_->task_managers(); ++i) {
    if (cluster_->task_manager(i) != nullptr) lost.push_back(i);
  }
  const bool has_job_manager = cluster_->job_manager() != nullptr;
  kills_ += std::ssize(lost) + (has_job_manager ? 1 : 0);
  Suffer(FaultKind::kPowerLoss, "the power is lost");
  cluster_->LosePower();
  for (const int index : lost) RestartTaskManager(index);
  Repair();
}

void Faults::DamageStored(const Fault& fault) {
  const std::string damaged = DamageNewestCheckpoint(cluster_);
  if (damaged.empty()) return;
  Suffer(fault.kind, damaged);
  Fault use{.kind = FaultKind::kKillTaskManager, .target = fault.target};
  use.at = cluster_->schedule().random().Between(milliseconds(0), milliseconds(150));
  use.after_checkpoints = 1;
  Plan(use);
}

void Faults::StartBurst(const Fault& fault) {
  Outside& outside = cluster_->outside();
  switch (fault.kind) {
    case FaultKind::kSlowStorage:
      cluster_->SetSlowIo(true);
      Suffer(fault.kind, "slow storage");
      return EndBurst(fault.duration, [this] { cluster_->SetSlowIo(false); });
    case FaultKind::kTargetErrors:
      outside.call_failures = outside.lost_answers = 300;
      Suffer(fault.kind, "target errors");
      return EndBurst(fault.duration,
                      [&outside] { outside.call_failures = outside.lost_answers = 0; });
    case FaultKind::kSourceErrors:
      outside.failing_polls = 3;
      Suffer(fault.kind, "source errors");
      return EndBurst(fault.duration, [&outside] { outside.failing_polls = 0; });
    case FaultKind::kLogErrors:
      cluster_->SetLogFaults(FaultsOf(fault.kind));
      return EndBurst(fault.duration, [this] { cluster_->SetLogFaults(nullptr); });
    default:
      cluster_->SetStorageFaults(FaultsOf(fault.kind));
      return EndBurst(fault.duration, [this] { cluster_->SetStorageFaults(nullptr); });
  }
}

void Faults::EndBurst(nanoseconds duration, std::function<void()> stop) {
  ++outstanding_;
  cluster_->schedule().After(duration, [this, stop = std::move(stop)] {
    --outstanding_;
    stop();
  });
}

// Count as one once something of them has happened.
StorageFaults Faults::FaultsOf(FaultKind kind) {
  return [this, seeded = SeededStorageFaults(cluster_->schedule().random().Next(), RatesOf(kind)),
          kind, first = true](const StorageCall& call) mutable {
    StorageFault what = StorageFault::kNone;
    const bool is_damage = Damages(kind);
    if (!is_damage) {
      what = seeded(call);
    } else if (first && call.kind == StorageCall::Kind::kCommit &&
               call.name.starts_with(ManifestPrefix()) == (kind == FaultKind::kDamage)) {
      what = StorageFault::kDamage;
      cluster_->observer().OnDamaged(call.name);
    }
    if (what != StorageFault::kNone && std::exchange(first, false)) Suffer(kind, NameOf(kind));
    return what;
  };
}

// A seed whose faults came to nothing is given another one.
void Faults::Glance() {
  for (const Fault& fault : std::exchange(awaiting_, {})) {
    --outstanding_;
    Plan(fault);
  }
  if (!say_ || outstanding_ > 0 || suffered_ >= kLeastFaults) return;
  Plan({.kind = FaultKind::kKillTaskManager, .at = milliseconds(100)});
}

void Faults::Repair() {
  cluster_->BuryFormerJobManagers();
  JobManager* const job_manager = cluster_->job_manager();
  if (job_manager != nullptr && job_manager->failed()) {
    if (say_) say_("the JobManager can lead no longer");
    cluster_->KillJobManager();
  }
  if (cluster_->job_manager() != nullptr || cluster_->has_standby() || job_manager_restarts_)
    return;
  RestartJobManager();
}

void Faults::RestartJobManager() {
  job_manager_restarts_ = true;
  Schedule& schedule = cluster_->schedule();
  schedule.After(schedule.random().Between(kShortestRestart, kLongestRestart), [this] {
    job_manager_restarts_ = false;
    cluster_->StartJobManager();
  });
}

void Faults::RestartTaskManager(int index) {
  Schedule& schedule = cluster_->schedule();
  schedule.After(schedule.random().Between(kShortestRestart, kLongestRestart),
                 [this, index] { cluster_->StartTaskManager(index); });
}

}  // namespace watershed::sim
