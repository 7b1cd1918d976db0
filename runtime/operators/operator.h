// An operator transforms batches. It runs on its task's thread only and holds no locks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/metrics/metrics.h"
#include "runtime/types/clock.h"
#include "runtime/types/event_time.h"
#include "runtime/types/key_group.h"
#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

class KeyedState;         // state/keyed_state.h
class KeyedStateFactory;  // state/keyed_state.h
struct SnapshotTarget;    // storage/background_writer.h

// Everything that leaves an operator goes through here. Emit always accepts; an operator that makes
// many rows from one call (a firing watermark) asks full() between slices and yields when it is.
class Output {
 public:
  virtual ~Output() = default;
  virtual Status Emit(RecordBatch batch) = 0;
  // A named output besides the main one ("late"). Without a consumer the rows are dropped: the
  // operator has counted them before.
  virtual Status EmitSide(std::string_view tag, RecordBatch batch) = 0;
  virtual bool has_side(std::string_view tag) const = 0;
  virtual bool full() const = 0;
};

// kYield: there is more to emit; the task runs its mailbox, waits until the output has room and
// calls the same function again with the same arguments.
enum class Progress : uint8_t { kDone, kYield };

struct OperatorContext {
  std::string job_name;
  std::string operator_id;    // stable: the name in the job file
  std::string operator_name;  // for people: "SessionWindow(gap=5min, …)"
  SubtaskIndex subtask;
  int32_t parallelism = 1;
  int32_t max_parallelism = kDefaultMaxParallelism;
  KeyGroupRange key_groups;
  const Clock* clock = nullptr;
  MetricGroup* metrics = nullptr;             // labelled with job, task, operator, subtask
  KeyedStateFactory* keyed_state = nullptr;   // one per process: shares cache and memory budget
  std::string state_directory;                // this operator's own, exists and is empty
  const SnapshotTarget* snapshots = nullptr;  // null: the job takes no checkpoints
  // Runs `mail` on the task's thread, later. Callable from any thread (asynchronous completions).
  std::function<void(std::function<Status()> mail)> post;
};

// Snapshot of an operator: named sections of bytes. Keyed state snapshots itself (state/); this is
// for what an operator holds besides.
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  virtual Status Put(std::string_view section, std::string_view bytes) = 0;
};
// After a rescale one operator may be given the sections of several former subtasks.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  virtual std::vector<std::string> Get(std::string_view section) const = 0;
};

// Contract of snapshot and restore: after Snapshot, Close, a new instance, Open and Restore, it
// goes on as if nothing had happened. Keyed state is frozen, written and restored by the engine:
// between Open and Restore when it is restored, after Snapshot when it is frozen.
class Operator {
 public:
  virtual ~Operator() = default;
  virtual Status Open(const OperatorContext& context) {
    (void)context;
    return Ok();
  }
  // `input` is the index of the operator's input (0 unless it has several).
  virtual Status Process(int input, const RecordBatch& batch, Output& output) = 0;
  // The operator's combined watermark rose to `time_ms`. The task forwards it after kDone.
  virtual Result<Progress> OnWatermark(TimestampMs time_ms, Output& output) {
    (void)time_ms, (void)output;
    return Progress::kDone;
  }
  // Emits what is buffered for performance only (pre-aggregates, open batches): called before every
  // barrier and before any watermark, in chain order.
  virtual Status Flush(Output& output) {
    (void)output;
    return Ok();
  }
  virtual Status EndOfInput(Output& output) { return Flush(output); }
  // The state that it opened with Open, if it is keyed.
  virtual KeyedState* keyed_state() { return nullptr; }
  // What it holds besides, small.
  virtual Status Snapshot(SnapshotWriter& writer) {
    (void)writer;
    return Ok();
  }
  virtual Status Restore(const SnapshotReader& reader) {
    (void)reader;
    return Ok();
  }
  virtual void Close() {}
};

}  // namespace watershed
