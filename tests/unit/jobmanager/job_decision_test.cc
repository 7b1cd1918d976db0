#include "jobmanager/job/job_decision.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace watershed {
namespace {

struct Case {
  std::string what;
  std::function<void(JobFacts&)> facts;
  JobAction expected;
};

// A job of four tasks; each case changes what differs from "just submitted".
JobFacts Submitted() {
  JobFacts facts;
  facts.tasks = 4;
  return facts;
}

void Deployed(JobFacts& facts) {
  facts.has_slots = facts.has_splits = facts.discovery_under_way = facts.deployed = true;
}

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    JobFacts facts = Submitted();
    c.facts(facts);
    EXPECT_EQ(static_cast<int>(DecideNext(facts)), static_cast<int>(c.expected)) << c.what;
  }
}

TEST(JobDecisionTest, Table) {
  const std::vector<Case> cases = {
      {"submitted", [](JobFacts&) {}, JobAction::kRequestSlots},
      {"slots held", [](JobFacts& f) { f.has_slots = true; }, JobAction::kStoreAttempt},
      {"attempt on its way into the log",
       [](JobFacts& f) {
         f.has_slots = f.has_splits = true;
         f.attempt = StepProgress::kUnderWay;
       },
       JobAction::kWait},
      {"attempt stored",
       [](JobFacts& f) {
         f.has_slots = f.has_splits = true;
         f.attempt = StepProgress::kDone;
       },
       JobAction::kReadRestorePoint},
      {"reading the restore point",
       [](JobFacts& f) {
         f.has_slots = f.has_splits = true;
         f.attempt = StepProgress::kDone;
         f.restore = StepProgress::kUnderWay;
       },
       JobAction::kWait},
      {"knows what to begin with",
       [](JobFacts& f) {
         f.has_slots = true;
         f.attempt = f.restore = StepProgress::kDone;
       },
       JobAction::kDiscoverSplits},
      {"discovering",
       [](JobFacts& f) {
         f.has_slots = f.discovery_under_way = true;
         f.attempt = f.restore = StepProgress::kDone;
       },
       JobAction::kWait},
      {"splits known",
       [](JobFacts& f) {
         f.has_slots = f.has_splits = true;
         f.attempt = f.restore = StepProgress::kDone;
       },
       JobAction::kDeploy},
      {"splits known, slots lost", [](JobFacts& f) { f.has_splits = true; },
       JobAction::kRequestSlots},
      {"some tasks run",
       [](JobFacts& f) {
         Deployed(f);
         f.tasks_running = 3;
       },
       JobAction::kWait},
      {"all tasks run",
       [](JobFacts& f) {
         Deployed(f);
         f.tasks_running = 4;
       },
       JobAction::kEnterRunning},
      {"a short task was faster than the last one",
       [](JobFacts& f) {
         Deployed(f);
         f.tasks_running = 3;
         f.tasks_finished = f.tasks_ended = 1;
       },
       JobAction::kEnterRunning},
      {"cancelled while waiting for slots", [](JobFacts& f) { f.cancel_requested = true; },
       JobAction::kEnterCancelling},
      {"failed while created", [](JobFacts& f) { f.failed = true; }, JobAction::kEnterFailing},
      {"cancellation before failure", [](JobFacts& f) { f.failed = f.cancel_requested = true; },
       JobAction::kEnterCancelling},
      {"running",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.tasks_running = 4;
       },
       JobAction::kWait},
      {"running, some finished",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.tasks_finished = f.tasks_ended = 3;
       },
       JobAction::kWait},
      {"all finished",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.tasks_finished = f.tasks_ended = 4;
       },
       JobAction::kEnterFinished},
      {"all finished when the cancellation was durable",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.cancel_requested = true;
         f.tasks_finished = f.tasks_ended = 4;
       },
       JobAction::kEnterCancelling},
      {"all finished while the cancellation is on its way into the log",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.cancel_is_being_stored = true;
         f.tasks_finished = f.tasks_ended = 4;
       },
       JobAction::kWait},
      {"failed for good while the cancellation is on its way into the log",
       [](JobFacts& f) {
         f.state = v1::FAILING;
         f.failed = f.cancel_is_being_stored = true;
         f.tasks_ended = 4;
       },
       JobAction::kWait},
      {"failed for good and cancelled",
       [](JobFacts& f) {
         f.state = v1::FAILING;
         f.failed = f.cancel_requested = true;
         f.tasks_ended = 4;
       },
       JobAction::kEnterCancelling},
      {"cancelled while running",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.cancel_requested = true;
       },
       JobAction::kEnterCancelling},
      {"a task failed",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.failed = true;
         f.tasks_ended = 1;
       },
       JobAction::kEnterFailing},
      {"failing, tasks still live",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::FAILING;
         f.failed = true;
         f.tasks_ended = 3;
       },
       JobAction::kWait},
      {"failing, a deployment unanswered",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::FAILING;
         f.failed = true;
         f.tasks_ended = 4;
         f.deployments_pending = 1;
       },
       JobAction::kWait},
      {"failing, all ended",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::FAILING;
         f.failed = true;
         f.tasks_ended = 4;
       },
       JobAction::kEnterFailed},
      {"failing, all ended, may restart",
       [](JobFacts& f) {
         f.state = v1::FAILING;
         f.failed = f.may_restart = true;
         f.tasks_ended = 4;
       },
       JobAction::kEnterRestarting},
      {"failing, may restart, tasks still live",
       [](JobFacts& f) {
         f.state = v1::FAILING;
         f.failed = f.may_restart = true;
         f.tasks_ended = 3;
       },
       JobAction::kWait},
      {"failing, may restart, but cancelled",
       [](JobFacts& f) {
         f.state = v1::FAILING;
         f.failed = f.may_restart = f.cancel_requested = true;
         f.tasks_ended = 4;
       },
       JobAction::kEnterCancelling},
      {"restarting, before the delay has passed",
       [](JobFacts& f) {
         f.state = v1::RESTARTING;
         f.failed = f.may_restart = true;
       },
       JobAction::kWait},
      {"restarting, due",
       [](JobFacts& f) {
         f.state = v1::RESTARTING;
         f.failed = f.may_restart = f.restart_due = true;
       },
       JobAction::kEnterCreated},
      {"cancelled while restarting",
       [](JobFacts& f) {
         f.state = v1::RESTARTING;
         f.failed = f.may_restart = f.restart_due = f.cancel_requested = true;
       },
       JobAction::kEnterCancelling},
      {"reconciling, some tasks reported",
       [](JobFacts& f) {
         f.state = v1::RECONCILING;
         f.tasks_running = 3;
       },
       JobAction::kWait},
      {"reconciling, all reported",
       [](JobFacts& f) {
         f.state = v1::RECONCILING;
         f.tasks_running = 4;
       },
       JobAction::kReadLastCheckpoint},
      {"reconciling, all reported, reading what they had said, though the time is over",
       [](JobFacts& f) {
         f.state = v1::RECONCILING;
         f.tasks_running = f.tasks_finished = 2;
         f.restore = StepProgress::kUnderWay;
         f.reconciling_is_over = true;
       },
       JobAction::kWait},
      {"reconciling, knows what to go on with",
       [](JobFacts& f) {
         f.state = v1::RECONCILING;
         f.tasks_running = f.tasks_finished = 2;
         f.restore = StepProgress::kDone;
       },
       JobAction::kEnterRunning},
      {"reconciling, time is over",
       [](JobFacts& f) {
         f.state = v1::RECONCILING;
         f.tasks_running = 3;
         f.reconciling_is_over = true;
       },
       JobAction::kGiveUpReconciling},
      {"reconciling, a task failed",
       [](JobFacts& f) {
         f.state = v1::RECONCILING;
         f.failed = true;
       },
       JobAction::kEnterFailing},
      {"cancelled while reconciling",
       [](JobFacts& f) {
         f.state = v1::RECONCILING;
         f.cancel_requested = true;
       },
       JobAction::kEnterCancelling},
      {"its end is on its way into the log",
       [](JobFacts& f) {
         f.state = v1::RUNNING;
         f.tasks_finished = f.tasks_ended = 4;
         f.end_is_being_stored = true;
       },
       JobAction::kWait},
      {"cancelling, all ended",
       [](JobFacts& f) {
         f.state = v1::CANCELLING;
         f.tasks_ended = 4;
       },
       JobAction::kEnterCanceled},
      {"cancelling, a task failed on its way out",
       [](JobFacts& f) {
         f.state = v1::CANCELLING;
         f.failed = true;
         f.tasks_ended = 4;
       },
       JobAction::kEnterCanceled},
      {"ended",
       [](JobFacts& f) {
         f.state = v1::FINISHED;
         f.cancel_requested = f.failed = true;
       },
       JobAction::kWait},
  };
  Check(cases);
}

