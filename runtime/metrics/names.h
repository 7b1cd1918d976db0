// Every exported metric, once, with its unit, its labels (by its scope) and its meaning. Those that
// begin with flink_ are Flink's, so that dashboards made for it work unchanged; what Flink has no
// name for begins with watershed_ and ends with its unit. Everything is exported as a gauge without
// _total, as Flink's reporter does. A new one: define it here, register it where it is counted, and
// write docs/metrics.md anew (its first lines say how).
#pragma once

#include <string_view>

#include "runtime/metrics/definition.h"

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
inline constexpr std::string_view kMemoryShare = "share";

// ---- JobManager ----
inline const Metric kRegisteredTaskManagers({"flink_jobmanager_numRegisteredTaskManagers",
                                             MetricScope::kJobManager, MetricKind::kNow,
                                             "TaskManagers",
                                             "TaskManagers that are registered and heard of"});
inline const Metric kRunningJobs({"flink_jobmanager_numRunningJobs", MetricScope::kJobManager,
                                  MetricKind::kNow, "jobs", "Jobs in state RUNNING"});
inline const Metric kTaskSlotsAvailable({"flink_jobmanager_taskSlotsAvailable",
                                         MetricScope::kJobManager, MetricKind::kNow, "slots",
                                         "Slots that no job holds"});
inline const Metric kTaskSlotsTotal({"flink_jobmanager_taskSlotsTotal", MetricScope::kJobManager,
                                     MetricKind::kNow, "slots",
                                     "Slots of all registered TaskManagers"});

// ---- Jobs, at the JobManager ----
inline const Metric kJobUptimeMs(
    {"flink_jobmanager_job_uptime", MetricScope::kJob, MetricKind::kNow, "ms",
     "How long the job has been RUNNING without a break; 0 while it is not"});
inline const Metric kJobRestarts(
    {"flink_jobmanager_job_numRestarts", MetricScope::kJob, MetricKind::kTotal, "restarts",
     "Restarts since the job was submitted, also under an earlier JobManager"});
inline const Metric kJobCheckpoints({"flink_jobmanager_job_totalNumberOfCheckpoints",
                                     MetricScope::kJob, MetricKind::kTotal, "checkpoints",
                                     "Checkpoints and savepoints that were begun",
                                     "jobs with checkpoints"});
inline const Metric kJobCompletedCheckpoints({"flink_jobmanager_job_numberOfCompletedCheckpoints",
                                              MetricScope::kJob, MetricKind::kTotal, "checkpoints",
                                              "Checkpoints and savepoints completed",
                                              "jobs with checkpoints"});
inline const Metric kJobFailedCheckpoints(
    {"flink_jobmanager_job_numberOfFailedCheckpoints", MetricScope::kJob, MetricKind::kTotal,
     "checkpoints", "Checkpoints and savepoints that failed or were given up",
     "jobs with checkpoints"});
inline const Metric kJobCheckpointsInProgress({"flink_jobmanager_job_numberOfInProgressCheckpoints",
                                               MetricScope::kJob, MetricKind::kNow, "checkpoints",
                                               "Checkpoints and savepoints under way",
                                               "jobs with checkpoints"});
inline const Metric kJobLastCompletedCheckpoint({"flink_jobmanager_job_lastCompletedCheckpointId",
                                                 MetricScope::kJob, MetricKind::kNow, "id",
                                                 "The last completed checkpoint; -1: none yet",
                                                 "jobs with checkpoints"});
inline const Metric kJobLastCheckpointDurationMs(
    {"flink_jobmanager_job_lastCheckpointDuration", MetricScope::kJob, MetricKind::kNow, "ms",
     "From trigger to completion of the last completed checkpoint; -1: none yet",
     "jobs with checkpoints"});
inline const Metric kJobLastCheckpointSize(
    {"flink_jobmanager_job_lastCheckpointSize", MetricScope::kJob, MetricKind::kNow, "bytes",
     "Bytes written for the last completed checkpoint; -1: none yet", "jobs with checkpoints"});
inline const Metric kJobLastCheckpointFullSize(
    {"flink_jobmanager_job_lastCheckpointFullSize", MetricScope::kJob, MetricKind::kNow, "bytes",
     "Bytes of all files that the last completed checkpoint needs; -1: none yet",
     "jobs with checkpoints"});
inline const Metric kJobLastCheckpointRestore(
    {"flink_jobmanager_job_lastCheckpointRestoreTimestamp", MetricScope::kJob, MetricKind::kNow,
     "ms since 1970",
     "When the checkpoint was complete that the job last began from; -1: from none",
     "jobs with checkpoints"});

