#include "jobmanager/job/job_decision.h"

namespace watershed {
namespace {

JobAction DecideWhileCreated(const JobFacts& facts) {
  if (!facts.has_slots) return JobAction::kRequestSlots;
  if (!facts.has_splits) {
    return facts.discovery_under_way ? JobAction::kWait : JobAction::kDiscoverSplits;
  }
  if (!facts.deployed) return JobAction::kDeploy;
  // A short task may have finished before the last one began.
  if (facts.tasks_running + facts.tasks_finished == facts.tasks) return JobAction::kEnterRunning;
  return JobAction::kWait;
}

// An unanswered deployment may still start tasks.
bool AllEnded(const JobFacts& facts) {
  return facts.deployments_pending == 0 && facts.tasks_ended == facts.tasks;
}

}  // namespace

JobAction DecideNext(const JobFacts& facts) {
  switch (facts.state) {
    case v1::CREATED:
    case v1::RUNNING:
      if (facts.failed) return JobAction::kEnterFailing;
      if (facts.state == v1::RUNNING && facts.tasks_finished == facts.tasks) {
        return JobAction::kEnterFinished;
      }
      if (facts.cancel_requested) return JobAction::kEnterCancelling;
      return facts.state == v1::CREATED ? DecideWhileCreated(facts) : JobAction::kWait;
    case v1::FAILING:
      return AllEnded(facts) ? JobAction::kEnterFailed : JobAction::kWait;
    case v1::CANCELLING:
      return AllEnded(facts) ? JobAction::kEnterCanceled : JobAction::kWait;
    default:
      return JobAction::kWait;
  }
}

}  // namespace watershed