// Two of the tasks are of a region that restarts; the others run.
void InRegions(JobFacts& facts) {
  facts.state = v1::RESTARTING;
  facts.tasks = 2;
  facts.in_regions = facts.has_slots = facts.has_splits = true;
}
void Released(JobFacts& facts) {
  InRegions(facts);
  facts.regions_released = facts.restart_due = true;
}

TEST(JobDecisionTest, TableOfRegions) {
  const std::vector<Case> cases = {
      {"a region has failed",
       [](JobFacts& f) {
         f.state = v1::RUNNING;
         f.regions_failed = true;
       },
       JobAction::kRestartRegions},
      {"a region has failed, and what concerns all tasks",
       [](JobFacts& f) {
         f.state = v1::RUNNING;
         f.regions_failed = f.failed = true;
       },
       JobAction::kEnterFailing},
      {"its tasks are being cancelled",
       [](JobFacts& f) {
         InRegions(f);
         f.tasks_ended = 1;
       },
       JobAction::kWait},
      {"its tasks have ended, a deployment is not answered",
       [](JobFacts& f) {
         InRegions(f);
         f.tasks_ended = 2;
         f.deployments_pending = 1;
       },
       JobAction::kWait},
      {"its tasks have ended",
       [](JobFacts& f) {
         InRegions(f);
         f.tasks_ended = 2;
       },
       JobAction::kReleaseRegions},
      {"another one joins",
       [](JobFacts& f) {
         InRegions(f);
         f.tasks_ended = 2;
         f.regions_failed = true;
       },
       JobAction::kRestartRegions},
      {"waits for the delay",
       [](JobFacts& f) {
         Released(f);
         f.restart_due = false;
       },
       JobAction::kWait},
      {"needs a slot",
       [](JobFacts& f) {
         Released(f);
         f.has_slots = false;
       },
       JobAction::kRequestSlots},
      {"has slots", [](JobFacts& f) { Released(f); }, JobAction::kStoreAttempt},
      {"attempt stored",
       [](JobFacts& f) {
         Released(f);
         f.attempt = StepProgress::kDone;
       },
       JobAction::kReadRestorePoint},
      {"knows what to begin with",
       [](JobFacts& f) {
         Released(f);
         f.attempt = f.restore = StepProgress::kDone;
       },
       JobAction::kDeploy},
      {"deployed, all run",
       [](JobFacts& f) {
         Released(f);
         f.deployed = true;
         f.tasks_running = 2;
       },
       JobAction::kEnterRunning},
      {"all tasks are to restart instead",
       [](JobFacts& f) {
         Released(f);
         f.failed = true;
       },
       JobAction::kEnterFailing},
      {"cancelled",
       [](JobFacts& f) {
         Released(f);
         f.cancel_requested = f.failed = true;
       },
       JobAction::kEnterCancelling},
  };
  Check(cases);
}

}  // namespace
}  // namespace watershed
