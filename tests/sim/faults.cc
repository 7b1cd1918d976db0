#include "tests/sim/faults.h"

#include <memory>
#include <utility>

#include "runtime/checkpoint/layout.h"
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
  for (const Fault& fault : scenario_.faults) {
    if (!fault.after_release) Plan(fault);
  }
}

void Faults::OnReleased() {
  for (const Fault& fault : scenario_.faults) {
    if (fault.after_release) Plan(fault);
  }
}

void Faults::Plan(const Fault& fault) {
  ++outstanding_;
  cluster_->schedule().After(fault.at, [this, fault] {
    --outstanding_;
    Strike(fault);
  });
}

void Faults::Suffer(const std::string& what) {
  ++suffered_;
  if (say_) say_("fault: " + what);
}

void Faults::Strike(const Fault& fault) {
  TaskManager* const target = cluster_->task_manager(fault.target);
  TaskManager* const other = cluster_->task_manager(fault.other);
  switch (fault.kind) {
    case FaultKind::kKillTaskManager:
      if (target == nullptr) return;
      ++kills_;
      Suffer("kill -9 of " + target->process()->name());
      cluster_->KillTaskManager(fault.target);
      return RestartTaskManager(fault.target);
    case FaultKind::kKillJobManager:
      if (cluster_->job_manager() == nullptr) return;
      ++kills_;
      Suffer("kill -9 of the JobManager");
      cluster_->KillJobManager();
      return RestartJobManager();
    case FaultKind::kLoseJobManager:
      if (cluster_->job_manager() == nullptr) return;
      Suffer("the JobManager is cut off");
      cluster_->LoseJobManager(fault.duration);
      return RestartJobManager();
    case FaultKind::kFreezeTaskManager:
      if (target == nullptr) return;
      target->process()->Freeze(fault.duration);
      return Suffer("freeze of " + target->process()->name());
    case FaultKind::kCutStreams:
      if (target == nullptr || other == nullptr || target == other) return;
      cluster_->network().Cut(target->process()->name(), other->process()->name());
      return Suffer("cut between TaskManagers");
    case FaultKind::kCutControl:
      if (target == nullptr || cluster_->job_manager() == nullptr) return;
      cluster_->network().Cut(target->process()->name(), kJobManagerName);
      return Suffer("cut from the JobManager");
    case FaultKind::kSilence:
      if (target == nullptr) return;
      cluster_->network().Silence(target->process()->name(), kJobManagerName, fault.duration);
      return Suffer("silence of " + target->process()->name());
    default:
      return StartBurst(fault);
  }
}

void Faults::StartBurst(const Fault& fault) {
  Outside& outside = cluster_->outside();
  switch (fault.kind) {
    case FaultKind::kSlowStorage:
      cluster_->SetSlowIo(true);
      Suffer("slow storage");
      return EndBurst(fault.duration, [this] { cluster_->SetSlowIo(false); });
    case FaultKind::kTargetErrors:
      outside.call_failures = outside.lost_answers = 300;
      Suffer("target errors");
      return EndBurst(fault.duration,
                      [&outside] { outside.call_failures = outside.lost_answers = 0; });
    case FaultKind::kSourceErrors:
      outside.failing_polls = 3;
      Suffer("source errors");
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
    if (kind != FaultKind::kDamage) {
      what = seeded(call);
    } else if (first && call.kind == StorageCall::Kind::kCommit &&
               call.name.starts_with(ManifestPrefix()) && cluster_->observer().completed() > 0) {
      what = StorageFault::kDamage;
    }
    if (what != StorageFault::kNone && std::exchange(first, false)) Suffer(NameOf(kind));
    return what;
  };
}

// A seed whose faults came to nothing is given another one.
void Faults::Glance() {
  if (!say_ || outstanding_ > 0 || suffered_ >= 2) return;
  Plan({.kind = FaultKind::kKillTaskManager, .at = milliseconds(100)});
}

void Faults::Repair() {
  cluster_->BuryFormerJobManagers();
  JobManager* const job_manager = cluster_->job_manager();
  if (job_manager != nullptr && job_manager->failed()) {
    if (say_) say_("the JobManager can lead no longer");
    cluster_->KillJobManager();
  }
  if (cluster_->job_manager() == nullptr && !job_manager_restarts_) RestartJobManager();
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