// ---- TaskManagers ----
inline const Metric kManagedMemoryUsed(
    {"flink_taskmanager_Status_Flink_Memory_Managed_Used", MetricScope::kTaskManager,
     MetricKind::kNow, "bytes",
     "What keyed state uses: watershed_memory_used_bytes of share `state`"});
inline const Metric kManagedMemoryTotal({"flink_taskmanager_Status_Flink_Memory_Managed_Total",
                                         MetricScope::kTaskManager, MetricKind::kNow, "bytes",
                                         "What keyed state may use"});
inline const Metric kNetworkMemoryTotal({"flink_taskmanager_Status_Shuffle_Netty_TotalMemory",
                                         MetricScope::kTaskManager, MetricKind::kNow, "bytes",
                                         "What rows between tasks may use"});
inline const Metric kNetworkMemoryUsed({"flink_taskmanager_Status_Shuffle_Netty_UsedMemory",
                                        MetricScope::kTaskManager, MetricKind::kNow, "bytes",
                                        "What rows between tasks use"});
inline const Metric kNetworkMemoryAvailable(
    {"flink_taskmanager_Status_Shuffle_Netty_AvailableMemory", MetricScope::kTaskManager,
     MetricKind::kNow, "bytes", "What rows between tasks may still use"});
inline const Metric kProcessMemoryLimitBytes(
    {"watershed_memory_process_limit_bytes", MetricScope::kTaskManager, MetricKind::kNow, "bytes",
     "The whole that the process may use: taskmanager.memory.process.size"});
inline const Metric kResidentMemoryBytes({"watershed_memory_resident_bytes",
                                          MetricScope::kTaskManager, MetricKind::kNow, "bytes",
                                          "Resident memory of the process"});
inline const Metric kRocksDbBlockCacheBytes(
    {"watershed_rocksdb_block_cache_bytes", MetricScope::kTaskManager, MetricKind::kNow, "bytes",
     "Blocks, indexes and filters that RocksDB holds in memory, part of share `state`",
     "state.backend.type: rocksdb"});
inline const Metric kRocksDbWriteBufferBytes({"watershed_rocksdb_write_buffer_bytes",
                                              MetricScope::kTaskManager, MetricKind::kNow, "bytes",
                                              "RocksDB's write buffers, part of share `state`",
                                              "state.backend.type: rocksdb"});
inline const Metric kNetworkSentBytes({"watershed_network_sent_bytes", MetricScope::kTaskManager,
                                       MetricKind::kTotal, "bytes",
                                       "Rows sent to other TaskManagers, as they are on the wire"});
inline const Metric kNetworkReceivedBytes({"watershed_network_received_bytes",
                                           MetricScope::kTaskManager, MetricKind::kTotal, "bytes",
                                           "Rows received from other TaskManagers, the same way"});
inline const Metric kNetworkSentFrames({"watershed_network_sent_frames", MetricScope::kTaskManager,
                                        MetricKind::kTotal, "frames",
                                        "The frames in which rows were sent"});
inline const Metric kNetworkReceivedFrames({"watershed_network_received_frames",
                                            MetricScope::kTaskManager, MetricKind::kTotal, "frames",
                                            "The frames in which rows were received"});

// ---- Shares of a TaskManager's memory ----
inline const Metric kMemoryLimitBytes({"watershed_memory_limit_bytes", MetricScope::kMemoryShare,
                                       MetricKind::kNow, "bytes", "What the share may use"});
inline const Metric kMemoryUsedBytes({"watershed_memory_used_bytes", MetricScope::kMemoryShare,
                                      MetricKind::kNow, "bytes", "What the share uses"});
inline const Metric kMemoryPeakBytes({"watershed_memory_peak_bytes", MetricScope::kMemoryShare,
                                      MetricKind::kNow, "bytes",
                                      "The most that the share has ever used"});

// ---- Tasks ----
inline const Metric kTaskRecordsIn(
    {"flink_taskmanager_job_task_numRecordsIn", MetricScope::kTask, MetricKind::kTotal, "records",
     "Rows that came into the task's chain; of a source: those that could be used"});
inline const Metric kTaskRecordsInPerSecond({"flink_taskmanager_job_task_numRecordsInPerSecond",
                                             MetricScope::kTask, MetricKind::kNow, "records/s",
                                             "numRecordsIn over the last second"});
