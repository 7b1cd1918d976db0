// A task: one subtask of one vertex, on one thread with one mailbox. It reads a source or an input
// gate, drives its operator chain and writes to channels or sinks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connectors/source.h"
#include "runtime/engine/task_input.h"
#include "runtime/exchange/channel.h"
#include "runtime/metrics/metrics.h"
#include "runtime/types/clock.h"
#include "runtime/types/event_time.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"
#include "runtime/types/schema.h"
#include "runtime/types/stream_element.h"

namespace watershed {

class ConnectorFactory;
class KeyedStateFactory;
class MemoryAccount;
class ObjectStorage;
class SerialRunner;
class WorkRunner;
namespace v1 {
class PhysicalPlan;
class SubtaskRestore;
class SubtaskSnapshot;
}  // namespace v1

// One channel of one edge in one attempt; `edge` is the index into PhysicalPlan.edges.
struct ChannelKey {
  JobId job;
  Attempt attempt;
  int32_t edge = 0;
  SubtaskIndex upstream;
  SubtaskIndex downstream;
  auto operator<=>(const ChannelKey&) const = default;
};

// Connects the two ends of channels: by pointer within a process, by gRPC between TaskManagers.
// Thread-safe; either end may be opened first, and the other end may live elsewhere.
class ChannelProvider {
 public:
  virtual ~ChannelProvider() = default;
  virtual Result<std::unique_ptr<ChannelSender>> OpenSender(const ChannelKey& key,
                                                            const SchemaPtr& schema) = 0;
  virtual Result<std::unique_ptr<ChannelReceiver>> OpenReceiver(const ChannelKey& key,
                                                                const SchemaPtr& schema) = 0;
};

// In the order of Flink's execution states.
enum class TaskState : uint8_t {
  kCreated,
  kInitializing,
  kRunning,
  kFinished,
  kCanceling,
  kCanceled,
  kFailed,
};

inline bool HasEnded(TaskState state) {
  return state == TaskState::kFinished || state == TaskState::kCanceled ||
         state == TaskState::kFailed;
}

struct TaskSpec {
  JobId job;
  std::string job_name;
  Attempt attempt;
  std::shared_ptr<const v1::PhysicalPlan> plan;
  std::string vertex_id;
  SubtaskIndex subtask;
  std::vector<SourceSplit> splits;  // source vertices only; with the positions to begin at

