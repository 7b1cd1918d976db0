#include "runtime/engine/source_driver.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/metrics/names.h"
#include "runtime/types/dead_letter.h"
#include "runtime/types/kill_point.h"
#include "runtime/types/planted_bug.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;

// A source cannot be woken, so this is how long mail may have to wait for an idle one.
constexpr milliseconds kLongestPoll{50};

}  // namespace

SourceDriver::SourceDriver(std::unique_ptr<Source> source, std::unique_ptr<RecordDecoder> decoder,
                           Parameters parameters)
    : source_(std::move(source)),
      decoder_(std::move(decoder)),
      parameters_(std::move(parameters)),
      watermarks_(parameters_.watermarks.value_or(SplitWatermarks::Options{})),
      newest_ms_(parameters_.splits.size()),
      lag_(parameters_.splits.size(), -1) {
  watermarks_.Restore(parameters_.watermark_ms);
  watermark_told_ms_ = parameters_.watermark_ms;
  for (size_t i = 0; i < parameters_.splits.size(); ++i) watermarks_.AddSplit();
  for (size_t i = 0; i < parameters_.splits.size(); ++i) {
    const auto restored = parameters_.split_watermarks_ms.find(parameters_.splits[i].id);
    if (restored == parameters_.split_watermarks_ms.end()) continue;
    watermarks_.RestoreSplit(static_cast<int>(i), restored->second);
  }
  if (parameters_.suspended) suspended_by_ = CheckpointId{-1};
  RegisterMetrics();
}

void SourceDriver::RegisterMetrics() {
  MetricGroup& metrics = *parameters_.metrics;
  records_in_ = &metrics.counter(metric_names::kOperatorRecordsIn);
  records_out_ = &metrics.counter(metric_names::kOperatorRecordsOut);
  idle_ms_ = &metrics.gauge(metric_names::kSourceIdleMs);
  pending_records_ = &metrics.gauge(metric_names::kPendingRecords);
  pending_records_->Set(-1);
  for (const SourceSplit& split : parameters_.splits) {
    SplitGauges gauges;
    if (!split.topic.empty()) {
      const MetricLabels labels{
          {std::string(metric_names::kTopic), split.topic},
          {std::string(metric_names::kPartition), std::to_string(split.partition)}};
      gauges.current_offset = &metrics.gauge(metric_names::kKafkaCurrentOffset, labels);
      gauges.current_offset->Set(-1);
      gauges.lag = &metrics.gauge(metric_names::kPartitionLagRecords, labels);
      gauges.lag->Set(-1);
      if (records_lag_max_ == nullptr) {
        records_lag_max_ = &metrics.gauge(metric_names::kKafkaRecordsLagMax);
        records_lag_max_->Set(-1);
      }
    }
    split_gauges_.push_back(gauges);
  }
  if (!parameters_.watermarks) return;
  output_watermark_ = &metrics.gauge(metric_names::kOperatorOutputWatermarkMs);
  SetOutputWatermark(parameters_.watermark_ms);
}

// The lag is there once there is a watermark; it is that of the moment when it is read.
void SourceDriver::SetOutputWatermark(TimestampMs time_ms) {
  output_watermark_->Set(time_ms);
  if (has_watermark_lag_ || time_ms == kMinWatermarkMs) return;
  has_watermark_lag_ = true;
  parameters_.metrics->callback(
      metric_names::kWatermarkLagMs, [clock = parameters_.clock, watermark = output_watermark_] {
        const int64_t watermark_ms = watermark->value();
        if (watermark_ms == kMaxWatermarkMs) return 0.0;
        return static_cast<double>(clock->NowMs()) - static_cast<double>(watermark_ms);
      });
}

Error SourceDriver::Located(Error error) const {
  return std::move(error).Within(
      fmt::format("source '{}' subtask {}", parameters_.source, parameters_.subtask.value));
}

Status SourceDriver::Open() {
  if (Status status = source_->Open(parameters_.splits); !status) {
    return tl::make_unexpected(Located(std::move(status).error()));
  }
  opened_ = true;
  return Ok();
}

Result<std::optional<TaskInput::Element>> SourceDriver::Next() {
  if (!trigger_failure_) return tl::make_unexpected(trigger_failure_.error());
  if (queue_.empty() && !ended_ && !suspended_by_) {
    if (!unhandled_) WS_RETURN_IF_ERROR(Poll(milliseconds(0)));
    WS_RETURN_IF_ERROR(HandlePolled());
  }
  if (queue_.empty()) return std::optional<Element>();
  std::optional<Element> next(std::move(queue_.front()));
  queue_.pop_front();
  return next;
}

