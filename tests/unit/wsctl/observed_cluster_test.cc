// A real JobManager and two real TaskManagers in this process, seen from outside: wsctl over gRPC,
// REST over HTTP, and the Prometheus pages of both, for a run whose every record is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "command_line_run.h"
#include "job_file_fixture.h"
#include "jobmanager/job_manager_process.h"
#include "runtime/logging/log_control.h"
#include "scripted_connectors.h"
#include "taskmanager/task_manager_process.h"
#include "tests/unit/jobmanager/rest/tcp_client.h"
#include "watershed/v1/control.pb.h"

namespace watershed {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr int64_t kMinuteMs = 60'000;

const std::string kJob = R"(kind: Job
name: observed
parallelism: 2
sources:
  rows:
    connector: datagen
    columns:
      host: string
      event_time: timestamp
    watermark: { column: event_time, delay: 0s }
operators:
  hits:
    input: rows
    type: tumbling-window
    size: 1min
    key: [host]
    aggregate: { n: count(*) }
sinks:
  out:
    input: hits
    connector: blackhole
)";

Config ConfigWith(const std::vector<std::pair<std::string, std::string>>& values) {
  Config config;
  for (const auto& [key, value] : values) {
    if (Status status = config.Set(key, value); !status) ADD_FAILURE() << status.error().message;
  }
  return config;
}

class ObservedClusterTest : public testing::Test {
 protected:
  void SetUp() override {
    auto jobmanager = JobManagerProcess::Start(ConfigWith(
        {{"jobmanager.rpc.port", "0"}, {"rest.port", "0"}, {"metrics.reporter.prom.port", "0"}}));
    ASSERT_TRUE(jobmanager) << jobmanager.error().message;
    jobmanager_ = std::move(*jobmanager);
    std::string rpc_port = std::to_string(jobmanager_->ports()["rpc"]);
    address_ = "localhost:" + rpc_port;
    for (auto& worker : workers_) {
      auto started = TaskManagerProcess::Start(ConfigWith({{"jobmanager.rpc.port", rpc_port},
                                                           {"taskmanager.numberOfTaskSlots", "1"},
                                                           {"io.tmp.dirs", files_.directory()},
                                                           {"metrics.reporter.prom.port", "0"}}),
                                               connectors_);
      ASSERT_TRUE(started) << started.error().message;
      worker = std::move(*started);
    }
  }

  void TearDown() override {
    for (auto& worker : workers_) worker.reset();
    jobmanager_.reset();
  }

  CommandResult Wsctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--jobmanager", address_});
    return RunWsctl(arguments);
  }

  static std::string Http(int port, const std::string& method, const std::string& target) {
    TcpClient client(static_cast<uint16_t>(port));
    client.Send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return client.ReadToEnd();
  }
  json Rest(const std::string& target) {
    std::string response = Http(jobmanager_->ports()["rest"], "GET", target);
    return json::parse(response.substr(response.find("\r\n\r\n") + 4), nullptr, false);
  }

  // The sum of a metric's series on a process's Prometheus page whose labels contain all of
  // `labels`; nothing when there is no such series.
  static std::optional<double> Metric(int port, const std::string& name,
                                      const std::vector<std::string>& labels = {}) {
    std::istringstream lines(Http(port, "GET", "/metrics"));
    std::optional<double> sum;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(name) || (line[name.size()] != '{' && line[name.size()] != ' '))
        continue;
      bool matches = true;
      for (const std::string& label : labels) matches &= line.find(label) != line.npos;
      if (matches) sum = sum.value_or(0) + std::stod(line.substr(line.rfind(' ')));
    }
    return sum;
  }
  // Of both TaskManagers.
  std::optional<double> TaskMetric(const std::string& name,
                                   const std::vector<std::string>& labels = {}) {
    std::optional<double> sum;
    for (const auto& worker : workers_) {
      auto value = Metric(worker->ports()["metrics"], name, labels);
      if (value) sum = sum.value_or(0) + *value;
    }
    return sum;
  }

  // Asks until it is so; ctest's timeout bounds it.
  template <typename Condition>
  static void Await(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  // Six rows on time, of which four leave as two with the first window; then a late one, which the
  // pre-aggregation holds until the next row moves the watermark. 8 in, 2 out, 1 late.
  void FeedKnownRows() {
    for (int i = 0; i < 4; ++i) script_.Add(i % 2 == 0 ? "a" : "b", 1000 + i);
    script_.Add("a", 5 * kMinuteMs);
    script_.Add("b", 5 * kMinuteMs);
    script_.SetLag(17);
    Await([&] { return TaskMetric("watershed_sink_committed_records") == 2.0; });
    script_.Add("c", 2000);
    script_.Add("a", 5 * kMinuteMs + 1);
    Await([&] {
      return TaskMetric("flink_taskmanager_job_task_operator_numLateRecordsDropped") == 1.0;
    });
  }

  FilesForTest files_;
  std::string job_file_ = files_.Write("observed.yaml", kJob);
  SourceScript script_;
  ScriptedConnectors connectors_{&script_};
  std::unique_ptr<JobManagerProcess> jobmanager_;
  std::unique_ptr<TaskManagerProcess> workers_[2];
  std::string address_;
};

