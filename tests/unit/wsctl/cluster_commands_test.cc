// The verbs that talk to a cluster, against a gRPC service in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "command_line_run.h"
#include "fake_job_service.h"
#include "job_file_fixture.h"

namespace watershed {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kSession = "3f2a0000000000000000000000000001";
const std::string kBatch = "3f2b0000000000000000000000000002";

v1::JobDetails RunningJob() {
  v1::JobDetails job;
  v1::JobSummary* summary = job.mutable_summary();
  summary->set_job_id(kSession);
  summary->set_name("session");
  summary->set_state(v1::RUNNING);
  summary->set_start_time_ms(kTestNowMs - 90'000);
  summary->set_end_time_ms(-1);
  summary->set_tasks_total(2);
  summary->set_tasks_running(2);
  summary->set_status_reason("broker down,\ntrying \x1b[31magain");
  job.set_attempt(3);
  job.mutable_plan()->set_max_parallelism(128);
  v1::Vertex* vertex = job.mutable_plan()->add_vertices();
  vertex->set_id("aa");
  vertex->set_name("Source: events");
  vertex->set_parallelism(2);
  vertex->add_nodes()->mutable_table_source_scan();
  for (int i = 0; i < 2; ++i) {
    v1::SubtaskStatus* subtask = job.add_subtasks();
    subtask->set_vertex_id("aa");
    subtask->set_subtask(i);
    subtask->set_state(v1::TASK_RUNNING);
    subtask->set_task_manager_id("tm-1");
    subtask->mutable_counters()->set_records_in(1'000'000);
    subtask->mutable_counters()->set_late_records(1);
    subtask->mutable_counters()->set_source_lag_records(i == 0 ? 5 : -1);
    subtask->mutable_counters()->set_input_watermark_ms(1'795'257'000'123 + i);
  }
  job.mutable_subtasks(1)->set_message("partition 1 is unavailable");
  return job;
}

v1::JobDetails EndedJob(const std::string& id, const std::string& name, v1::JobState state) {
  v1::JobDetails job;
  job.mutable_summary()->set_job_id(id);
  job.mutable_summary()->set_name(name);
  job.mutable_summary()->set_state(state);
  job.mutable_summary()->set_start_time_ms(kTestNowMs - 90'000);
  job.mutable_summary()->set_end_time_ms(kTestNowMs - 80'000);
  return job;
}

FakeJobs TwoJobs() {
  FakeJobs jobs;
  jobs.jobs = {RunningJob(), EndedJob(kBatch, "batch", v1::FINISHED)};
  return jobs;
}

CommandResult On(const FakeJobService& service, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--jobmanager", service.address()});
  return RunWsctl(arguments);
}

TEST(ClusterCommandsTest, ListShowsRunningJobsAlignedAndAllWithA) {
  FakeJobService service(TwoJobs());
  CommandResult running = On(service, {"list"});
  EXPECT_EQ(running.code, 0) << running.err;
  EXPECT_THAT(running.out, HasSubstr(kSession + "  session  RUNNING  2026-11-21 10:30:10"));
  EXPECT_THAT(running.out, HasSubstr("1 min 30 s    2/2  broker down, trying \\x1b[31magain\n"));
  EXPECT_THAT(running.out, Not(HasSubstr(kBatch)));
  CommandResult all = On(service, {"list", "-a"});
  EXPECT_THAT(all.out, HasSubstr(kBatch));
  // Every column begins at the same place in every line.
  std::istringstream lines(all.out);
  std::string header, first, second;
  std::getline(lines, header);
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_EQ(header.find("STATE"), first.find("RUNNING"));
  EXPECT_EQ(header.find("STATE"), second.find("FINISHED"));
}

TEST(ClusterCommandsTest, ListOfNothing) {
  FakeJobService service(FakeJobs{});
  EXPECT_EQ(On(service, {"list"}).out, "No running jobs; ended ones: wsctl list -a\n");
  EXPECT_EQ(On(service, {"list", "-a"}).out, "No jobs.\n");
  EXPECT_EQ(json::parse(On(service, {"list", "-o", "json"}).out), json({{"jobs", json::array()}}));
}

TEST(ClusterCommandsTest, ListAsJson) {
  FakeJobService service(TwoJobs());
  CommandResult result = On(service, {"-o", "json", "list", "--all"});
  ASSERT_EQ(result.code, 0);
  json jobs = json::parse(result.out)["jobs"];
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0], json({{"job-id", kSession},
                           {"name", "session"},
                           {"state", "RUNNING"},
                           {"status-reason", "broker down,\ntrying \x1b[31magain"},
                           {"start-time", "2026-11-21T10:30:10.000Z"},
                           {"end-time", nullptr},
                           {"duration-ms", 90'000},
                           {"tasks", {{"total", 2}, {"running", 2}}}}));
  EXPECT_EQ(jobs[1]["end-time"], "2026-11-21T10:30:20.000Z");
  EXPECT_EQ(jobs[1]["duration-ms"], 10'000);
}

TEST(ClusterCommandsTest, GetShowsStateReasonAndVertices) {
  FakeJobService service(TwoJobs());
  CommandResult result = On(service, {"get", "session"});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* text :
       {"State     RUNNING, attempt 3\n", "Reason    broker down, trying \\x1b[31magain\n",
        "running for 1 min 30 s", "Records   in 2,000,000, out –, late 2, skipped 0, lag 5+\n",
        "PARALLELISM",
        "Source: events  RUNNING            2  2,000,000    0     2   5+  "
        "2026-11-21T10:30:00.123Z\n",
        "Source: events: subtask 1: partition 1 is unavailable\n"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
}

FakeJobs JobWithCheckpoints() {
  FakeJobs jobs = TwoJobs();
  v1::JobDetails& job = jobs.jobs[0];
  job.set_restarts(2);
  job.set_last_restart_reason("TaskManager a was lost: its connection broke");
  v1::CheckpointStatistics& checkpoints = *job.mutable_checkpoints();
  checkpoints.set_completed(12);
  checkpoints.set_failed(1);
  v1::CheckpointSummary& last = *checkpoints.mutable_latest_completed();
  last.set_id(13);
  last.set_trigger_time_ms(kTestNowMs - 1000);
  last.set_end_time_ms(kTestNowMs - 880);
  last.set_state_bytes(1'000'000);
  last.set_written_bytes(20'000);
  last.set_path("file:///ck/ab/chk-13-3");
  checkpoints.mutable_latest_failed()->set_id(9);
  checkpoints.mutable_latest_failed()->set_end_time_ms(kTestNowMs - 5000);
  checkpoints.mutable_latest_failed()->set_failure("out (1/1): No space left on device");
  checkpoints.mutable_restored()->set_id(8);
  checkpoints.mutable_restored()->set_path("file:///ck/ab/chk-8-2");
  return jobs;
}

TEST(ClusterCommandsTest, GetShowsCheckpointsFailuresAndRestarts) {
  FakeJobService service(JobWithCheckpoints());
  const CommandResult result = On(service, {"get", "session"});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* text :
       {"Restarts  2, last: TaskManager a was lost: its connection broke\n",
        "Checkpoints 12 completed, 1 failed, 0 in progress\n",
        ", 20,000 B written of 1,000,000 B\n          file:///ck/ab/chk-13-3\n",
        ": out (1/1): No space left on device\n", "  begun with 8, file:///ck/ab/chk-8-2\n"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
  const json job = json::parse(On(service, {"get", "session", "-o", "json"}).out);
  EXPECT_EQ(job["restarts"], 2);
  EXPECT_EQ(job["checkpoints"]["completed"], 12);
  EXPECT_EQ(job["checkpoints"]["latest-completed"]["duration-ms"], 120);
  EXPECT_EQ(job["checkpoints"]["latest-failed"]["failure"], "out (1/1): No space left on device");
  EXPECT_EQ(job["checkpoints"]["restored"]["id"], 8);
}

TEST(ClusterCommandsTest, OfASavepointItsOwnDirectoryIsShown) {
  FakeJobs jobs = JobWithCheckpoints();
  v1::CheckpointStatistics& checkpoints = *jobs.jobs[0].mutable_checkpoints();
  v1::CheckpointSummary& last = *checkpoints.mutable_latest_completed();
  last.set_is_savepoint(true);
  last.set_savepoint_path("file:///sp/savepoint-3f2a00-13-a1b2c3d4");
  *checkpoints.add_recent() = last;
  FakeJobService service(jobs);
  EXPECT_EQ(On(service, {"get", "checkpoints", "session", "-o", "name"}).out,
            last.savepoint_path() + "\n");
  for (const std::vector<std::string>& shown :
       std::vector<std::vector<std::string>>{{"get", "session"},
                                             {"get", "checkpoints", "session", "-o", "wide"},
                                             {"get", "checkpoints", "session", "-o", "json"},
                                             {"get", "session", "-o", "json"}}) {
    const CommandResult result = On(service, shown);
    EXPECT_THAT(result.out, HasSubstr(last.savepoint_path()));
    EXPECT_THAT(result.out, Not(HasSubstr("chk-13-3")));
  }
}

TEST(ClusterCommandsTest, GetSaysOfAJobThatItTakesNoCheckpoints) {
  FakeJobService service(TwoJobs());
  EXPECT_THAT(On(service, {"get", "session"}).out,
              HasSubstr("Checkpoints none: the job takes no checkpoints\n"));
  EXPECT_TRUE(
      json::parse(On(service, {"get", "session", "-o", "json"}).out)["checkpoints"].is_null());
}

TEST(ClusterCommandsTest, GetAsJsonHasSubtasks) {
  FakeJobService service(TwoJobs());
  CommandResult result = On(service, {"get", kSession, "-o", "json"});
  ASSERT_EQ(result.code, 0) << result.err;
  json job = json::parse(result.out);
  EXPECT_EQ(job["attempt"], 3);
  EXPECT_EQ(job["records-in"], 2'000'000);
  EXPECT_EQ(job["lag-records"], 5);
  EXPECT_TRUE(job["records-out"].is_null());  // no vertex with a sink has told
  json vertex = job["vertices"][0];
  EXPECT_EQ(vertex["parallelism"], 2);
  EXPECT_EQ(vertex["late-records"], 2);
  EXPECT_EQ(vertex["watermark"], "2026-11-21T10:30:00.123Z");
  ASSERT_EQ(vertex["subtasks"].size(), 2u);
  EXPECT_EQ(vertex["subtasks"][0]["lag-records"], 5);
  EXPECT_TRUE(vertex["subtasks"][1]["lag-records"].is_null());
  EXPECT_EQ(vertex["subtasks"][1]["message"], "partition 1 is unavailable");
  for (const char* key : {"id", "name", "state", "records-in", "records-out", "bytes-in",
                          "bytes-out", "skipped-records", "message"}) {
    EXPECT_TRUE(vertex.contains(key)) << key;
  }
  for (const char* key :
       {"subtask", "attempt", "state", "task-manager", "endpoint", "start-time", "end-time",
        "records-in", "records-out", "watermark", "busy-ms", "idle-ms", "backpressured-ms"}) {
    EXPECT_TRUE(vertex["subtasks"][0].contains(key)) << key;
  }
}

TEST(ClusterCommandsTest, OfSeveralEndedJobsOfANameTheNewestIsShownAndNoneChanged) {
  FakeJobs jobs;
  const std::string newest = "4f2b0000000000000000000000000003";
  jobs.jobs = {EndedJob(newest, "batch", v1::FAILED), EndedJob(kBatch, "batch", v1::FINISHED)};
  FakeJobService service(jobs);
  EXPECT_EQ(On(service, {"get", "batch", "-o", "name"}).out, newest + "\n");
  for (const char* verb : {"cancel", "stop", "savepoint", "checkpoint"}) {
    const CommandResult result = On(service, {verb, "batch"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("there is no running job 'batch'; ended ones:"));
    EXPECT_THAT(result.err, HasSubstr(newest));
  }
  jobs.jobs.push_back(RunningJob());
  jobs.jobs.back().mutable_summary()->set_name("batch");
  FakeJobService one_runs(jobs);
  EXPECT_EQ(On(one_runs, {"get", "batch", "-o", "name"}).out, kSession + "\n");
  EXPECT_EQ(On(one_runs, {"cancel", "batch", "-o", "name"}).out, kSession + "\n");
}

struct ReferenceCase {
  std::string reference;
  int code;
  std::string text;
};

TEST(ClusterCommandsTest, JobsMayBeNamedByIdPrefixOrName) {
  FakeJobService service(TwoJobs());
  const ReferenceCase cases[] = {
      {kSession, 0, kSession},
      {"3F2A0000000000000000000000000001", 0, kSession},
      {"3f2a", 0, kSession},
      {"session", 0, kSession},
      {"batch", 0, kBatch},
      {"3f2", 1, "2 jobs"},
      {"nothing", 1, "there is no job 'nothing'"},
      {"00", 1, "there is no job '00'"},
  };
  for (const ReferenceCase& c : cases) {
    CommandResult result = On(service, {"get", c.reference});
    EXPECT_EQ(result.code, c.code) << c.reference;
    EXPECT_THAT(result.out + result.err, HasSubstr(c.text)) << c.reference;
  }
}

TEST(ClusterCommandsTest, ANameOfSeveralJobsMeansTheOneThatRuns) {
  FakeJobs jobs = TwoJobs();
  jobs.jobs.push_back(EndedJob("77000000000000000000000000000000", "session", v1::CANCELED));
  {
    FakeJobService service(jobs);
    EXPECT_THAT(On(service, {"get", "session"}).out, HasSubstr(kSession));
  }
  jobs.jobs.push_back(RunningJob());
  jobs.jobs.back().mutable_summary()->set_job_id("88000000000000000000000000000000");
  FakeJobService service(jobs);
  CommandResult result = On(service, {"get", "session"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("8800"));
  EXPECT_THAT(result.err, Not(HasSubstr("7700")));
}

TEST(ClusterCommandsTest, CancelWaitsUntilTheJobHasEnded) {
  FakeJobs jobs = TwoJobs();
  jobs.gets_until_canceled = 2;
  FakeJobService service(jobs);
  CommandResult result = On(service, {"cancel", "session"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "Job " + kSession + " (session) is CANCELED.\n");
  EXPECT_THAT(service.state().cancelled, ElementsAre(kSession));
}

TEST(ClusterCommandsTest, CancelDetachedDoesNotWait) {
  FakeJobs jobs = TwoJobs();
  jobs.gets_until_canceled = -1;
  FakeJobService service(jobs);
  CommandResult result = On(service, {"cancel", "-d", "session", "-o", "json"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(json::parse(result.out)["state"], "CANCELLING");
}

TEST(ClusterCommandsTest, CancelThatDoesNotEndInTimeIsCode3) {
  FakeJobs jobs = TwoJobs();
  jobs.gets_until_canceled = -1;
  FakeJobService service(jobs);
  CommandResult result = On(service, {"cancel", "session", "--timeout", "2s"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("is still CANCELLING after 2s"));
}

TEST(ClusterCommandsTest, CancelOfAJobThatFailsMeanwhileIsCode1) {
  FakeJobs jobs = TwoJobs();
  jobs.gets_until_canceled = 0;
  jobs.state_after_cancel = v1::FAILED;
  FakeJobService service(jobs);
  EXPECT_EQ(On(service, {"cancel", "session"}).code, 1);
}

TEST(ClusterCommandsTest, CancelOfAnEndedJob) {
  FakeJobs jobs = TwoJobs();
  jobs.jobs.push_back(EndedJob("77000000000000000000000000000000", "gone", v1::CANCELED));
  FakeJobService service(jobs);
  CommandResult finished = On(service, {"cancel", "batch"});
  EXPECT_EQ(finished.code, 1);
  EXPECT_THAT(finished.err, HasSubstr("it is FINISHED"));
  EXPECT_EQ(On(service, {"cancel", "gone"}).code, 0);
  EXPECT_TRUE(service.state().cancelled.empty());
}

TEST(ClusterCommandsTest, VersionOfTheCluster) {
  FakeJobService service(FakeJobs{});
  CommandResult result = On(service, {"version", "--cluster"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("jobmanager 9.8.7 (commit c0ffee)"));
}

class SubmitTest : public testing::Test {
 protected:
  FilesForTest files_;
  std::string path_ = files_.Write("numbers.yaml", kNumbersJob);
};

TEST_F(SubmitTest, PrintsTheJobIdInFlinksWords) {
  FakeJobService service(FakeJobs{});
  CommandResult result = On(service, {"submit", path_});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "Job has been submitted with JobID " + std::string(32, 'e') + "\n");
  EXPECT_EQ(result.err, "warning: no checkpoints yet\n");
  ASSERT_EQ(service.state().submitted.size(), 1u);
  EXPECT_EQ(service.state().submitted[0].name(), "numbers");
  EXPECT_FALSE(service.state().submitted[0].has_parallelism());
}

TEST_F(SubmitTest, AsJsonAndWithParallelism) {
  FakeJobService service(FakeJobs{});
  CommandResult result = On(service, {"submit", path_, "-p", "3", "-o", "json"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(json::parse(result.out), json({{"job-id", std::string(32, 'e')},
                                           {"name", "numbers"},
                                           {"warnings", {"no checkpoints yet"}}}));
  EXPECT_EQ(service.state().submitted[0].parallelism(), 3);
}

TEST_F(SubmitTest, FromACheckpoint) {
  FakeJobService service(FakeJobs{});
  ASSERT_EQ(On(service, {"submit", path_}).code, 0);
  ASSERT_EQ(On(service, {"submit", "-s", "file:///ck/ab/chk-7-1", path_}).code, 0);
  ASSERT_EQ(On(service, {"submit", "-s", "file:///s/savepoint-1", path_, "--fork", "-n",
                         "--allow-drained", "--allow-duplicates"})
                .code,
            0);
  const std::vector<v1::SubmitJobRequest> submissions = service.state().submissions;
  ASSERT_EQ(submissions.size(), 3u);
  EXPECT_EQ(submissions[0].restore_path(), "");
  EXPECT_EQ(submissions[1].restore_path(), "file:///ck/ab/chk-7-1");
  EXPECT_FALSE(submissions[1].restore_options().fork());
  EXPECT_FALSE(submissions[1].restore_options().allow_drained());
  EXPECT_FALSE(submissions[1].restore_options().allow_non_restored_state());
  EXPECT_TRUE(submissions[2].restore_options().fork());
  EXPECT_TRUE(submissions[2].restore_options().allow_drained());
  EXPECT_TRUE(submissions[2].restore_options().allow_non_restored_state());
  EXPECT_FALSE(submissions[1].restore_options().allow_duplicates());
  EXPECT_TRUE(submissions[2].restore_options().allow_duplicates());
}

TEST_F(SubmitTest, VariablesOfTheFileWinOverTheEnvironment) {
  FakeJobService service(FakeJobs{});
  CommandContext context;
  context.environment = {{"SINK", "print"}};
  RunWsctl({"submit", path_, "--jobmanager", service.address()}, context);
  std::string env_file = files_.Write("flink-env.env", "SINK=blackhole\n");
  RunWsctl({"submit", path_, "--env-file", env_file, "--jobmanager", service.address()}, context);
  auto submitted = service.state().submitted;
  ASSERT_EQ(submitted.size(), 2u);
  EXPECT_EQ(submitted[0].sinks(0).connector().name(), "print");
  EXPECT_EQ(submitted[1].sinks(0).connector().name(), "blackhole");
}

TEST_F(SubmitTest, ABadFileIsCode2AndNothingIsSubmitted) {
  FakeJobService service(FakeJobs{});
  files_.Write("numbers.yaml", "kind: Job\nname: x\nsourcess: {}\n");
  CommandResult result = On(service, {"submit", path_});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr(path_ + ":3:1: error: "));
  EXPECT_TRUE(service.state().submitted.empty());
  EXPECT_EQ(On(service, {"submit", "/does/not/exist.yaml"}).code, 2);
  EXPECT_EQ(On(service, {"submit", "/"}).code, 2);
  CommandResult no_env = On(service, {"submit", path_, "--env-file", "/does/not/exist.env"});
  EXPECT_EQ(no_env.code, 2);
  EXPECT_THAT(no_env.err, HasSubstr("exist.env"));
}

TEST_F(SubmitTest, AGraphThatTheJobManagerRefusesIsCode2) {
  FakeJobs jobs;
  jobs.refuse_submission = "parallelism 500 is above max-parallelism 128";
  FakeJobService service(jobs);
  CommandResult result = On(service, {"submit", path_});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err, "error: parallelism 500 is above max-parallelism 128\n");
  EXPECT_EQ(result.out, "");
}

TEST_F(SubmitTest, EveryVerbSaysUnreachableWithCode4) {
  std::string address = UnusedAddress();
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"list"},
                                                    {"get", "x"},
                                                    {"cancel", "x"},
                                                    {"submit", path_},
                                                    {"version", "--cluster"}}) {
    std::vector<std::string> full = arguments;
    full.insert(full.end(), {"--jobmanager", address});
    CommandResult result = RunWsctl(full);
    EXPECT_EQ(result.code, 4) << arguments[0];
    EXPECT_THAT(result.err, HasSubstr("no JobManager can be reached at " + address));
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(SubmitTest, EveryVerbSaysTimedOutWithCode3) {
  FakeJobs jobs = TwoJobs();
  jobs.never_answer = true;
  FakeJobService service(jobs);
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"list"},
                                                    {"get", "x"},
                                                    {"cancel", "x"},
                                                    {"submit", path_},
                                                    {"version", "--cluster"}}) {
    std::vector<std::string> full = arguments;
    full.insert(full.end(), {"--timeout", "1500ms"});
    CommandResult result = On(service, full);
    EXPECT_EQ(result.code, 3) << arguments[0] << result.err;
    EXPECT_THAT(result.err, HasSubstr("did not answer within 1500ms"));
  }
}

}  // namespace
}  // namespace watershed