inline const Metric kTaskRecordsOut({"flink_taskmanager_job_task_numRecordsOut", MetricScope::kTask,
                                     MetricKind::kTotal, "records",
                                     "Rows handed to channels and taken by sinks"});
inline const Metric kTaskRecordsOutPerSecond({"flink_taskmanager_job_task_numRecordsOutPerSecond",
                                              MetricScope::kTask, MetricKind::kNow, "records/s",
                                              "numRecordsOut over the last second"});
inline const Metric kTaskBytesIn(
    {"flink_taskmanager_job_task_numBytesIn", MetricScope::kTask, MetricKind::kTotal, "bytes",
     "Bytes of the rows that came in; of a source: of its records as they were read"});
inline const Metric kTaskBytesInPerSecond({"flink_taskmanager_job_task_numBytesInPerSecond",
                                           MetricScope::kTask, MetricKind::kNow, "bytes/s",
                                           "numBytesIn over the last second"});
inline const Metric kTaskBytesOut(
    {"flink_taskmanager_job_task_numBytesOut", MetricScope::kTask, MetricKind::kTotal, "bytes",
     "Bytes of the rows that went out. What one task sends another receives, but for some bytes a "
     "frame where a batch is cut into several"});
inline const Metric kTaskBytesOutPerSecond({"flink_taskmanager_job_task_numBytesOutPerSecond",
                                            MetricScope::kTask, MetricKind::kNow, "bytes/s",
                                            "numBytesOut over the last second"});
inline const Metric kTaskBusyMsPerSecond(
    {"flink_taskmanager_job_task_busyTimeMsPerSecond", MetricScope::kTask, MetricKind::kNow, "ms/s",
     "Time at work, over the last second; busy, idle and backpressured make 1000"});
inline const Metric kTaskIdleMsPerSecond(
    {"flink_taskmanager_job_task_idleTimeMsPerSecond", MetricScope::kTask, MetricKind::kNow, "ms/s",
     "Time without input, or before source and sinks are connected"});
inline const Metric kTaskBackPressuredMsPerSecond(
    {"flink_taskmanager_job_task_backPressuredTimeMsPerSecond", MetricScope::kTask,
     MetricKind::kNow, "ms/s", "Time without room for output"});
inline const Metric kTaskIsBackPressured(
    {"flink_taskmanager_job_task_isBackPressured", MetricScope::kTask, MetricKind::kNow, "0 or 1",
     "Whether there was no room for output when it was last looked, once a second"});
inline const Metric kTaskInputWatermarkMs(
    {"flink_taskmanager_job_task_currentInputWatermark", MetricScope::kTask, MetricKind::kNow,
     "ms since 1970",
     "The lowest watermark of the task's inputs; the smallest 64-bit number: none yet, the "
     "largest: at the end"});
inline const Metric kTaskAlignmentNs(
    {"flink_taskmanager_job_task_checkpointAlignmentTime", MetricScope::kTask, MetricKind::kNow,
     "ns", "How long the last barrier waited for itself on the task's other inputs",
     "tasks of jobs with checkpoints"});
inline const Metric kTaskStartDelayNs(
    {"flink_taskmanager_job_task_checkpointStartDelayNanos", MetricScope::kTask, MetricKind::kNow,
     "ns", "From the trigger of the last checkpoint to its first barrier at the task",
     "tasks of jobs with checkpoints"});

// ---- Operators, sources and sinks ----
inline const Metric kOperatorRecordsIn(
    {"flink_taskmanager_job_task_operator_numRecordsIn", MetricScope::kOperator, MetricKind::kTotal,
     "records", "Rows that came in; of a source: records read, also those that could not be used"});
inline const Metric kOperatorRecordsInPerSecond(
    {"flink_taskmanager_job_task_operator_numRecordsInPerSecond", MetricScope::kOperator,
     MetricKind::kNow, "records/s", "numRecordsIn over the last second"});
inline const Metric kOperatorRecordsOut({"flink_taskmanager_job_task_operator_numRecordsOut",
                                         MetricScope::kOperator, MetricKind::kTotal, "records",
                                         "Rows handed on, also to side outputs",
                                         "sources and operators"});
inline const Metric kOperatorRecordsOutPerSecond(
    {"flink_taskmanager_job_task_operator_numRecordsOutPerSecond", MetricScope::kOperator,
     MetricKind::kNow, "records/s", "numRecordsOut over the last second", "sources and operators"});
inline const Metric kLateRecordsDropped(
    {"flink_taskmanager_job_task_operator_numLateRecordsDropped", MetricScope::kOperator,
     MetricKind::kTotal, "records", "Late rows that were dropped", "operators but projections"});