TEST_F(ObservedClusterTest, EverySideTellsTheSameKnownRun) {
  CommandResult submitted = Wsctl({"submit", job_file_});
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  // By hand: gcc 12 warns of std::regex under sanitizers.
  const std::string before = "Job has been submitted with JobID ";
  ASSERT_TRUE(submitted.out.starts_with(before) && submitted.out.ends_with('\n')) << submitted.out;
  std::string job_id =
      submitted.out.substr(before.size(), submitted.out.size() - before.size() - 1);
  ASSERT_EQ(job_id.size(), 32U);
  ASSERT_EQ(job_id.find_first_not_of("0123456789abcdef"), std::string::npos) << job_id;
  FeedKnownRows();

  // Prometheus, TaskManagers.
  const std::string scan = "operator_id=\"rows\"";
  EXPECT_EQ(TaskMetric("flink_taskmanager_job_task_operator_numRecordsOut", {scan}), 8);
  EXPECT_EQ(TaskMetric("flink_taskmanager_job_task_operator_numLateRecordsDropped",
                       {"job_name=\"observed\"", "tm_id="}),
            1);
  EXPECT_EQ(TaskMetric("flink_taskmanager_job_task_operator_pendingRecords", {scan}).has_value(),
            true);
  EXPECT_EQ(TaskMetric("watershed_source_partition_lag_records",
                       {"topic=\"scripted\"", "partition=\"0\""}),
            17);
  EXPECT_EQ(TaskMetric("flink_taskmanager_job_task_operator_KafkaSourceReader_KafkaConsumer_"
                       "records_lag_max"),
            17);
  EXPECT_EQ(TaskMetric("flink_taskmanager_job_task_operator_currentOutputWatermark",
                       {scan, "subtask_index=\"0\""}),
            5 * kMinuteMs + 1);
  EXPECT_EQ(TaskMetric("flink_taskmanager_job_task_operator_numRecordsSend"), 2);
  // Prometheus, JobManager.
  int page = jobmanager_->ports()["metrics"];
  EXPECT_EQ(Metric(page, "flink_jobmanager_numRegisteredTaskManagers"), 2);
  EXPECT_EQ(Metric(page, "flink_jobmanager_numRunningJobs"), 1);
  EXPECT_EQ(Metric(page, "flink_jobmanager_taskSlotsTotal"), 2);
  EXPECT_EQ(Metric(page, "flink_jobmanager_taskSlotsAvailable"), 0);
  EXPECT_TRUE(Metric(page, "flink_jobmanager_job_uptime", {"job_id=\"" + job_id + "\""}));

  // wsctl and REST show what heartbeats carried.
  json job;
  Await([&] {
    job = json::parse(Wsctl({"get", "observed", "-o", "json"}).out);
    return job["late-records"] == 1 && job["records-in"] == 8 && job["records-out"] == 2;
  });
  EXPECT_EQ(job["job-id"], job_id);
  EXPECT_EQ(job["state"], "RUNNING");
  EXPECT_EQ(job["lag-records"], 17);
  EXPECT_EQ(job["vertices"].back()["watermark"], "1970-01-01T00:05:00.001Z");
  json details = Rest("/v1/jobs/" + job_id);
  EXPECT_EQ(details["state"], "RUNNING");
  EXPECT_EQ(details["watershed"]["records-in"], 8);
  EXPECT_EQ(details["watershed"]["records-out"], 2);
  EXPECT_EQ(details["watershed"]["late-records"], 1);
  EXPECT_EQ(details["vertices"][0]["watershed"]["lag-records"], 17);
  EXPECT_EQ(details["vertices"].size(), details["plan"]["nodes"].size());
  EXPECT_EQ(Rest("/overview")["slots-available"], 0);
  EXPECT_EQ(Rest("/taskmanagers")["taskmanagers"].size(), 2u);
  std::string worker_id = Rest("/taskmanagers")["taskmanagers"][0]["id"];
  EXPECT_EQ(Rest("/taskmanagers/" + worker_id)["allocatedSlots"][0]["jobId"], job_id);
  EXPECT_EQ(Wsctl({"list"}).code, 0);

  CommandResult cancelled = Wsctl({"cancel", job_id.substr(0, 6)});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_THAT(cancelled.out, HasSubstr("CANCELED"));
  EXPECT_EQ(Rest("/jobs/" + job_id)["state"], "CANCELED");
}

TEST_F(ObservedClusterTest, RestCancelsARunningJob) {
  std::string id = json::parse(Wsctl({"submit", job_file_, "-o", "json"}).out)["job-id"];
  Await([&] { return Rest("/jobs/" + id)["state"] == "RUNNING"; });
  EXPECT_THAT(Http(jobmanager_->ports()["rest"], "PATCH", "/jobs/" + id + "?mode=cancel"),
              testing::StartsWith("HTTP/1.1 202 "));
  Await([&] { return Rest("/jobs/" + id)["state"] == "CANCELED"; });
  EXPECT_THAT(Http(jobmanager_->ports()["rest"], "GET", "/jobs/" + id + "/yarn-cancel"),
              testing::StartsWith("HTTP/1.1 202 "));
}

