#include "jobmanager/job/job_decision.h"

namespace watershed {
namespace {

JobAction Unless(StepProgress progress, JobAction begin) {
  return progress == StepProgress::kNotBegun ? begin : JobAction::kWait;
}

bool AllRun(const JobFacts& facts) {
  // A short task may have finished before the last one began.
  return facts.tasks_running + facts.tasks_finished == facts.tasks;
}

// The entry of the attempt comes before the restore point: what was complete when the attempt
// before it ended is known by then.
JobAction DecideWhileCreated(const JobFacts& facts) {
  if (!facts.has_slots) return JobAction::kRequestSlots;
  if (facts.deployed) return AllRun(facts) ? JobAction::kEnterRunning : JobAction::kWait;
  if (facts.attempt != StepProgress::kDone) return Unless(facts.attempt, JobAction::kStoreAttempt);
  if (facts.restore != StepProgress::kDone)
    return Unless(facts.restore, JobAction::kReadRestorePoint);
  if (!facts.has_splits) {
    return facts.discovery_under_way ? JobAction::kWait : JobAction::kDiscoverSplits;
  }
  return JobAction::kDeploy;
}

// An unanswered deployment may still start tasks.
bool AllEnded(const JobFacts& facts) {
  return facts.deployments_pending == 0 && facts.tasks_ended == facts.tasks;
}

JobAction DecideWhileFailing(const JobFacts& facts) {
  if (!AllEnded(facts)) return JobAction::kWait;
  if (facts.cancel_requested) return JobAction::kEnterCancelling;
  return facts.may_restart ? JobAction::kEnterRestarting : JobAction::kEnterFailed;
}

// The others run meanwhile.
JobAction DecideInRegions(const JobFacts& facts) {
  if (facts.failed) return JobAction::kEnterFailing;
  if (facts.regions_failed) return JobAction::kRestartRegions;
  if (!facts.regions_released) {
    return AllEnded(facts) ? JobAction::kReleaseRegions : JobAction::kWait;
  }
  return facts.restart_due ? DecideWhileCreated(facts) : JobAction::kWait;
}

JobAction Decide(const JobFacts& facts) {
  switch (facts.state) {
    case v1::CREATED:
    case v1::RUNNING:
    case v1::RECONCILING:
      if (facts.cancel_requested) return JobAction::kEnterCancelling;
      if (facts.failed) return JobAction::kEnterFailing;
      if (facts.regions_failed) return JobAction::kRestartRegions;
      if (facts.state == v1::RUNNING && facts.tasks_finished == facts.tasks) {
        return JobAction::kEnterFinished;
      }
      if (facts.state == v1::CREATED) return DecideWhileCreated(facts);
      if (facts.state == v1::RUNNING) return JobAction::kWait;
      if (AllRun(facts)) {
        return facts.restore == StepProgress::kDone
                   ? JobAction::kEnterRunning
                   : Unless(facts.restore, JobAction::kReadLastCheckpoint);
      }
      return facts.reconciling_is_over ? JobAction::kGiveUpReconciling : JobAction::kWait;
    case v1::FAILING:
      return DecideWhileFailing(facts);
    case v1::RESTARTING:
      if (facts.cancel_requested) return JobAction::kEnterCancelling;
      if (facts.in_regions) return DecideInRegions(facts);
      return facts.restart_due ? JobAction::kEnterCreated : JobAction::kWait;
    case v1::CANCELLING:
      return AllEnded(facts) ? JobAction::kEnterCanceled : JobAction::kWait;
    default:
      return JobAction::kWait;
  }
}

}  // namespace

JobAction DecideNext(const JobFacts& facts) {
  if (facts.end_is_being_stored) return JobAction::kWait;
  const JobAction next = Decide(facts);
  const bool is_another_end = next == JobAction::kEnterFinished || next == JobAction::kEnterFailed;
  return is_another_end && facts.cancel_is_being_stored ? JobAction::kWait : next;
}

}  // namespace watershed