// Only the waiting is here: to decode what it brought is work, and Next's.
Status SourceDriver::Wait() {
  if (unhandled_) return Ok();
  if (parameters_.splits.empty() || ended_ || suspended_by_) {
    parameters_.mailbox->Wait();
    return Ok();
  }
  milliseconds deadline = kLongestPoll;
  if (const auto timer = parameters_.mailbox->next_timer()) {
    const auto left = std::chrono::ceil<milliseconds>(*timer - parameters_.clock->Steady());
    deadline = std::clamp(left, milliseconds(0), deadline);
  }
  return Poll(deadline);
}

Status SourceDriver::Poll(milliseconds deadline) {
  if (Status status = source_->Poll(polled_, parameters_.max_records_per_poll, deadline); !status) {
    return tl::make_unexpected(Located(std::move(status).error()));
  }
  unhandled_ = true;
  return Ok();
}

Status SourceDriver::HandlePolled() {
  unhandled_ = false;
  records_in_->Add(polled_.rows ? polled_.rows->num_rows()
                                : static_cast<int64_t>(polled_.raw.size()));
  WS_ASSIGN_OR_RETURN(RecordDecoder::Rows rows, decoder_->Decode(polled_, parameters_.splits));
  int64_t bytes = 0;
  for (const RawRecord& record : polled_.raw) bytes += static_cast<int64_t>(record.value.size());
  parameters_.bytes_in->Add(bytes);
  // Before any barrier that notes the positions behind them: so they are of the same epoch.
  if (rows.dead_letters.num_rows() > 0) {
    queue_.push_back({0, std::move(rows.dead_letters), kDeadLetterOutput});
  }
  if (rows.batch.num_rows() > 0) {
    if (polled_.rows) parameters_.bytes_in->Add(rows.batch.byte_size());
    records_out_->Add(rows.batch.num_rows());
    ObserveRows(rows);
    if (idle_told_) {
      idle_told_ = false;
      Add(WatermarkStatus{false});
    }
    Add(std::move(rows.batch));
  }
  ObserveProgress();
  if (polled_.finished) {
    AddEnd();
    return Ok();
  }
  AddWatermark();
  return ApplyDrift();
}

void SourceDriver::ObserveRows(const RecordDecoder::Rows& rows) {
  if (!parameters_.watermarks) return;
  std::fill(newest_ms_.begin(), newest_ms_.end(), kMinWatermarkMs);
  const auto times_ms = rows.batch.column(*parameters_.event_time_column).Int64s();
  if (rows.splits.empty()) {
    newest_ms_[0] = *std::max_element(times_ms.begin(), times_ms.end());
  } else {
    for (size_t row = 0; row < times_ms.size(); ++row) {
      TimestampMs& newest_ms = newest_ms_[static_cast<size_t>(rows.splits[row])];
      newest_ms = std::max(newest_ms, times_ms[row]);
    }
  }
  last_event_time_ms_ = *std::max_element(newest_ms_.begin(), newest_ms_.end());
  for (size_t split = 0; split < newest_ms_.size(); ++split) {
    if (newest_ms_[split] == kMinWatermarkMs) continue;
    watermarks_.OnRows(static_cast<int>(split), newest_ms_[split]);
  }
}

// `now`: all of a batch's rows came with one poll.
void SourceDriver::NoteRead(std::chrono::nanoseconds now) {
  if (polled_.raw.empty() && !polled_.rows) {
    if (!idle_since_) idle_since_ = now;
    return;
  }
  idle_since_.reset();
  last_batch_at_ = now;
}

void SourceDriver::ObserveProgress() {
  const auto now = parameters_.clock->Steady();
  NoteRead(now);
  if (!polled_.degraded_reason.empty()) watermarks_.HoldIdleClocks(now);
  for (const SplitProgress& progress : polled_.progress) {
    const auto split = static_cast<size_t>(progress.split_index);
    watermarks_.OnCaughtUp(progress.split_index, progress.caught_up, now);
    if (progress.finished) watermarks_.OnFinished(progress.split_index);
    if (progress.lag) lag_[split] = *progress.lag;
  }
  watermarks_.CheckIdleness(now);
}

Status SourceDriver::ApplyDrift() {
  for (const auto& [split, pause] : watermarks_.CheckDrift()) {
    Status status = pause ? source_->Pause(split) : source_->Resume(split);
    if (!status) return tl::make_unexpected(Located(std::move(status).error()));
  }
  return Ok();
}

void SourceDriver::AddWatermark() {
  if (!parameters_.watermarks) return;
  const bool idle = watermarks_.idle();
  if (watermarks_.watermark_ms() > watermark_told_ms_) {
    const auto steady = parameters_.clock->Steady();
    const bool due = idle || !watermark_told_at_ ||
                     steady - *watermark_told_at_ >= parameters_.watermark_interval;
    if (due) {
      watermark_told_ms_ = watermarks_.watermark_ms();
      watermark_told_at_ = steady;
      SetOutputWatermark(watermark_told_ms_);
      Add(Watermark{watermark_told_ms_});
    }
  }
  if (idle && !idle_told_) {
    idle_told_ = true;
    Add(WatermarkStatus{true});
  }
}

