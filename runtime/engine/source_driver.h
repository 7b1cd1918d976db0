// The input of a source task: polls one Source, decodes, generates watermarks, notices the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connectors/source.h"
#include "runtime/engine/mailbox.h"
#include "runtime/engine/record_decoder.h"
#include "runtime/engine/split_watermarks.h"
#include "runtime/engine/task_input.h"
#include "runtime/metrics/metrics.h"

namespace watershed {

// One thread.
//
// A subtask without splits is idle, or at its end when the source is bounded. A bounded source ends
// with the watermark +∞, then EndOfInput. Watermarks follow the batch that raised them, at most one
// an interval: every watermark ends the open batches and pre-aggregates of the whole chain behind
// it.
class SourceDriver final : public TaskInput {
 public:
  struct Parameters {
    std::string source;  // operator id
    SubtaskIndex subtask;
    std::vector<SourceSplit> splits;
    std::optional<SplitWatermarks::Options> watermarks;  // absent: rows have no event time
    std::optional<int> event_time_column;                // present when watermarks are
    std::chrono::milliseconds watermark_interval{200};
    int max_records_per_poll = 2048;
    std::shared_ptr<Mailbox> mailbox;
    const Clock* clock = nullptr;
    MetricGroup* metrics = nullptr;  // the source operator's
    Counter* bytes_in = nullptr;     // the task's
    // Restored: the watermark that the task hands on first, and those of splits by their ids.
    TimestampMs watermark_ms = kMinWatermarkMs;
    std::map<std::string, TimestampMs> split_watermarks_ms;
    bool suspended = false;  // until the first barrier that says otherwise
  };

  SourceDriver(std::unique_ptr<Source> source, std::unique_ptr<RecordDecoder> decoder,
               Parameters parameters);
  ~SourceDriver() override { SourceDriver::Close(); }

  Status Open() override;
  Result<std::optional<Element>> Next() override;
  Status Wait() override;
  void OnBackpressure() override;
  void UpdateGauges() override;
  std::string degraded_reason() const override { return polled_.degraded_reason; }
  // Ignored at the end: the task takes the snapshot by itself then.
  void OnTrigger(const Barrier& barrier, SourceStop stop) override;
  void OnCheckpointComplete(CheckpointId checkpoint) override;
  void OnCheckpointAborted(CheckpointId checkpoint) override;
  // Positions and watermarks as of the barrier's place among the rows.
  void Snapshot(CheckpointId checkpoint, v1::SubtaskSnapshot& out) override;
  void Close() override;

  // Records between our positions and the ends of the splits; -1: unknown. Any thread.
  int64_t lag_records() const { return pending_records_->value(); }

 private:
  struct SplitGauges {
    Gauge* current_offset = nullptr;  // only of splits that are partitions of a topic
    Gauge* lag = nullptr;
  };
  // Where the splits stand between two rows.
  struct Place {
    std::vector<SplitPosition> positions;
    std::vector<TimestampMs> watermarks_ms;
  };
  Place CurrentPlace() const;
  Status Poll(std::chrono::milliseconds deadline);
  Status HandlePolled();
  void NoteRead(std::chrono::nanoseconds now);
  void SetOutputWatermark(TimestampMs time_ms);
  void UpdateTimes();
  void ObserveRows(const RecordDecoder::Rows& rows);
  void ObserveProgress();
  Status ApplyDrift();
  // Queues the watermark and idleness, where they changed and are due.
  void AddWatermark();
  void AddEnd();
  void Add(StreamElement element) { queue_.push_back({0, std::move(element), {}}); }
  void RegisterMetrics();
  Error Located(Error error) const;

  std::unique_ptr<Source> source_;
  std::unique_ptr<RecordDecoder> decoder_;
  Parameters parameters_;
  SplitWatermarks watermarks_;
  PolledRecords polled_;
  bool unhandled_ = false;  // polled_ is, with its records: Wait leaves the work to Next
  Status trigger_failure_;  // of handling it early
  std::deque<Element> queue_;
  std::map<CheckpointId, Place> noted_;  // of checkpoints neither complete nor aborted
  bool opened_ = false;
  bool ended_ = false;
  std::optional<CheckpointId> suspended_by_;  // hands out nothing; -1: since its begin

  bool idle_told_ = false;
  TimestampMs watermark_told_ms_ = kMinWatermarkMs;
  std::optional<Mailbox::SteadyTime> watermark_told_at_;
  std::vector<TimestampMs> newest_ms_;                // per split, of the batch at hand
  std::vector<int64_t> lag_;                          // per split; -1: unknown
  TimestampMs last_event_time_ms_ = kMinWatermarkMs;  // the newest row's of the last batch
  std::chrono::nanoseconds last_batch_at_{0};
  std::optional<std::chrono::nanoseconds> idle_since_;  // the first poll that found nothing

  Counter* records_in_ = nullptr;
  Counter* records_out_ = nullptr;
  Gauge* output_watermark_ = nullptr;
  Gauge* pending_records_ = nullptr;
  Gauge* idle_ms_ = nullptr;
  bool has_watermark_lag_ = false;
  Gauge* records_lag_max_ = nullptr;  // Kafka only
  std::vector<SplitGauges> split_gauges_;
};

}  // namespace watershed
