#include "runtime/engine/sink_driver.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include "runtime/metrics/names.h"

namespace watershed {

SinkDriver::SinkDriver(std::unique_ptr<Sink> sink, Parameters parameters)
    : parameters_(std::move(parameters)),
      target_(std::make_shared<Target>(Target{parameters_.metrics, std::move(sink)})),
      backoff_(std::hash<std::string>{}(parameters_.writer.lineage) +
               static_cast<uint64_t>(parameters_.writer.writer)) {
  MetricGroup& metrics = *parameters_.metrics;
  records_in_ = &metrics.counter(metric_names::kOperatorRecordsIn);
  input_watermark_ = &metrics.gauge(metric_names::kOperatorInputWatermarkMs);
  input_watermark_->Set(kMinWatermarkMs);
  records_send_ = &metrics.counter(metric_names::kRecordsSend);
  send_errors_ = &metrics.counter(metric_names::kRecordsSendErrors);
  committed_records_ = &metrics.counter(metric_names::kSinkCommittedRecords);
  commits_ = &metrics.counter(metric_names::kSinkCommits);
  retries_ = &metrics.counter(metric_names::kSinkRetries);
}

Error SinkDriver::Located(Error error) const {
  return std::move(error).Within(
      fmt::format("sink '{}' subtask {}", parameters_.writer.sink, parameters_.subtask.value));
}

Result<CheckpointId> SinkDriver::Target::Open(const WriterId& writer, Attempt attempt) {
  if (!opened) WS_RETURN_IF_ERROR(sink->Open());
  opened = true;
  WS_ASSIGN_OR_RETURN(const auto markers, sink->Fence({&writer, 1}, attempt));
  WS_RETURN_IF_ERROR(sink->Recover({}));
  CheckpointId next_epoch{1};
  for (const WriterMarker& marker : markers) {
    next_epoch.value = std::max(next_epoch.value, marker.last_committed_epoch.value + 1);
  }
  return next_epoch;
}

Status SinkDriver::Open() {
  struct Answer {
    std::mutex mutex;
    std::optional<Result<CheckpointId>> next_epoch;
  };
  const auto answer = std::make_shared<Answer>();
  commit_thread_.Run([answer, target = target_, mailbox = parameters_.mailbox,
                      writer = parameters_.writer, attempt = parameters_.attempt] {
    Result<CheckpointId> opened = CheckpointId{};
    try {
      opened = target->Open(writer, attempt);
    } catch (const std::exception& e) {
      opened = InternalError("opening threw: {}", e.what());
    }
    {
      std::lock_guard lock(answer->mutex);
      answer->next_epoch = std::move(opened);
    }
    mailbox->Notify();
  });
  while (true) {
    {
      std::lock_guard lock(answer->mutex);
      if (answer->next_epoch) break;
    }
    if (parameters_.cancelled != nullptr && *parameters_.cancelled) {
      return TransientError("canceled while the sink was being opened");
    }
    parameters_.mailbox->Wait();
  }
  if (!*answer->next_epoch) {
    return tl::make_unexpected(Located(std::move(*answer->next_epoch).error()));
  }
  next_epoch_ = **answer->next_epoch;
  return Ok();
}

bool SinkDriver::EpochIsFull() const {
  return target_->sink->buffered_bytes() >= parameters_.options.sink_epoch_size_bytes;
}

Status SinkDriver::Process(int, const RecordBatch& batch) {
  records_in_->Add(batch.num_rows());
  if (Status status = target_->sink->Write(batch); !status) {
    send_errors_->Add(1);
    return tl::make_unexpected(Located(std::move(status).error()));
  }
  parameters_.records_out->Add(batch.num_rows());
  parameters_.records_written->Add(batch.num_rows());
  parameters_.bytes_out->Add(batch.byte_size());
  records_send_->Add(batch.num_rows());
  if (rows_in_epoch_ == 0) StartTimer();
  rows_in_epoch_ += batch.num_rows();
  epoch_due_ |= EpochIsFull();
  return EndEpochIfDue();
}

void SinkDriver::StartTimer() {
  if (epoch_timer_) return;
  const auto interval = std::chrono::milliseconds(parameters_.options.sink_epoch_interval_ms);
  epoch_timer_ = parameters_.mailbox->AddTimer(parameters_.clock->Steady() + interval, [this] {
    epoch_timer_.reset();
    epoch_due_ = true;
    return EndEpochIfDue();
  });
}

Status SinkDriver::EndEpochIfDue() {
  if (!epoch_due_ || committing_) return Ok();
  return EndEpoch();
}

Status SinkDriver::EndEpoch() {
  if (epoch_timer_) parameters_.mailbox->CancelTimer(*epoch_timer_);
  epoch_timer_.reset();
  epoch_due_ = false;
  if (rows_in_epoch_ == 0) return Ok();
  const CheckpointId id = next_epoch_;
  ++next_epoch_.value;
  auto segments = target_->sink->Prepare(id);
  if (!segments) return tl::make_unexpected(Located(std::move(segments).error()));
  const int64_t rows = std::exchange(rows_in_epoch_, 0);
  if (segments->empty()) {  // a sink that writes at once: nothing is left to commit
    if (Status status = target_->sink->Flush(); !status) {
      return tl::make_unexpected(Located(std::move(status).error()));
    }
    committed_records_->Add(rows);
    return Ok();
  }
  committing_ = std::make_shared<const Epoch>(Epoch{id, std::move(*segments), rows});
  StartCommit();
  return Ok();
}

void SinkDriver::StartCommit() {
  commit_thread_.Run([target = target_, epoch = committing_, mailbox = parameters_.mailbox, this] {
    Status status;
    try {
      status = target->sink->Commit(epoch->id, epoch->segments);
    } catch (const std::exception& e) {
      status = InternalError("commit threw: {}", e.what());
    }
    // The mailbox is closed before this object goes, so mail never meets a dead one.
    mailbox->Post([this, status = std::move(status)] { return OnCommitted(status); });
  });
}

Status SinkDriver::OnCommitted(Status status) {
  if (!status) {
    send_errors_->Add(1);
    if (status.error().retryable) return OnRetryableError(status.error());
    return tl::make_unexpected(Located(std::move(status).error()));
  }
  commits_->Add(1);
  committed_records_->Add(committing_->rows);
  committing_.reset();
  backoff_.Reset();
  degraded_reason_.clear();
  epoch_due_ |= ending_ || EpochIsFull();
  return EndEpochIfDue();
}

Status SinkDriver::OnRetryableError(const Error& error) {
  retries_->Add(1);
  const auto delay = backoff_.Next();
  degraded_reason_ =
      fmt::format("{}; asking again in {} ms", Located(error).message, delay.count());
  parameters_.mailbox->AddTimer(parameters_.clock->Steady() + delay, [this] {
    StartCommit();
    return Ok();
  });
  return Ok();
}

Result<Progress> SinkDriver::OnWatermark(TimestampMs time_ms) {
  input_watermark_->Set(time_ms);
  return Progress::kDone;
}

Status SinkDriver::OnBarrier(const Barrier&) {
  epoch_due_ = true;
  return EndEpochIfDue();
}

Result<Progress> SinkDriver::EndOfInput() {
  ending_ = true;
  epoch_due_ = true;
  WS_RETURN_IF_ERROR(EndEpochIfDue());
  return committing_ || rows_in_epoch_ > 0 ? Progress::kYield : Progress::kDone;
}

void SinkDriver::Close() {
  if (!target_) return;
  if (epoch_timer_) parameters_.mailbox->CancelTimer(*epoch_timer_);
  epoch_timer_.reset();
  const bool idle =
      commit_thread_.Stop(std::chrono::milliseconds(parameters_.options.cancel_grace_ms));
  if (idle) {
    target_->sink->Close();
  } else {
    // A call that is left behind keeps the sink, whose destructor closes what Close would have, and
    // its metrics, which the registry must not wait for.
    target_->metrics->LeaveRegistry();
  }
  target_.reset();
}

}  // namespace watershed