inline const Metric kSideOutputRecords({"watershed_operator_side_output_records",
                                        MetricScope::kOperator, MetricKind::kTotal, "records",
                                        "Late rows that went to an output of their own",
                                        "windows with a late output"});
inline const Metric kOperatorInputWatermarkMs(
    {"flink_taskmanager_job_task_operator_currentInputWatermark", MetricScope::kOperator,
     MetricKind::kNow, "ms since 1970", "The watermark that came in last", "operators and sinks"});
inline const Metric kOperatorOutputWatermarkMs(
    {"flink_taskmanager_job_task_operator_currentOutputWatermark", MetricScope::kOperator,
     MetricKind::kNow, "ms since 1970", "The watermark handed on last",
     "operators, and sources with a watermark"});
inline const Metric kWatermarkLagMs(
    {"flink_taskmanager_job_task_operator_watermarkLag", MetricScope::kOperator, MetricKind::kNow,
     "ms", "How far the watermark handed on last is behind the clock; 0 at the end",
     "sources with a watermark, once they have one"});
inline const Metric kFetchEventTimeLagMs(
    {"flink_taskmanager_job_task_operator_currentFetchEventTimeLag", MetricScope::kOperator,
     MetricKind::kNow, "ms",
     "How far the newest row of the last batch was behind the clock when it was read",
     "sources with a watermark, once they have read one"});
inline const Metric kEmitEventTimeLagMs(
    {"flink_taskmanager_job_task_operator_currentEmitEventTimeLag", MetricScope::kOperator,
     MetricKind::kNow, "ms", "The same when it was handed on, which is at once after it was read",
     "sources with a watermark, once they have read one"});
inline const Metric kPendingRecords(
    {"flink_taskmanager_job_task_operator_pendingRecords", MetricScope::kOperator, MetricKind::kNow,
     "records", "Records of the source's splits that it has not read yet; -1: not known",
     "sources"});
inline const Metric kSourceIdleMs({"flink_taskmanager_job_task_operator_sourceIdleTime",
                                   MetricScope::kOperator, MetricKind::kNow, "ms",
                                   "How long the source has found nothing to read; 0 while it does",
                                   "sources"});
inline const Metric kRecordsInErrors(
    {"flink_taskmanager_job_task_operator_numRecordsInErrors", MetricScope::kOperator,
     MetricKind::kTotal, "records",
     "Records skipped because they could not be decoded: on-error: skip", "sources"});
inline const Metric kFutureRecordsRefused(
    {"watershed_source_future_refused_records", MetricScope::kOperator, MetricKind::kTotal,
     "records", "Rows refused because they lie more than a day ahead of the clock", "sources"});
inline const Metric kDeadLetterRecords(
    {"watershed_source_dead_letter_records", MetricScope::kOperator, MetricKind::kTotal, "records",
     "Records that could not be used and went to another topic: on-error: dead-letter", "sources"});
inline const Metric kKafkaRecordsLagMax(
    {"flink_taskmanager_job_task_operator_KafkaSourceReader_KafkaConsumer_records_lag_max",
     MetricScope::kOperator, MetricKind::kNow, "records",
     "The largest lag of its partitions; -1: not known", "sources that read topics"});
inline const Metric kRecordsSend({"flink_taskmanager_job_task_operator_numRecordsSend",
                                  MetricScope::kOperator, MetricKind::kTotal, "records",
                                  "Rows that the sink took, committed or not yet", "sinks"});
inline const Metric kRecordsSendErrors(
    {"flink_taskmanager_job_task_operator_numRecordsSendErrors", MetricScope::kOperator,
     MetricKind::kTotal, "records",
     "Rows whose commit failed, each time it did, and rows that were refused", "sinks"});
inline const Metric kSinkCommittedRecords(
    {"watershed_sink_committed_records", MetricScope::kOperator, MetricKind::kTotal, "records",
     "Rows made visible, also those that former attempts had left to commit", "sinks"});
inline const Metric kSinkCommits({"watershed_sink_commits", MetricScope::kOperator,
                                  MetricKind::kTotal, "commits", "Epochs committed", "sinks"});
inline const Metric kSinkRetries({"watershed_sink_retries", MetricScope::kOperator,
                                  MetricKind::kTotal, "commits",
                                  "Commits that failed and were asked again", "sinks"});
inline const Metric kBlackholeRows({"watershed_blackhole_rows", MetricScope::kOperator,
                                    MetricKind::kTotal, "records", "Rows thrown away",
                                    "sinks with connector: blackhole"});
