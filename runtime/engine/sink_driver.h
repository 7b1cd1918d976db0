// The end of a chain where rows leave the job: drives one Sink through its epochs.
//
// With checkpoints an epoch is what lies between two barriers: prepared at the second, part of that
// snapshot and of every later one until it is confirmed, and committed once its checkpoint is
// complete. Input is held back only while a commit is outstanding and the open epoch is full, and
// while the storage has not taken what memory has no room for (unconfirmed_epochs.h).
//
// Without checkpoints, and for sinks that write at once, epochs are local: one ends when it has the
// configured size or age, or at the end of the input. While it is being committed the next one
// fills; only when that is full too does the sink hold its input back. The guarantee without
// checkpoints is none, because a lost task's last epoch may be missing.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connectors/sink.h"
#include "runtime/engine/backoff.h"
#include "runtime/engine/chain_node.h"
#include "runtime/engine/mailbox.h"
#include "runtime/engine/sink_calls.h"
#include "runtime/engine/task.h"
#include "runtime/engine/unconfirmed_epochs.h"
#include "runtime/memory/memory_account.h"

namespace watershed {

// One thread, apart from opening and the commits.
class SinkDriver final : public ChainNode {
 public:
  struct Parameters {
    WriterId writer;
    Attempt attempt;
    SubtaskIndex subtask;
    SinkTakeover takeover;
    const SnapshotTarget* snapshots = nullptr;  // null: no checkpoints; outlives the driver
    MemoryAccount* memory = nullptr;            // counts the output that is kept; may be null
    int64_t memory_bytes = 0;                   // of output in memory; 0: 32 MB
    std::shared_ptr<Mailbox> mailbox;
    const Clock* clock = nullptr;
    TaskOptions options;
    std::unique_ptr<SerialRunner> runner;  // of the blocking calls; null: a thread of its own
    std::shared_ptr<MetricGroup> metrics;  // the sink's; lives as long as a commit may run
    Counter* records_out = nullptr;        // the task's: rows and bytes taken by sinks and channels
    Counter* bytes_out = nullptr;
    Counter* records_written = nullptr;  // the task's: rows taken by sinks
  };

  SinkDriver(std::unique_ptr<Sink> sink, Parameters parameters);
  ~SinkDriver() override { SinkDriver::Close(); }

  Result<Progress> Open() override;
  Status Process(int input, const RecordBatch& batch) override;
  Status Flush() override { return Ok(); }
  Result<Progress> OnWatermark(TimestampMs time_ms) override;
  Status OnWatermarkStatus(WatermarkStatus) override { return Ok(); }
  Status Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot) override;
  // A barrier ends the local epoch.
  Status OnBarrier(const Barrier& barrier) override;
  Status OnCheckpointComplete(CheckpointId checkpoint) override;
  bool Committed(CheckpointId checkpoint) const override;
  Result<Progress> EndOfInput() override;
  void Close() override;
  // An epoch before is being committed and this one is full or the last.
  bool full() const override {
    return (calls_.committing() && (ending_ || EpochIsFull())) || MemoryIsFull();
  }
  std::string degraded_reason() const override;

 private:
  // To be committed as soon as those before are.
  struct DueEpoch {
    std::shared_ptr<const SinkEpoch> epoch;
    std::shared_ptr<PendingSnapshot> snapshot;  // waits for it; may be null
  };

  bool has_local_epochs() const { return parameters_.snapshots == nullptr || writes_at_once_; }
  bool EpochIsFull() const;
  bool MemoryIsFull() const {
    return !has_local_epochs() && unconfirmed_.full(calls_.sink().buffered_bytes());
  }
  // What was written since the last call; nothing when that was nothing, or has arrived already.
  Result<std::optional<SinkEpoch>> PrepareEpoch(CheckpointId id);
  // The epoch goes on; what it has so far goes to the storage.
  Status PreparePart();
  void OnStored(const Status& written);
  void CountMemory();
  Status EndLocalEpoch(std::shared_ptr<PendingSnapshot> snapshot);
  Status EndLocalEpochIfDue();
  // Unless a commit is under way.
  void CommitNext();
  Status OnCommitted(const SinkEpoch& epoch);
  void ListWriters(const std::shared_ptr<PendingSnapshot>& snapshot);
  void StartTimer();
  void StopTimer();

  Parameters parameters_;
  SinkCalls calls_;
  bool writes_at_once_;

  CheckpointId next_local_epoch_{1};
  int64_t rows_in_epoch_ = 0;
  bool epoch_due_ = false;
  std::optional<Mailbox::TimerId> epoch_timer_;
  bool ending_ = false;
  std::deque<DueEpoch> due_;
  MemoryReservation memory_;
  UnconfirmedEpochs unconfirmed_;
  Backoff store_backoff_;
  std::string store_failure_;  // of output that waits in memory; empty: none
  CheckpointId complete_{-1};
  CheckpointId last_confirmed_{-1};

  Counter* records_in_;
  Gauge* input_watermark_;
  Counter* records_send_;
  Counter* send_errors_;
  Counter* committed_records_;
};

}  // namespace watershed
