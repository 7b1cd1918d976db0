// The end of a chain where rows leave the job: drives one Sink through its epochs.
//
// Until checkpoints come, epochs are local: one ends when it has the configured size or age, or at
// the end of the input. Prepare runs on the task's thread, Commit on an I/O thread of the sink's
// own, one at a time. While a commit is under way the next epoch fills; only when that is full too
// does the sink hold its input back. A commit that may heal is asked again, with backoff; the
// guarantee is none, because a lost task's last epoch may be missing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connectors/sink.h"
#include "runtime/engine/backoff.h"
#include "runtime/engine/chain_node.h"
#include "runtime/engine/commit_thread.h"
#include "runtime/engine/mailbox.h"
#include "runtime/engine/task.h"

namespace watershed {

// One thread, apart from opening and the commits.
class SinkDriver final : public ChainNode {
 public:
  struct Parameters {
    WriterId writer;
    Attempt attempt;
    SubtaskIndex subtask;
    std::shared_ptr<Mailbox> mailbox;
    const Clock* clock = nullptr;
    TaskOptions options;
    std::shared_ptr<MetricGroup> metrics;  // the sink's; lives as long as a commit may run
    Counter* records_out = nullptr;        // the task's: rows and bytes taken by sinks and channels
    Counter* bytes_out = nullptr;
    Counter* records_written = nullptr;            // the task's: rows taken by sinks
    const std::atomic<bool>* cancelled = nullptr;  // the task's; outlives the driver
  };

  SinkDriver(std::unique_ptr<Sink> sink, Parameters parameters);
  ~SinkDriver() override { SinkDriver::Close(); }

  // Runs on the I/O thread while the caller waits, so that a cancel need not sit out a client
  // library's connect timeout: it then returns a retryable error that nobody will read.
  Status Open() override;
  Status Process(int input, const RecordBatch& batch) override;
  Status Flush() override { return Ok(); }
  Result<Progress> OnWatermark(TimestampMs time_ms) override;
  Status OnWatermarkStatus(WatermarkStatus) override { return Ok(); }
  // A barrier ends the local epoch.
  Status OnBarrier(const Barrier& barrier) override;
  Result<Progress> EndOfInput() override;
  void Close() override;
  // The epoch before is being committed and this one is full or the last.
  bool full() const override { return committing_ && (ending_ || EpochIsFull()); }
  std::string degraded_reason() const override { return degraded_reason_; }

 private:
  struct Epoch {
    CheckpointId id;
    std::vector<SinkSegment> segments;
    int64_t rows = 0;
  };
  // The sink and what it uses; commits share it, so that one left behind by a cancel stays valid.
  struct Target {
    std::shared_ptr<MetricGroup> metrics;
    std::unique_ptr<Sink> sink;
    bool opened = false;

    // Opens, fences and recovers; goes on where it failed the time before. The writer's next epoch.
    Result<CheckpointId> Open(const WriterId& writer, Attempt attempt);
  };

  bool EpochIsFull() const;
  // Prepares and commits what was written, unless a commit is under way.
  Status EndEpoch();
  Status EndEpochIfDue();
  void StartCommit();
  Status OnCommitted(Status status);
  Status OnRetryableError(const Error& error);
  Error Located(Error error) const;
  void StartTimer();

  Parameters parameters_;
  std::shared_ptr<Target> target_;
  CommitThread commit_thread_;
  Backoff backoff_;

  CheckpointId next_epoch_{1};
  int64_t rows_in_epoch_ = 0;
  bool epoch_due_ = false;
  std::optional<Mailbox::TimerId> epoch_timer_;
  std::shared_ptr<const Epoch> committing_;  // null: no commit under way
  bool ending_ = false;
  std::string degraded_reason_;

  Counter* records_in_;
  Gauge* input_watermark_;
  Counter* records_send_;
  Counter* send_errors_;
  Counter* committed_records_;
  Counter* commits_;
  Counter* retries_;
};

}  // namespace watershed