inline const Metric kStateCacheHits({"watershed_state_cache_hits", MetricScope::kOperator,
                                     MetricKind::kTotal, "keys",
                                     "Keys that were found in the cache",
                                     "operators with keyed state"});
inline const Metric kStateCacheMisses({"watershed_state_cache_misses", MetricScope::kOperator,
                                       MetricKind::kTotal, "keys",
                                       "Keys that were not, new ones among them",
                                       "operators with keyed state"});
inline const Metric kStateCacheEvictions({"watershed_state_cache_evictions", MetricScope::kOperator,
                                          MetricKind::kTotal, "keys",
                                          "Keys put out of the cache for want of room",
                                          "operators with keyed state"});
inline const Metric kStateCacheKeys({"watershed_state_cache_keys", MetricScope::kOperator,
                                     MetricKind::kNow, "keys", "Keys in the cache",
                                     "operators with keyed state"});
inline const Metric kStateCacheBytes({"watershed_state_cache_bytes", MetricScope::kOperator,
                                      MetricKind::kNow, "bytes",
                                      "What the cache and the timers use",
                                      "operators with keyed state"});
inline const Metric kStateDirtyBytes({"watershed_state_dirty_bytes", MetricScope::kOperator,
                                      MetricKind::kNow, "bytes",
                                      "Of the cache, what the backend has not been told",
                                      "operators with keyed state"});
inline const Metric kStateBackendKeys({"watershed_state_backend_keys", MetricScope::kOperator,
                                       MetricKind::kNow, "keys",
                                       "Keys in the backend; some of them may be in the cache too",
                                       "operators with keyed state"});
inline const Metric kStateBackendReads({"watershed_state_backend_reads", MetricScope::kOperator,
                                        MetricKind::kTotal, "keys", "Keys looked up in the backend",
                                        "operators with keyed state"});
inline const Metric kStateBackendWrites({"watershed_state_backend_writes", MetricScope::kOperator,
                                         MetricKind::kTotal, "keys", "Keys written to the backend",
                                         "operators with keyed state"});
inline const Metric kRocksDbFlushes({"watershed_rocksdb_flushes", MetricScope::kOperator,
                                     MetricKind::kTotal, "flushes",
                                     "Write buffers that RocksDB has written to files",
                                     "operators with keyed state, state.backend.type: rocksdb"});
inline const Metric kRocksDbFlushedBytes(
    {"watershed_rocksdb_flushed_bytes", MetricScope::kOperator, MetricKind::kTotal, "bytes",
     "Bytes of these files", "operators with keyed state, state.backend.type: rocksdb"});
inline const Metric kRocksDbCompactions(
    {"watershed_rocksdb_compactions", MetricScope::kOperator, MetricKind::kTotal, "compactions",
     "Merges of files", "operators with keyed state, state.backend.type: rocksdb"});
inline const Metric kRocksDbCompactedBytes(
    {"watershed_rocksdb_compacted_bytes", MetricScope::kOperator, MetricKind::kTotal, "bytes",
     "Bytes written by merges", "operators with keyed state, state.backend.type: rocksdb"});
inline const Metric kRocksDbFilesBytes({"watershed_rocksdb_files_bytes", MetricScope::kOperator,
                                        MetricKind::kNow, "bytes",
                                        "Files in the TaskManager's temporary directory",
                                        "operators with keyed state, state.backend.type: rocksdb"});
inline const Metric kRocksDbStalls({"watershed_rocksdb_stalls", MetricScope::kOperator,
                                    MetricKind::kTotal, "stalls",
                                    "Times that RocksDB began to slow writes down or stop them",
                                    "operators with keyed state, state.backend.type: rocksdb"});

// ---- Partitions ----
inline const Metric kKafkaCurrentOffset(
    {"flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset",
     MetricScope::kPartition, MetricKind::kNow, "offset",
     "The offset of the last record read; before the first one of the task, that before its "
     "start"});
inline const Metric kKafkaCommittedOffset(
    {"flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_committedOffset",
     MetricScope::kPartition, MetricKind::kNow, "offset",
     "The next offset to read as committed to Kafka for other tools to see; -1: nothing yet",
     "sources with properties.group.id"});
inline const Metric kPartitionLagRecords(
    {"watershed_source_partition_lag_records", MetricScope::kPartition, MetricKind::kNow, "records",
     "Records between the source's place and the partition's end; -1: not known"});

}  // namespace watershed::metric_names