// TaskManagers outlive a JobManager: the end of their connections to it is not the end of them.
TEST_F(ObservedClusterTest, AJobManagerThatIsStoppedDoesNotFailItsJobs) {
  const std::string id = json::parse(Wsctl({"submit", job_file_, "-o", "json"}).out)["job-id"];
  Await([&] { return Rest("/jobs/" + id)["state"] == "RUNNING"; });
  jobmanager_->Stop();
  for (const LogLineEntry& line : ProcessLog().Read({.job = id}).lines) {
    EXPECT_THAT(line.message, testing::Not(HasSubstr("-> FAILING")));
  }
}

TEST_F(ObservedClusterTest, FollowingTheLogOfAJobEndsWithIt) {
  const std::string id = json::parse(Wsctl({"submit", job_file_, "-o", "json"}).out)["job-id"];
  EXPECT_EQ(Wsctl({"logs", "--follow", "--job", id, "--timeout", "1s"}).code, 3);
  EXPECT_EQ(Wsctl({"cancel", id}).code, 0);
  const CommandResult log = Wsctl({"logs", "--follow", "--job", id});
  EXPECT_EQ(log.code, 0) << log.err;
  EXPECT_THAT(log.out, HasSubstr("-> CANCELED"));
}

TEST_F(ObservedClusterTest, AHeartbeatIntervalThatIsTooLongIsSaid) {
  const auto started = JobManagerProcess::Start(ConfigWith({{"jobmanager.rpc.port", "0"},
                                                            {"rest.port", "0"},
                                                            {"metrics.reporter.prom.port", "0"},
                                                            {"heartbeat.interval", "10s"},
                                                            {"heartbeat.timeout", "4s"}}));
  ASSERT_TRUE(started);
  bool is_said = false;
  for (const LogLineEntry& line : ProcessLog().Read({.least = LogLevel::kWarn}).lines) {
    is_said |= line.message.starts_with("heartbeat.interval: 1s is used instead of 10s");
  }
  EXPECT_TRUE(is_said);
}

TEST_F(ObservedClusterTest, AJobThatWaitsForSlotsSaysSo) {
  ASSERT_EQ(Wsctl({"submit", job_file_, "-p", "5"}).code, 0);
  CommandResult get = Wsctl({"get", "observed"});
  EXPECT_THAT(get.out, HasSubstr("CREATED"));
  EXPECT_THAT(get.out, HasSubstr("Reason    waiting for"));
  EXPECT_EQ(Rest("/jobs/overview")["jobs"][0]["state"], "CREATED");
  EXPECT_THAT(Rest("/jobs/overview")["jobs"][0]["watershed"]["status-reason"].get<std::string>(),
              HasSubstr("waiting for"));
  EXPECT_EQ(Wsctl({"cancel", "observed"}).code, 0);
}

TEST_F(ObservedClusterTest, SecretsAreShownNowhere) {
  std::string file = files_.Write("secret.yaml", R"(kind: Job
name: secret
parallelism: 5
sources:
  rows:
    connector: kafka
    topic: t
    properties.bootstrap.servers: localhost:1
    properties.security.protocol: SASL_SSL
    properties.sasl.mechanism: PLAIN
    properties.sasl.username: somebody
    properties.sasl.password: hunter2
    scan.startup.mode: earliest-offset
    format: json
    columns: { host: string }
sinks:
  out:
    input: rows
    connector: postgres
    url: postgresql://me:hunter2@localhost:1/db
    username: me
    password: hunter2
    table-name: t
)");
  CommandResult submitted = Wsctl({"submit", file, "-o", "json"});
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  std::string id = json::parse(submitted.out)["job-id"];
  std::string all = submitted.out + submitted.err + Wsctl({"lint", file, "-o", "json"}).out;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"list"},
                                                    {"list", "-o", "json"},
                                                    {"get", id},
                                                    {"get", id, "-o", "json"}}) {
    all += Wsctl(arguments).out;
  }
  int rest = jobmanager_->ports()["rest"];
  for (const std::string& target : {"/jobs/" + id, std::string("/jobs/overview")}) {
    all += Http(rest, "GET", target);
  }
  all += Http(jobmanager_->ports()["metrics"], "GET", "/metrics");
  Result<v1::JobDetails> details = jobmanager_->view().FindJob(id);
  ASSERT_TRUE(details);
  all += details->DebugString();
  EXPECT_THAT(all, HasSubstr("somebody"));  // the plan is there
  EXPECT_THAT(all, testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(Wsctl({"cancel", id}).code, 0);
}

TEST_F(ObservedClusterTest, UnknownJobsAndAGoneJobManager) {
  EXPECT_EQ(Wsctl({"get", "nobody"}).code, 1);
  EXPECT_EQ(Wsctl({"cancel", "nobody"}).code, 1);
  EXPECT_EQ(Wsctl({"version", "--cluster"}).code, 0);
  jobmanager_->Stop();
  EXPECT_EQ(Wsctl({"list"}).code, 4);
}

}  // namespace
}  // namespace watershed
