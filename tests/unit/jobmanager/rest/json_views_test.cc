// The JSON has every field that Flink's REST API v1 snapshot (2.3) names, with its type: a missing
// primitive fails a whole response in Flink's clients.
#include "jobmanager/rest/json_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "fake_job_view.h"

namespace watershed {
namespace {

constexpr BuildInfo kBuild{.version = "0.1.0", .commit = "abc"};

bool HasType(const Json& value, std::string_view type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  return false;
}

// `fields`: "path type" entries separated by '|'; "x[]" descends into every element of an array,
// which must not be empty.
void CheckField(const Json& json, const std::string& path, const std::string& type,
                const std::string& whole) {
  size_t end = path.find_first_of(".[");
  std::string key = path.substr(0, end);
  ASSERT_TRUE(json.is_object() && json.contains(key)) << whole;
  const Json& value = json[key];
  if (end == path.npos) {
    EXPECT_TRUE(HasType(value, type)) << whole << " is " << value.dump() << ", not " << type;
  } else if (path[end] == '.') {
    CheckField(value, path.substr(end + 1), type, whole);
  } else {
    ASSERT_TRUE(value.is_array() && !value.empty()) << whole;
    for (const Json& item : value) CheckField(item, path.substr(end + 3), type, whole);
  }
}

void CheckShape(const Json& json, const std::string& fields) {
  std::istringstream entries(fields);
  for (std::string entry; std::getline(entries, entry, '|');) {
    std::istringstream words(entry);
    std::string path, type;
    words >> path >> type;
    CheckField(json, path, type, path);
  }
}

const std::string kTaskManagerFields =
    "id string|path string|dataPort integer|jmxPort integer|timeSinceLastHeartbeat integer|"
    "slotsNumber integer|freeSlots integer|assignedTasks integer|totalResource.cpuCores number|"
    "totalResource.taskHeapMemory integer|totalResource.taskOffHeapMemory integer|"
    "totalResource.managedMemory integer|totalResource.networkMemory integer|"
    "totalResource.extendedResources object|freeResource.cpuCores number|"
    "freeResource.taskHeapMemory integer|freeResource.taskOffHeapMemory integer|"
    "freeResource.managedMemory integer|freeResource.networkMemory integer|"
    "freeResource.extendedResources object|hardware.cpuCores integer|"
    "hardware.physicalMemory integer|hardware.freeMemory integer|hardware.managedMemory integer|"
    "memoryConfiguration.frameworkHeap integer|memoryConfiguration.taskHeap integer|"
    "memoryConfiguration.frameworkOffHeap integer|memoryConfiguration.taskOffHeap integer|"
    "memoryConfiguration.networkMemory integer|memoryConfiguration.managedMemory integer|"
    "memoryConfiguration.jvmMetaspace integer|memoryConfiguration.jvmOverhead integer|"
    "memoryConfiguration.totalFlinkMemory integer|memoryConfiguration.totalProcessMemory integer|"
    "blocked boolean";

TEST(JsonViewsTest, Config) {
  CheckShape(
      ConfigJson(kBuild),
      "refresh-interval integer|timezone-name string|timezone-offset integer|"
      "flink-version string|flink-revision string|features.web-submit boolean|"
      "features.web-cancel boolean|features.web-rescale boolean|features.web-history boolean");
  EXPECT_EQ(ConfigJson(kBuild)["features"]["web-submit"], false);
}

TEST(JsonViewsTest, OverviewCountsJobsAndSlots) {
  FakeJobView view;
  view.jobs.push_back(SampleJob());
  view.jobs.back().mutable_summary()->set_state(v1::FAILED);
  view.jobs.push_back(SampleJob());
  view.jobs.back().mutable_summary()->set_state(v1::CANCELED);
  view.jobs.push_back(SampleJob());
  view.jobs.back().mutable_summary()->set_state(v1::CREATED);
  Json json = OverviewJson(view.Jobs(), view.task_managers, kBuild);
  CheckShape(json,
             "taskmanagers integer|slots-total integer|slots-available integer|"
             "taskmanagers-blocked integer|slots-free-and-blocked integer|jobs-running integer|"
             "jobs-finished integer|jobs-cancelled integer|jobs-failed integer|"
             "flink-version string|flink-commit string");
  EXPECT_EQ(json["jobs-running"], 2);
  EXPECT_EQ(json["jobs-finished"], 1);
  EXPECT_EQ(json["jobs-cancelled"], 1);
  EXPECT_EQ(json["jobs-failed"], 1);
  EXPECT_EQ(json["slots-total"], 4);
  EXPECT_EQ(json["slots-available"], 1);
}

TEST(JsonViewsTest, JobLists) {
  FakeJobView view;
  CheckShape(JobIdsJson(view.Jobs()), "jobs[].id string|jobs[].status string");
  Json json = JobsOverviewJson(view.Jobs(), kNowMs);
  CheckShape(json,
             "jobs[].jid string|jobs[].name string|jobs[].jobType string|"
             "jobs[].schedulerType string|jobs[].start-time integer|jobs[].end-time integer|"
             "jobs[].duration integer|jobs[].state string|jobs[].last-modification integer|"
             "jobs[].tasks object|jobs[].tasks.total integer|jobs[].tasks.running integer|"
             "jobs[].tasks.canceling integer|jobs[].tasks.initializing integer|"
             "jobs[].tasks.reconciling integer|jobs[].pending-operators integer");
  EXPECT_EQ(json["jobs"][0]["duration"], 60'000);
  EXPECT_EQ(json["jobs"][0]["end-time"], -1);
  EXPECT_EQ(json["jobs"][0]["tasks"]["running"], 3);
  EXPECT_EQ(json["jobs"][1]["duration"], 2'000);
  EXPECT_EQ(json["jobs"][1]["state"], "FINISHED");
}

TEST(JsonViewsTest, JobDetailsHasFlinksShape) {
  CheckShape(
      JobDetailsJson(SampleJob(), kNowMs),
      "jid string|name string|isStoppable boolean|state string|job-type string|"
      "schedulerType string|start-time integer|end-time integer|duration integer|"
      "maxParallelism integer|now integer|timestamps object|timestamps.RUNNING integer|"
      "timestamps.RECONCILING integer|vertices[].id string|vertices[].slotSharingGroupId string|"
      "vertices[].name string|vertices[].maxParallelism integer|vertices[].parallelism integer|"
      "vertices[].status string|vertices[].start-time integer|vertices[].end-time integer|"
      "vertices[].duration integer|vertices[].tasks object|vertices[].tasks.RUNNING integer|"
      "vertices[].tasks.FAILED integer|vertices[].metrics.read-bytes integer|"
      "vertices[].metrics.read-bytes-complete boolean|vertices[].metrics.write-bytes integer|"
      "vertices[].metrics.write-bytes-complete boolean|vertices[].metrics.read-records integer|"
      "vertices[].metrics.read-records-complete boolean|vertices[].metrics.write-records integer|"
      "vertices[].metrics.write-records-complete boolean|"
      "vertices[].metrics.accumulated-backpressured-time integer|"
      "vertices[].metrics.accumulated-idle-time integer|"
      "vertices[].metrics.accumulated-busy-time number|status-counts object|plan.jid string|"
      "plan.name string|plan.type string|plan.nodes[].id string|plan.nodes[].operator string|"
      "plan.nodes[].parallelism integer|plan.nodes[].operator_strategy string|"
      "plan.nodes[].description string|plan.nodes[].optimizer_properties object|"
      "pending-operators integer");
}

TEST(JsonViewsTest, JobDetailsAddsUpSubtasks) {
  Json json = JobDetailsJson(SampleJob(), kNowMs);
  const Json& source = json["vertices"][0];
  EXPECT_EQ(source["metrics"]["read-records"], 1500);
  EXPECT_EQ(source["metrics"]["read-records-complete"], true);
  EXPECT_EQ(source["status"], "RUNNING");
  EXPECT_EQ(source["duration"], kNowMs - 41'000);
  EXPECT_EQ(source["watershed"]["late-records"], 6);
  EXPECT_EQ(source["watershed"]["lag-records"], 42);
  EXPECT_EQ(source["watershed"]["watermark"], "1970-01-01T00:01:00.000Z");
  EXPECT_EQ(json["status-counts"]["RUNNING"], 2);
  EXPECT_EQ(json["timestamps"]["RUNNING"], 41'500);
  EXPECT_EQ(json["watershed"]["records-in"], 1500);
  EXPECT_EQ(json["watershed"]["records-out"], 300);
}

TEST(JsonViewsTest, PlanNamesInputsAndEscapesHtml) {
  Json nodes = JobDetailsJson(SampleJob(), kNowMs)["plan"]["nodes"];
  EXPECT_EQ(nodes[0]["description"], "Source: events -&gt; Calc");
  EXPECT_FALSE(nodes[0].contains("inputs"));
  ASSERT_EQ(nodes[1]["inputs"].size(), 1u);
  CheckShape(nodes[1],
             "inputs[].num integer|inputs[].id string|inputs[].ship_strategy string|"
             "inputs[].exchange string");
  EXPECT_EQ(nodes[1]["inputs"][0]["id"], "aa");
  EXPECT_EQ(nodes[1]["inputs"][0]["ship_strategy"], "HASH");
}

// A job that waits has a plan but neither subtasks nor figures.
TEST(JsonViewsTest, JobWithoutFiguresStillHasEveryPrimitive) {
  v1::JobDetails job = SampleJob();
  job.clear_subtasks();
  Json json = JobDetailsJson(job, kNowMs);
  EXPECT_EQ(json["vertices"][0]["start-time"], -1);
  EXPECT_EQ(json["vertices"][0]["duration"], -1);
  EXPECT_EQ(json["vertices"][0]["metrics"]["read-records"], 0);
  EXPECT_EQ(json["vertices"][0]["metrics"]["read-records-complete"], false);
  EXPECT_TRUE(json["vertices"][0]["watershed"]["watermark"].is_null());
  EXPECT_TRUE(json["watershed"]["records-in"].is_null());
}

TEST(JsonViewsTest, TaskManagers) {
  Json list = TaskManagersJson(std::vector{SampleTaskManager()});
  CheckShape(list["taskmanagers"][0], kTaskManagerFields);
  EXPECT_EQ(list["taskmanagers"][0]["dataPort"], 40001);
  EXPECT_EQ(list["taskmanagers"][0]["freeResource"]["managedMemory"], 64);
  EXPECT_EQ(list["taskmanagers"][0]["freeResource"]["networkMemory"], 10);
  const Json& configuration = list["taskmanagers"][0]["memoryConfiguration"];
  EXPECT_EQ(configuration["totalProcessMemory"], 600 << 20);
  EXPECT_EQ(configuration["managedMemory"], 256 << 20);
  EXPECT_EQ(configuration["networkMemory"], 40 << 20);
  EXPECT_EQ(configuration["taskOffHeap"], 304 << 20);
  const Json& own = list["taskmanagers"][0]["watershed"];
  EXPECT_EQ(own["residentMemory"], 300 << 20);
  EXPECT_EQ(own["memory"]["state"]["usedBytes"], 100 << 20);
  EXPECT_EQ(own["memory"]["network"]["peakBytes"], 30 << 20);

  Json detail = TaskManagerDetailsJson(SampleTaskManager());
  CheckShape(detail, kTaskManagerFields +
                         "|allocatedSlots[].jobId string|allocatedSlots[].resource.cpuCores number|"
                         "allocatedSlots[].assignedTasks integer|metrics.heapUsed integer|"
                         "metrics.directMax integer|metrics.mappedCount integer|"
                         "metrics.nettyShuffleMemorySegmentsAvailable integer|"
                         "metrics.nettyShuffleMemoryTotal integer|metrics.garbageCollectors array");
  EXPECT_EQ(detail["metrics"]["nettyShuffleMemoryTotal"], 40 << 20);
  EXPECT_EQ(detail["metrics"]["nettyShuffleMemoryUsed"], 10 << 20);
  EXPECT_EQ(detail["metrics"]["nettyShuffleMemoryAvailable"], 30 << 20);
  int tasks = 0;
  for (const Json& slot : detail["allocatedSlots"]) tasks += slot["assignedTasks"].get<int>();
  EXPECT_EQ(detail["allocatedSlots"].size(), 3u);
  EXPECT_EQ(tasks, 4);
}

TEST(JsonViewsTest, TextThatIsNotUtf8IsReplacedNotThrown) {
  v1::JobDetails job = SampleJob();
  job.mutable_subtasks(0)->set_message("payload \xff\xfe");
  std::string text = Serialize(JobDetailsJson(job, kNowMs));
  EXPECT_THAT(text, testing::HasSubstr("payload \xef\xbf\xbd"));
}

const std::string kCheckpointFields =
    "className string|id integer|status string|is_savepoint boolean|trigger_timestamp integer|"
    "latest_ack_timestamp integer|checkpointed_size integer|state_size integer|"
    "end_to_end_duration integer|alignment_buffered integer|processed_data integer|"
    "persisted_data integer|num_subtasks integer|num_acknowledged_subtasks integer|"
    "checkpoint_type string|tasks object";
const std::string kDistributionFields =
    "min integer|max integer|avg integer|p50 number|p90 number|p95 number|p99 number|p999 number";

TEST(JsonViewsTest, CheckpointsHaveFlinksShape) {
  const Json json = CheckpointsJson(SampleJob(), 45'000);
  CheckShape(json,
             "counts.restored integer|counts.total integer|counts.in_progress integer|"
             "counts.completed integer|counts.failed integer|latest.completed.external_path string|"
             "latest.completed.discarded boolean|latest.failed.failure_timestamp integer|"
             "latest.failed.failure_message string|latest.restored.id integer|"
             "latest.restored.restore_timestamp integer|latest.restored.is_savepoint boolean|"
             "latest.restored.external_path string");
  for (const Json& checkpoint : json["history"]) CheckShape(checkpoint, kCheckpointFields);
  for (const char* latest : {"completed", "savepoint", "failed"}) {
    CheckShape(json["latest"][latest], kCheckpointFields);
  }
  for (const char* figure : {"checkpointed_size", "state_size", "end_to_end_duration",
                             "alignment_buffered", "processed_data", "persisted_data"}) {
    CheckShape(json["summary"][figure], kDistributionFields);
  }
  EXPECT_EQ(json["history"][0]["className"], "in_progress");
  EXPECT_EQ(json["history"][0]["end_to_end_duration"], 100);
  EXPECT_EQ(json["history"][1]["failure_message"], "out (1/1): disk full");
  EXPECT_EQ(json["latest"]["completed"]["end_to_end_duration"], 80);
  EXPECT_EQ(json["summary"]["state_size"]["p99"], 2000);
}

TEST(JsonViewsTest, SavepointsAreToldFromCheckpoints) {
  const Json json = CheckpointsJson(SampleJob(), 45'000);
  CheckShape(json["latest"]["savepoint"],
             kCheckpointFields + "|savepointFormat string|external_path string|discarded boolean");
  EXPECT_EQ(json["latest"]["completed"]["id"], 5);
  EXPECT_EQ(json["latest"]["completed"]["external_path"], "file:///ck/job/chk-5-2");
  EXPECT_EQ(json["latest"]["completed"]["is_savepoint"], false);
  EXPECT_TRUE(json["latest"]["completed"]["savepointFormat"].is_null());
  EXPECT_EQ(json["latest"]["savepoint"], json["history"][3]);
  EXPECT_EQ(json["latest"]["savepoint"]["is_savepoint"], true);
  EXPECT_EQ(json["latest"]["savepoint"]["checkpoint_type"], "SAVEPOINT");
  EXPECT_EQ(json["latest"]["savepoint"]["external_path"], "file:///sp/savepoint-0123-3-abc");
}

const std::string kTaskCheckpointFields =
    "id integer|status string|latest_ack_timestamp integer|checkpointed_size integer|"
    "state_size integer|end_to_end_duration integer|alignment_buffered integer|"
    "processed_data integer|persisted_data integer|num_subtasks integer|"
    "num_acknowledged_subtasks integer";

TEST(JsonViewsTest, CheckpointDetailsHaveFlinksShape) {
  const v1::JobDetails job = SampleJob();
  const v1::CheckpointDetails checkpoint = SampleCheckpoint(job.checkpoints().recent(0));
  const Json json = CheckpointDetailsJson(job, checkpoint, 45'000);
  CheckShape(json, kCheckpointFields);
  ASSERT_EQ(json["tasks"].size(), 2u);
  for (const Json& task : json["tasks"]) CheckShape(task, kTaskCheckpointFields);
  EXPECT_EQ(json["tasks"]["aa"]["status"], "IN_PROGRESS");
  EXPECT_EQ(json["tasks"]["aa"]["num_acknowledged_subtasks"], 1);
  EXPECT_EQ(json["tasks"]["aa"]["num_subtasks"], 2);
  EXPECT_EQ(json["tasks"]["bb"]["status"], "COMPLETED");
  EXPECT_EQ(json["tasks"]["bb"]["end_to_end_duration"], 80);
  EXPECT_EQ(json["tasks"]["bb"]["checkpointed_size"], 100);
}

TEST(JsonViewsTest, SubtasksOfACheckpointHaveFlinksShape) {
  const v1::JobDetails job = SampleJob();
  const Json json =
      CheckpointSubtasksJson(SampleCheckpoint(job.checkpoints().recent(0)), job.plan().vertices(0));
  CheckShape(json, kTaskCheckpointFields);
  for (const char* figure :
       {"checkpointed_size", "state_size", "end_to_end_duration", "start_delay"}) {
    CheckShape(json["summary"][figure], kDistributionFields);
  }
  for (const char* figure : {"sync", "async"}) {
    CheckShape(json["summary"]["checkpoint_duration"][figure], kDistributionFields);
  }
  for (const char* figure : {"buffered", "processed", "persisted", "duration"}) {
    CheckShape(json["summary"]["alignment"][figure], kDistributionFields);
  }
  ASSERT_EQ(json["subtasks"].size(), 2u);
  CheckShape(json["subtasks"][0], "className string|index integer|status string");
  CheckShape(json["subtasks"][1],
             "className string|index integer|status string|ack_timestamp integer|"
             "end_to_end_duration integer|checkpointed_size integer|state_size integer|"
             "checkpoint.sync integer|checkpoint.async integer|alignment.buffered integer|"
             "alignment.processed integer|alignment.persisted integer|alignment.duration integer|"
             "start_delay integer|unaligned_checkpoint boolean|aborted boolean");
  EXPECT_EQ(json["subtasks"][0]["className"], "pending");
  EXPECT_EQ(json["subtasks"][1]["className"], "completed");
  EXPECT_EQ(json["subtasks"][1]["end_to_end_duration"], 60);
  EXPECT_EQ(json["subtasks"][1]["start_delay"], 23);
  EXPECT_EQ(json["summary"]["start_delay"]["max"], 23);
}

TEST(JsonViewsTest, ACheckpointOfAnEarlierJobManagerHasNoTasks) {
  v1::CheckpointSummary summary = SampleJob().checkpoints().recent(0);
  summary.set_subtasks(0);
  v1::CheckpointDetails found;
  *found.mutable_summary() = summary;
  EXPECT_TRUE(CheckpointDetailsJson(SampleJob(), found, 45'000)["tasks"].empty());
}

TEST(JsonViewsTest, AJobWithoutCheckpointsHasZeros) {
  const Json json = CheckpointsJson(SampleFinishedJob(), 45'000);
  EXPECT_EQ(json["counts"]["total"], 0);
  EXPECT_TRUE(json["history"].is_array() && json["history"].empty());
  EXPECT_TRUE(json["latest"]["completed"].is_null());
  EXPECT_TRUE(json["latest"]["savepoint"].is_null());
  CheckShape(json["summary"]["state_size"], kDistributionFields);
}

TEST(JsonViewsTest, CheckpointConfigHasFlinksShape) {
  CheckShape(CheckpointConfigJson(SampleJob()),
             "mode string|interval integer|timeout integer|min_pause integer|"
             "max_concurrent integer|externalization.enabled boolean|"
             "externalization.delete_on_cancellation boolean|state_backend string|"
             "checkpoint_storage string|unaligned_checkpoints boolean|"
             "tolerable_failed_checkpoints integer|aligned_checkpoint_timeout integer|"
             "checkpoints_after_tasks_finish boolean|state_changelog_enabled boolean|"
             "changelog_periodic_materialization_interval integer|changelog_storage string");
}

}  // namespace
}  // namespace watershed