  // Checkpoints. Null storage: none are taken, and sinks commit epochs of their own.
  std::shared_ptr<ObjectStorage> checkpoint_storage;  // of the job's checkpoint directory
  std::string lineage;
  std::string unique;  // new for every start of a task: names of its files have it
  // What the subtask takes over; null: it begins empty. Its files are in `restore_storage`.
  std::shared_ptr<const v1::SubtaskRestore> restore;
  std::shared_ptr<ObjectStorage> restore_storage;
  // The job was restored to be stopped: its source reads nothing before a barrier says otherwise.
  bool suspended = false;
};

// Where a task's answers about checkpoints go. Thread-safe; returns at once.
class CheckpointResponder {
 public:
  virtual ~CheckpointResponder() = default;
  // Everything that the snapshot names is durable.
  virtual void Acknowledge(const TaskSpec& task, CheckpointId checkpoint,
                           const v1::SubtaskSnapshot& snapshot) = 0;
  // The task could not take part (a full disk); it goes on.
  virtual void Decline(const TaskSpec& task, CheckpointId checkpoint, const Error& reason) = 0;
  // Told that the checkpoint is complete, its sinks have committed all epochs up to it.
  virtual void Confirm(const TaskSpec& task, CheckpointId checkpoint) = 0;
};

struct TaskStatus {
  TaskState state = TaskState::kCreated;
  Error failure;                // kFailed only
  std::string degraded_reason;  // running, but something outside is away ("broker down, retrying")
};

// Settings that a whole process shares. The defaults are Flink's where Flink has the option.
struct TaskOptions {
  // pipeline.auto-watermark-interval: a source sends its watermark at most this often, because
  // every watermark ends the open batches and pre-aggregates behind it. 0 = after every batch.
  int64_t auto_watermark_interval_ms = 200;
  // execution.buffer-timeout: how long a row may wait in an open batch before an exchange.
  int64_t buffer_timeout_ms = 10;
  // Rows for one channel are collected until they have this size.
  int64_t batch_size_bytes = 64 << 10;
  // Without checkpoints a sink commits by itself at whichever is reached first.
  int64_t sink_epoch_interval_ms = 1000;
  int64_t sink_epoch_size_bytes = 4 << 20;
  // How long a canceled task waits for a commit under way before it leaves it to itself.
  int64_t cancel_grace_ms = 2000;
  int max_records_per_poll = 2048;
};

// All pointers outlive the task.
struct TaskEnvironment {
  const Clock* clock = nullptr;
  TaskOptions options;
  const ConnectorFactory* connectors = nullptr;  // null: those of connectors/registry.h
  MetricRegistry* metrics = nullptr;
  MetricLabels metric_labels;  // tm_id, host
  KeyedStateFactory* keyed_state = nullptr;
  MemoryAccount* memory = nullptr;  // null: every part keeps to bounds of its own
  ChannelProvider* channels = nullptr;
  std::string temporary_directory;    // of this process; the task makes its own folder below it
  WorkRunner* snapshot_io = nullptr;  // where snapshots are written; with checkpoints only
  CheckpointResponder* checkpoints = nullptr;  // the same
  // Whether the attempt is still the one that should run; an error: nobody knows. Blocks, for
  // threads of sinks' calls. Null: it is.
  std::function<Result<bool>(const JobId&, Attempt)> is_wanted;
  // Makes what runs the blocking calls of one sink; null: a thread each.
  std::function<std::unique_ptr<SerialRunner>()> make_sink_runner;
  // Called on the task's thread at every change of state or of the degraded reason, and when
  // figures().ended becomes true.
  std::function<void(const TaskSpec&, const TaskStatus&)> on_status;
};

// Cumulative figures since the task began, readable from any thread. Units in the names.
struct TaskFigures {
  int64_t records_in = 0, records_out = 0, bytes_in = 0, bytes_out = 0;
  int64_t records_written = 0;  // those of records_out that sinks took
  int64_t late_records = 0, skipped_records = 0, dead_letter_records = 0;
  int64_t input_watermark_ms = kMinWatermarkMs;
  int64_t busy_ms = 0, idle_ms = 0, backpressured_ms = 0;
  int64_t source_lag_records = -1;  // -1: unknown
  // All input has come and all that follows from it has been emitted; with checkpoints the task
  // then waits for the final one.
  bool ended = false;
};

class Task {
 public:
  // Builds the chain and opens its channels (the provider must not block); what connects to the
  // outside is opened after Start. A plan that cannot be built is an error here.
  static Result<std::unique_ptr<Task>> Create(TaskSpec spec, const TaskEnvironment& environment);
  virtual ~Task() = default;  // joins the thread; Cancel first if it still runs

  virtual void Start() = 0;   // starts the thread: kInitializing, kRunning, then an end state
  virtual void Cancel() = 0;  // any thread; returns at once, the end is told by on_status
  // Of checkpoints; any thread, return at once. Only with a checkpoint_storage.
  // A source begins the checkpoint with a barrier; any other task notes it, because one whose
  // inputs have all ended gets no barrier and takes its snapshot by itself. An id that is not above
  // all before is ignored.
  // `stop`: for sources; the others see what comes of it.
  virtual void TriggerCheckpoint(const Barrier& barrier, SourceStop stop) = 0;
  // All up to this one are complete: sinks commit; the responder is told when they have. A task
  // whose input ended before its barrier finishes after that. `is_last`: so do all others.
  virtual void NotifyCheckpointComplete(CheckpointId checkpoint, bool is_last) = 0;
  // It will not be completed: an alignment that waits for it is given up. What was written for it
  // is part of the next one.
  virtual void NotifyCheckpointAborted(CheckpointId checkpoint) = 0;
  virtual void Join() = 0;
  virtual TaskStatus status() const = 0;
  virtual TaskFigures figures() const = 0;
  virtual const TaskSpec& spec() const = 0;
  virtual bool is_source() const = 0;
};

}  // namespace watershed