void SourceDriver::AddEnd() {
  UpdateGauges();  // for the last time
  ended_ = true;
  if (output_watermark_ != nullptr) SetOutputWatermark(kMaxWatermarkMs);
  pending_records_->Set(0);
  Add(Watermark{kMaxWatermarkMs});
  Add(EndOfInput{});
}

SourceDriver::Place SourceDriver::CurrentPlace() const {
  Place place{source_->Positions(), {}};
  for (int split = 0; split < watermarks_.size(); ++split) {
    place.watermarks_ms.push_back(watermarks_.split_watermark_ms(split));
  }
  return place;
}

void SourceDriver::OnTrigger(const Barrier& barrier, SourceStop stop) {
  if (ended_) return;
  // The place of the barrier is behind all that was polled.
  if (unhandled_) trigger_failure_ = HandlePolled();
  if (ended_ || !trigger_failure_) return;
  if (stop == SourceStop::kDrain) return AddEnd();
  // Told to go on, it had been suspended by one that was given up meanwhile.
  suspended_by_.reset();
  if (stop == SourceStop::kSuspend) suspended_by_ = barrier.checkpoint_id;
  Place place = CurrentPlace();
  Add(barrier);
  Pass(KillPoint::kBarrierTriggered);
  if (IsPlanted(PlantedBug::kOffsetsOneBatchLate) && Poll(milliseconds(0)) && HandlePolled()) {
    place = CurrentPlace();
  }
  noted_[barrier.checkpoint_id] = std::move(place);
}

void SourceDriver::Snapshot(CheckpointId checkpoint, v1::SubtaskSnapshot& out) {
  const Place& place = noted_.try_emplace(checkpoint, CurrentPlace()).first->second;
  for (size_t i = 0; i < parameters_.splits.size(); ++i) {
    const SourceSplit& split = parameters_.splits[i];
    v1::SplitSnapshot& snapshot = *out.add_splits();
    snapshot.set_split_id(split.id);
    snapshot.set_topic(split.topic);
    snapshot.set_partition(split.partition);
    snapshot.set_next_position(place.positions[i].next_position);
    if (split.end_position) snapshot.set_end_position(*split.end_position);
    const TimestampMs watermark_ms = place.watermarks_ms[i];
    if (watermark_ms != kMinWatermarkMs) snapshot.set_watermark_ms(watermark_ms);
  }
}

void SourceDriver::OnCheckpointComplete(CheckpointId checkpoint) {
  const auto noted = noted_.find(checkpoint);
  if (noted == noted_.end() || !opened_) return;
  source_->OnCheckpointComplete(noted->second.positions);
  noted_.erase(noted_.begin(), std::next(noted));
}

void SourceDriver::OnCheckpointAborted(CheckpointId checkpoint) {
  noted_.erase(checkpoint);
  if (suspended_by_ == checkpoint) suspended_by_.reset();
}

void SourceDriver::OnBackpressure() { watermarks_.HoldIdleClocks(parameters_.clock->Steady()); }

void SourceDriver::UpdateGauges() {
  if (ended_ || !opened_) return;
  const std::vector<SplitPosition> positions = source_->Positions();
  int64_t total_lag = lag_.empty() ? 0 : -1;
  for (size_t i = 0; i < split_gauges_.size(); ++i) {
    if (lag_[i] >= 0) total_lag = std::max<int64_t>(total_lag, 0) + lag_[i];
    if (split_gauges_[i].lag == nullptr) continue;
    split_gauges_[i].lag->Set(lag_[i]);
    // Flink reports the offset of the last record read, not of the next one.
    if (i < positions.size()) split_gauges_[i].current_offset->Set(positions[i].next_position - 1);
  }
  pending_records_->Set(total_lag);
  if (records_lag_max_ != nullptr) {
    records_lag_max_->Set(*std::max_element(lag_.begin(), lag_.end()));
  }
  UpdateTimes();
}

// A batch is handed on as soon as it is read, so its lag is the same then.
void SourceDriver::UpdateTimes() {
  const auto now = parameters_.clock->Steady();
  const auto in_ms = [](std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<milliseconds>(time).count();
  };
  idle_ms_->Set(idle_since_ ? in_ms(now - *idle_since_) : 0);
  if (last_event_time_ms_ == kMinWatermarkMs) return;
  const int64_t read_at_ms = parameters_.clock->NowMs() - in_ms(now - last_batch_at_);
  for (const std::string_view lag : {std::string_view(metric_names::kFetchEventTimeLagMs),
                                     std::string_view(metric_names::kEmitEventTimeLagMs)}) {
    parameters_.metrics->gauge(lag).Set(read_at_ms - last_event_time_ms_);
  }
}

void SourceDriver::Close() {
  if (opened_) source_->Close();
  opened_ = false;
}

}  // namespace watershed
