// Names and labels of exported metrics. Those that begin with flink_ are Flink's, so that
// dashboards made for it work unchanged; what Flink has no name for begins with watershed_. Units
// last. Everything is exported as a gauge without _total, as Flink's reporter does.
#pragma once

#include <string_view>

namespace watershed::metric_names {

// ---- Labels ----
inline constexpr std::string_view kHost = "host";
inline constexpr std::string_view kTaskManagerId = "tm_id";
inline constexpr std::string_view kJobId = "job_id";
inline constexpr std::string_view kJobName = "job_name";
inline constexpr std::string_view kTaskId = "task_id";  // the vertex
inline constexpr std::string_view kTaskName = "task_name";
inline constexpr std::string_view kTaskAttempt = "task_attempt_num";
inline constexpr std::string_view kSubtaskIndex = "subtask_index";
inline constexpr std::string_view kOperatorId = "operator_id";
inline constexpr std::string_view kOperatorName = "operator_name";
inline constexpr std::string_view kTopic = "topic";
inline constexpr std::string_view kPartition = "partition";

// ---- JobManager ----
inline constexpr std::string_view kRegisteredTaskManagers =
    "flink_jobmanager_numRegisteredTaskManagers";
inline constexpr std::string_view kRunningJobs = "flink_jobmanager_numRunningJobs";
inline constexpr std::string_view kTaskSlotsAvailable = "flink_jobmanager_taskSlotsAvailable";
inline constexpr std::string_view kTaskSlotsTotal = "flink_jobmanager_taskSlotsTotal";
inline constexpr std::string_view kJobUptimeMs = "flink_jobmanager_job_uptime";
inline constexpr std::string_view kJobRestarts = "flink_jobmanager_job_numRestarts";
inline constexpr std::string_view kJobCheckpoints = "flink_jobmanager_job_totalNumberOfCheckpoints";
inline constexpr std::string_view kJobCompletedCheckpoints =
    "flink_jobmanager_job_numberOfCompletedCheckpoints";
inline constexpr std::string_view kJobFailedCheckpoints =
    "flink_jobmanager_job_numberOfFailedCheckpoints";
inline constexpr std::string_view kJobCheckpointsInProgress =
    "flink_jobmanager_job_numberOfInProgressCheckpoints";
inline constexpr std::string_view kJobLastCompletedCheckpoint =
    "flink_jobmanager_job_lastCompletedCheckpointId";
inline constexpr std::string_view kJobLastCheckpointDurationMs =
    "flink_jobmanager_job_lastCheckpointDuration";
inline constexpr std::string_view kJobLastCheckpointSize =
    "flink_jobmanager_job_lastCheckpointSize";
inline constexpr std::string_view kJobLastCheckpointFullSize =
    "flink_jobmanager_job_lastCheckpointFullSize";
inline constexpr std::string_view kJobLastCheckpointRestore =
    "flink_jobmanager_job_lastCheckpointRestoreTimestamp";

// ---- Task (labels: job, task, subtask, attempt, tm_id, host) ----
inline constexpr std::string_view kTaskRecordsIn = "flink_taskmanager_job_task_numRecordsIn";
inline constexpr std::string_view kTaskRecordsInPerSecond =
    "flink_taskmanager_job_task_numRecordsInPerSecond";
inline constexpr std::string_view kTaskRecordsOut = "flink_taskmanager_job_task_numRecordsOut";
inline constexpr std::string_view kTaskRecordsOutPerSecond =
    "flink_taskmanager_job_task_numRecordsOutPerSecond";
inline constexpr std::string_view kTaskBytesIn = "flink_taskmanager_job_task_numBytesIn";
inline constexpr std::string_view kTaskBytesInPerSecond =
    "flink_taskmanager_job_task_numBytesInPerSecond";
inline constexpr std::string_view kTaskBytesOut = "flink_taskmanager_job_task_numBytesOut";
inline constexpr std::string_view kTaskBytesOutPerSecond =
    "flink_taskmanager_job_task_numBytesOutPerSecond";
inline constexpr std::string_view kTaskBusyMsPerSecond =
    "flink_taskmanager_job_task_busyTimeMsPerSecond";
inline constexpr std::string_view kTaskIdleMsPerSecond =
    "flink_taskmanager_job_task_idleTimeMsPerSecond";
inline constexpr std::string_view kTaskBackPressuredMsPerSecond =
    "flink_taskmanager_job_task_backPressuredTimeMsPerSecond";
inline constexpr std::string_view kTaskIsBackPressured =
    "flink_taskmanager_job_task_isBackPressured";
inline constexpr std::string_view kTaskInputWatermarkMs =
    "flink_taskmanager_job_task_currentInputWatermark";

// ---- Operator (labels: the task's, operator_id, operator_name) ----
inline constexpr std::string_view kOperatorRecordsIn =
    "flink_taskmanager_job_task_operator_numRecordsIn";
inline constexpr std::string_view kOperatorRecordsOut =
    "flink_taskmanager_job_task_operator_numRecordsOut";
inline constexpr std::string_view kLateRecordsDropped =
    "flink_taskmanager_job_task_operator_numLateRecordsDropped";
inline constexpr std::string_view kOperatorInputWatermarkMs =
    "flink_taskmanager_job_task_operator_currentInputWatermark";
inline constexpr std::string_view kOperatorOutputWatermarkMs =
    "flink_taskmanager_job_task_operator_currentOutputWatermark";
inline constexpr std::string_view kWatermarkLagMs =
    "flink_taskmanager_job_task_operator_watermarkLag";
inline constexpr std::string_view kFetchEventTimeLagMs =
    "flink_taskmanager_job_task_operator_currentFetchEventTimeLag";
inline constexpr std::string_view kEmitEventTimeLagMs =
    "flink_taskmanager_job_task_operator_currentEmitEventTimeLag";
inline constexpr std::string_view kPendingRecords =
    "flink_taskmanager_job_task_operator_pendingRecords";
inline constexpr std::string_view kSourceIdleMs =
    "flink_taskmanager_job_task_operator_sourceIdleTime";
inline constexpr std::string_view kRecordsSend =
    "flink_taskmanager_job_task_operator_numRecordsSend";
inline constexpr std::string_view kRecordsSendErrors =
    "flink_taskmanager_job_task_operator_numRecordsSendErrors";
// Flink's count of records a source could not use; here: skipped by on-error.
inline constexpr std::string_view kRecordsInErrors =
    "flink_taskmanager_job_task_operator_numRecordsInErrors";

// ---- Kafka source (labels: the operator's; per partition also topic, partition) ----
inline constexpr std::string_view kKafkaCurrentOffset =
    "flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset";
inline constexpr std::string_view kKafkaCommittedOffset =
    "flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_committedOffset";
inline constexpr std::string_view kKafkaRecordsLagMax =
    "flink_taskmanager_job_task_operator_KafkaSourceReader_KafkaConsumer_records_lag_max";

// ---- TaskManager (labels: tm_id, host) ----
inline constexpr std::string_view kManagedMemoryUsed =
    "flink_taskmanager_Status_Flink_Memory_Managed_Used";
inline constexpr std::string_view kManagedMemoryTotal =
    "flink_taskmanager_Status_Flink_Memory_Managed_Total";
inline constexpr std::string_view kNetworkMemoryTotal =
    "flink_taskmanager_Status_Shuffle_Netty_TotalMemory";
inline constexpr std::string_view kNetworkMemoryUsed =
    "flink_taskmanager_Status_Shuffle_Netty_UsedMemory";
inline constexpr std::string_view kNetworkMemoryAvailable =
    "flink_taskmanager_Status_Shuffle_Netty_AvailableMemory";

// ---- What Flink has no name for ----
// The memory account (label: share).
inline constexpr std::string_view kMemoryShare = "share";
inline constexpr std::string_view kMemoryLimitBytes = "watershed_memory_limit_bytes";
inline constexpr std::string_view kMemoryUsedBytes = "watershed_memory_used_bytes";
inline constexpr std::string_view kMemoryPeakBytes = "watershed_memory_peak_bytes";
inline constexpr std::string_view kProcessMemoryLimitBytes = "watershed_memory_process_limit_bytes";
inline constexpr std::string_view kResidentMemoryBytes = "watershed_memory_resident_bytes";
// Lag of one partition: records between our position and its end (labels: topic, partition).
inline constexpr std::string_view kPartitionLagRecords = "watershed_source_partition_lag_records";
inline constexpr std::string_view kSkippedRecords = "watershed_source_skipped_records";
// Events refused because they lie more than a day ahead of the wall clock.
inline constexpr std::string_view kFutureRecordsRefused = "watershed_source_future_refused_records";
inline constexpr std::string_view kSideOutputRecords = "watershed_operator_side_output_records";
inline constexpr std::string_view kSinkCommittedRecords = "watershed_sink_committed_records";
inline constexpr std::string_view kSinkCommits = "watershed_sink_commits";
inline constexpr std::string_view kSinkRetries = "watershed_sink_retries";
inline constexpr std::string_view kStateCacheBytes = "watershed_state_cache_bytes";
inline constexpr std::string_view kStateDirtyBytes = "watershed_state_dirty_bytes";
inline constexpr std::string_view kNetworkSentBytes = "watershed_network_sent_bytes";
inline constexpr std::string_view kNetworkReceivedBytes = "watershed_network_received_bytes";
inline constexpr std::string_view kNetworkSentFrames = "watershed_network_sent_frames";
inline constexpr std::string_view kNetworkReceivedFrames = "watershed_network_received_frames";

}  // namespace watershed::metric_names
