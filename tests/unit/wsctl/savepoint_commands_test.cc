// checkpoint, savepoint and stop, against a gRPC service in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "command_line_run.h"
#include "fake_job_service.h"

namespace watershed {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kJob = "3f2a0000000000000000000000000001";

FakeJobs OneJob() {
  FakeJobs jobs;
  v1::JobSummary& summary = *jobs.jobs.emplace_back().mutable_summary();
  summary.set_job_id(kJob);
  summary.set_name("session");
  summary.set_state(v1::RUNNING);
  summary.set_end_time_ms(-1);
  jobs.operation.set_status(v1::Operation::OPERATION_COMPLETED);
  jobs.operation.set_checkpoint_id(7);
  jobs.operation.set_path("file:///s/savepoint-3f2a00-7-a1b2c3d4");
  return jobs;
}

CommandResult On(const FakeJobService& service, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--jobmanager", service.address()});
  return RunWsctl(arguments);
}

struct Case {
  std::vector<std::string> arguments;
  std::string asked;
  std::string said;
};

TEST(SavepointCommandsTest, EachAsksAndWaitsAndSaysFlinksWords) {
  const std::string path = "completed. Path: file:///s/savepoint-3f2a00-7-a1b2c3d4\n";
  for (const Case& c : std::vector<Case>{
           {{"savepoint", "session"}, "savepoint " + kJob + " ", "Savepoint " + path},
           {{"savepoint", "3f2a", "file:///x"},
            "savepoint " + kJob + " file:///x",
            "Savepoint " + path},
           {{"stop", "session"}, "stop " + kJob + " ", "Savepoint " + path},
           {{"stop", "session", "--drain", "-p", "file:///x"},
            "stop " + kJob + " file:///x drain",
            "Savepoint " + path},
           {{"checkpoint", "session"}, "checkpoint " + kJob, "Checkpoint " + path},
           {{"savepoint", "--dispose", "file:///s/savepoint-1"},
            "dispose file:///s/savepoint-1",
            "Savepoint 'file:///s/savepoint-1' disposed.\n"},
       }) {
    FakeJobService service(OneJob());
    const CommandResult result = On(service, c.arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, c.said);
    EXPECT_THAT(service.state().operations, ElementsAre(c.asked));
  }
}

TEST(SavepointCommandsTest, AsJsonThePathIsAField) {
  FakeJobService service(OneJob());
  const json done = json::parse(On(service, {"stop", "session", "-o", "json"}).out);
  EXPECT_EQ(done["job-id"], kJob);
  EXPECT_EQ(done["checkpoint-id"], 7);
  EXPECT_EQ(done["path"], "file:///s/savepoint-3f2a00-7-a1b2c3d4");
}

TEST(SavepointCommandsTest, WhatFailsOrIsRefusedIsSaidWithItsReason) {
  FakeJobs jobs = OneJob();
  jobs.operation.set_status(v1::Operation::OPERATION_FAILED);
  jobs.operation.set_failure("checkpoint 7 failed: no space");
  FakeJobService failing(jobs);
  const CommandResult failed = On(failing, {"stop", "session"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("checkpoint 7 failed: no space"));
  EXPECT_EQ(failed.out, "");
  jobs.refuse_operation = "no directory for the savepoint";
  FakeJobService refusing(jobs);
  EXPECT_EQ(On(refusing, {"savepoint", "session"}).code, 2);
  EXPECT_EQ(On(refusing, {"savepoint", "--dispose", "x"}).code, 2);
  EXPECT_EQ(On(refusing, {"stop", "nobody"}).code, 1);
}

TEST(SavepointCommandsTest, ADirectoryThatCannotBeMadeIsNoJobManagerThatIsAway) {
  FakeJobs jobs = OneJob();
  jobs.fail_operation = "cannot make directory '/sys/nosuch': Operation not permitted";
  FakeJobService service(jobs);
  for (const char* verb : {"savepoint", "stop"}) {
    const CommandResult result = On(service, {verb, "session"});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.err, "error: " + jobs.fail_operation + "\n");
  }
}

TEST(SavepointCommandsTest, AJobManagerThatIsAwayIsWaitedForAndThatIsSaid) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"savepoint", "session"},
                                             {"stop", "session"},
                                             {"stop", "session", "-d"},
                                             {"checkpoint", "session"}}) {
    FakeJobs jobs = OneJob();
    jobs.calls_away = 2;
    FakeJobService service(jobs);
    const CommandResult result = On(service, arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.err, StartsWith("no JobManager can be reached at " + service.address()));
    EXPECT_THAT(result.err, HasSubstr("waiting for it for up to 30s"));
    EXPECT_EQ(service.state().operations.size(), 1U);
  }
}

TEST(SavepointCommandsTest, AStopOfAJobThatWaitsSaysThatItWaits) {
  FakeJobs jobs = OneJob();
  jobs.jobs[0].mutable_summary()->set_state(v1::CREATED);
  jobs.jobs[0].mutable_summary()->set_status_reason("waiting for slots");
  FakeJobService service(jobs);
  const CommandResult result = On(service, {"stop", "session"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "job " + kJob + " is CREATED: waiting for slots\n");
  const CommandResult detached = On(service, {"stop", "session", "-d"});
  EXPECT_EQ(detached.out, "Job " + kJob + " (session) is CREATED: waiting for slots.\n");
}

TEST(SavepointCommandsTest, ATimeoutSaysThatItGoesOn) {
  FakeJobs jobs = OneJob();
  jobs.questions_until_done = 1'000'000;
  FakeJobService service(jobs);
  const CommandResult result = On(service, {"stop", "session", "--timeout", "2s"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("goes on. See: wsctl get 3f2a0000"));
}

TEST(SavepointCommandsTest, WrongUsageIsRefusedBeforeAnybodyIsAsked) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"savepoint"},
                                             {"stop"},
                                             {"checkpoint"},
                                             {"savepoint", "session", "--dispose", "x"},
                                             {"submit", "x.yaml", "--fork"},
                                             {"submit", "x.yaml", "--allow-drained"},
                                             {"submit", "x.yaml", "--allow-duplicates"},
                                             {"submit", "x.yaml", "--allow-non-restored-state"}}) {
    EXPECT_EQ(RunWsctl(arguments).code, 2) << arguments[0];
  }
}

}  // namespace
}  // namespace watershed
