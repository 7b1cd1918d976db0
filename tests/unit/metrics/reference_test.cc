// The definitions of the metrics are well formed, and docs/metrics.md is what they say.
#include "runtime/metrics/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/metrics/definition.h"

namespace watershed {
namespace {

TEST(MetricReferenceTest, ThePageIsMadeFromTheDefinitions) {
  std::ifstream file(REFERENCE_PAGE);
  ASSERT_TRUE(file) << REFERENCE_PAGE;
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), MetricsPage())
      << "write it anew: build/dev/bin/metric_reference > docs/metrics.md";
}

// Flink 2.3's, as its documentation lists them and its Prometheus reporter spells them. Dashboards
// ask for these: a name may be added here, and none may change.
constexpr auto kNamesOfFlink = std::to_array<std::string_view>({
    "flink_jobmanager_numRegisteredTaskManagers",
    "flink_jobmanager_numRunningJobs",
    "flink_jobmanager_taskSlotsAvailable",
    "flink_jobmanager_taskSlotsTotal",
    "flink_jobmanager_job_uptime",
    "flink_jobmanager_job_numRestarts",
    "flink_jobmanager_job_totalNumberOfCheckpoints",
    "flink_jobmanager_job_numberOfCompletedCheckpoints",
    "flink_jobmanager_job_numberOfFailedCheckpoints",
    "flink_jobmanager_job_numberOfInProgressCheckpoints",
    "flink_jobmanager_job_lastCompletedCheckpointId",
    "flink_jobmanager_job_lastCheckpointDuration",
    "flink_jobmanager_job_lastCheckpointSize",
    "flink_jobmanager_job_lastCheckpointFullSize",
    "flink_jobmanager_job_lastCheckpointRestoreTimestamp",
    "flink_taskmanager_Status_Flink_Memory_Managed_Used",
    "flink_taskmanager_Status_Flink_Memory_Managed_Total",
    "flink_taskmanager_Status_Shuffle_Netty_TotalMemory",
    "flink_taskmanager_Status_Shuffle_Netty_UsedMemory",
    "flink_taskmanager_Status_Shuffle_Netty_AvailableMemory",
    "flink_taskmanager_job_task_numRecordsIn",
    "flink_taskmanager_job_task_numRecordsInPerSecond",
    "flink_taskmanager_job_task_numRecordsOut",
    "flink_taskmanager_job_task_numRecordsOutPerSecond",
    "flink_taskmanager_job_task_numBytesIn",
    "flink_taskmanager_job_task_numBytesInPerSecond",
    "flink_taskmanager_job_task_numBytesOut",
    "flink_taskmanager_job_task_numBytesOutPerSecond",
    "flink_taskmanager_job_task_busyTimeMsPerSecond",
    "flink_taskmanager_job_task_idleTimeMsPerSecond",
    "flink_taskmanager_job_task_backPressuredTimeMsPerSecond",
    "flink_taskmanager_job_task_isBackPressured",
    "flink_taskmanager_job_task_currentInputWatermark",
    "flink_taskmanager_job_task_checkpointAlignmentTime",
    "flink_taskmanager_job_task_checkpointStartDelayNanos",
    "flink_taskmanager_job_task_operator_numRecordsIn",
    "flink_taskmanager_job_task_operator_numRecordsInPerSecond",
    "flink_taskmanager_job_task_operator_numRecordsOut",
    "flink_taskmanager_job_task_operator_numRecordsOutPerSecond",
    "flink_taskmanager_job_task_operator_numLateRecordsDropped",
    "flink_taskmanager_job_task_operator_currentInputWatermark",
    "flink_taskmanager_job_task_operator_currentOutputWatermark",
    "flink_taskmanager_job_task_operator_watermarkLag",
    "flink_taskmanager_job_task_operator_currentFetchEventTimeLag",
    "flink_taskmanager_job_task_operator_currentEmitEventTimeLag",
    "flink_taskmanager_job_task_operator_pendingRecords",
    "flink_taskmanager_job_task_operator_sourceIdleTime",
    "flink_taskmanager_job_task_operator_numRecordsInErrors",
    "flink_taskmanager_job_task_operator_KafkaSourceReader_KafkaConsumer_records_lag_max",
    "flink_taskmanager_job_task_operator_numRecordsSend",
    "flink_taskmanager_job_task_operator_numRecordsSendErrors",
    "flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset",
    "flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_committedOffset",
});

TEST(MetricReferenceTest, NamesOfFlinkAreAsItSpellsThem) {
  std::vector<std::string_view> names;
  for (const MetricDefinition& metric : AllMetrics()) {
    if (metric.name.starts_with("flink_")) names.push_back(metric.name);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(kNamesOfFlink));
}

TEST(MetricReferenceTest, EachMetricIsDefinedOnceAndWhole) {
  std::set<std::string_view> names;
  for (const MetricDefinition& metric : AllMetrics()) {
    SCOPED_TRACE(metric.name);
    EXPECT_TRUE(names.insert(metric.name).second);
    const bool of_job_manager =
        metric.scope == MetricScope::kJobManager || metric.scope == MetricScope::kJob;
    EXPECT_TRUE(
        metric.name.starts_with("watershed_") ||
        metric.name.starts_with(of_job_manager ? "flink_jobmanager_" : "flink_taskmanager_"));
    EXPECT_FALSE(metric.unit.empty());
    EXPECT_FALSE(metric.meaning.empty());
    EXPECT_NE(metric.meaning.back(), '.');
    EXPECT_EQ(FindMetric(metric.name), &metric);
  }
  EXPECT_GT(names.size(), 80U);
  EXPECT_EQ(FindMetric("flink_jobmanager_numRegistered"), nullptr);
}

}  // namespace
}  // namespace watershed
