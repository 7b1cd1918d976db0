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

TEST(JobDecisionTest, Table) {
  const std::vector<Case> cases = {
      {"submitted", [](JobFacts&) {}, JobAction::kRequestSlots},
      {"slots held", [](JobFacts& f) { f.has_slots = true; }, JobAction::kDiscoverSplits},
      {"discovering", [](JobFacts& f) { f.has_slots = f.discovery_under_way = true; },
       JobAction::kWait},
      {"splits known", [](JobFacts& f) { f.has_slots = f.has_splits = true; }, JobAction::kDeploy},
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
      {"failure before cancellation", [](JobFacts& f) { f.failed = f.cancel_requested = true; },
       JobAction::kEnterFailing},
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
      {"all finished when the cancellation came",
       [](JobFacts& f) {
         Deployed(f);
         f.state = v1::RUNNING;
         f.cancel_requested = true;
         f.tasks_finished = f.tasks_ended = 4;
       },
       JobAction::kEnterFinished},
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
  for (const Case& c : cases) {
    JobFacts facts = Submitted();
    c.facts(facts);
    EXPECT_EQ(static_cast<int>(DecideNext(facts)), static_cast<int>(c.expected)) << c.what;
  }
}

}  // namespace
}  // namespace watershed
