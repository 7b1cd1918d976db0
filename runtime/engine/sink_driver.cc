#include "runtime/engine/sink_driver.h"

#include <algorithm>
#include <utility>

#include "runtime/engine/commit_thread.h"
#include "runtime/metrics/names.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {
namespace {

SinkCalls::Parameters CallsOf(SinkDriver::Parameters& parameters) {
  SinkCalls::Parameters calls;
  calls.name =
      fmt::format("sink '{}' subtask {}", parameters.writer.sink, parameters.subtask.value);
  calls.writer = parameters.writer;
  calls.attempt = parameters.attempt;
  calls.takeover = std::move(parameters.takeover);
  calls.mailbox = parameters.mailbox;
  calls.clock = parameters.clock;
  calls.runner = std::move(parameters.runner);
  if (calls.runner == nullptr) calls.runner = std::make_unique<CommitThread>();
  calls.metrics = parameters.metrics;
  calls.cancel_grace = std::chrono::milliseconds(parameters.options.cancel_grace_ms);
  return calls;
}

constexpr int64_t kDefaultMemoryBytes = int64_t{32} << 20;
constexpr int64_t kMinPartBytes = 256 << 10;

// An epoch, or a part of one, takes a quarter of the memory at most: one is filled, one is written
// or committed.
SinkDriver::Parameters WithinMemory(SinkDriver::Parameters parameters) {
  if (parameters.memory_bytes == 0) parameters.memory_bytes = kDefaultMemoryBytes;
  parameters.memory_bytes = std::max(parameters.memory_bytes, 4 * kMinPartBytes);
  int64_t& size_bytes = parameters.options.sink_epoch_size_bytes;
  size_bytes = std::min(size_bytes, parameters.memory_bytes / 4);
  return parameters;
}

}  // namespace

SinkDriver::SinkDriver(std::unique_ptr<Sink> sink, Parameters parameters)
    : parameters_(WithinMemory(std::move(parameters))),
      calls_(std::move(sink), CallsOf(parameters_)),
      writes_at_once_(calls_.sink().writes_at_once()),
      memory_(parameters_.memory, MemoryShare::kSinks),
      unconfirmed_(parameters_.snapshots, parameters_.memory_bytes,
                   [this](const Status& written) { OnStored(written); }),
      store_backoff_(static_cast<uint64_t>(parameters_.writer.writer)) {
  MetricGroup& metrics = *parameters_.metrics;
  records_in_ = &metrics.counter(metric_names::kOperatorRecordsIn);
  input_watermark_ = &metrics.gauge(metric_names::kOperatorInputWatermarkMs);
  input_watermark_->Set(kMinWatermarkMs);
  records_send_ = &metrics.counter(metric_names::kRecordsSend);
  send_errors_ = &metrics.counter(metric_names::kRecordsSendErrors);
  committed_records_ = &metrics.counter(metric_names::kSinkCommittedRecords);
}

Result<Progress> SinkDriver::Open() {
  WS_ASSIGN_OR_RETURN(const Progress progress, calls_.Open());
  if (progress == Progress::kYield) return progress;
  last_confirmed_ = calls_.writers().front().last_committed_epoch;
  next_local_epoch_.value = std::max<int64_t>(1, last_confirmed_.value + 1);
  return Progress::kDone;
}

bool SinkDriver::EpochIsFull() const {
  return calls_.sink().buffered_bytes() + unconfirmed_.open_bytes() >=
         parameters_.options.sink_epoch_size_bytes;
}

Status SinkDriver::Process(int, const RecordBatch& batch) {
  records_in_->Add(batch.num_rows());
  if (Status status = calls_.sink().Write(batch); !status) {
    send_errors_->Add(1);
    return tl::make_unexpected(calls_.Located(std::move(status).error()));
  }
  parameters_.records_out->Add(batch.num_rows());
  parameters_.records_written->Add(batch.num_rows());
  parameters_.bytes_out->Add(batch.byte_size());
  records_send_->Add(batch.num_rows());
  const bool is_first = rows_in_epoch_ == 0;
  rows_in_epoch_ += batch.num_rows();
  CountMemory();
  if (!has_local_epochs()) return PreparePart();
  if (is_first) StartTimer();
  epoch_due_ |= EpochIsFull();
  return EndLocalEpochIfDue();
}

void SinkDriver::StartTimer() {
  if (epoch_timer_) return;
  const auto interval = std::chrono::milliseconds(parameters_.options.sink_epoch_interval_ms);
  epoch_timer_ = parameters_.mailbox->AddTimer(parameters_.clock->Steady() + interval, [this] {
    epoch_timer_.reset();
    epoch_due_ = true;
    return EndLocalEpochIfDue();
  });
}

void SinkDriver::StopTimer() {
  if (epoch_timer_) parameters_.mailbox->CancelTimer(*epoch_timer_);
  epoch_timer_.reset();
}

Status SinkDriver::EndLocalEpochIfDue() {
  if (!epoch_due_ || calls_.committing()) return Ok();
  return EndLocalEpoch(nullptr);
}

Result<std::optional<SinkEpoch>> SinkDriver::PrepareEpoch(CheckpointId id) {
  if (rows_in_epoch_ == 0) return std::nullopt;
  auto segments = calls_.sink().Prepare(id);
  if (!segments) return tl::make_unexpected(calls_.Located(std::move(segments).error()));
  const int64_t rows = std::exchange(rows_in_epoch_, 0);
  if (!segments->empty()) return SinkEpoch{id, std::move(*segments), rows};
  // A sink that writes at once: nothing is left to commit.
  if (Status status = calls_.sink().Flush(); !status) {
    return tl::make_unexpected(calls_.Located(std::move(status).error()));
  }
  committed_records_->Add(rows);
  return std::nullopt;
}

Status SinkDriver::PreparePart() {
  if (calls_.sink().buffered_bytes() >= parameters_.options.sink_epoch_size_bytes) {
    WS_ASSIGN_OR_RETURN(std::optional<SinkEpoch> part, PrepareEpoch(CheckpointId{-1}));
    if (part) unconfirmed_.AddPart(std::move(*part));
  }
  if (MemoryIsFull() && store_failure_.empty()) unconfirmed_.StoreAll();
  CountMemory();
  return Ok();
}

// The task has mail with this, and looks again whether there is room.
void SinkDriver::OnStored(const Status& written) {
  CountMemory();
  store_failure_.clear();
  if (written) {
    store_backoff_.Reset();
    if (MemoryIsFull()) unconfirmed_.StoreAll();
    return;
  }
  if (!MemoryIsFull()) return;  // the next snapshot tries again
  const auto delay = store_backoff_.Next();
  store_failure_ = fmt::format(
      "{} bytes of output wait in memory, where there is no room for more, until the checkpoint "
      "storage takes them: {}; trying again in {} ms",
      memory_.bytes(), written.error().message, delay.count());
  parameters_.mailbox->AddTimer(parameters_.clock->Steady() + delay, [this] {
    unconfirmed_.StoreAll();
    return Ok();
  });
}

void SinkDriver::CountMemory() {
  memory_.Set(calls_.sink().buffered_bytes() + unconfirmed_.in_memory_bytes());
}

std::string SinkDriver::degraded_reason() const {
  if (store_failure_.empty()) return calls_.degraded_reason();
  return fmt::format("sink '{}' subtask {}: {}", parameters_.writer.sink, parameters_.subtask.value,
                     store_failure_);
}

Status SinkDriver::EndLocalEpoch(std::shared_ptr<PendingSnapshot> snapshot) {
  StopTimer();
  epoch_due_ = false;
  if (snapshot != nullptr && rows_in_epoch_ == 0 && !due_.empty()) {
    // What was written before is on its way: the snapshot waits for the last of it.
    snapshot->BeginPiece();
    due_.push_back({std::make_shared<const SinkEpoch>(), std::move(snapshot)});
    return Ok();
  }
  WS_ASSIGN_OR_RETURN(std::optional<SinkEpoch> epoch, PrepareEpoch(next_local_epoch_));
  if (!epoch) return Ok();
  ++next_local_epoch_.value;
  if (snapshot != nullptr) snapshot->BeginPiece();
  due_.push_back({std::make_shared<const SinkEpoch>(std::move(*epoch)), std::move(snapshot)});
  CommitNext();
  return Ok();
}

Status SinkDriver::Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot) {
  if (writes_at_once_) {
    WS_RETURN_IF_ERROR(EndLocalEpoch(snapshot));
  } else {
    WS_ASSIGN_OR_RETURN(std::optional<SinkEpoch> epoch,
                        PrepareEpoch(snapshot->barrier().checkpoint_id));
    unconfirmed_.Close(snapshot->barrier().checkpoint_id, std::move(epoch));
  }
  ListWriters(snapshot);
  return Ok();
}

// Every writer that was ever used is listed, so that whoever takes over fences it.
void SinkDriver::ListWriters(const std::shared_ptr<PendingSnapshot>& snapshot) {
  for (const WriterMarker& writer : calls_.writers()) {
    const bool is_own = &writer == &calls_.writers().front();
    v1::SinkSnapshot* const out = snapshot->message().add_sinks();
    out->set_operator_id(parameters_.writer.sink);
    out->set_writer(writer.writer.writer);
    out->set_last_confirmed_epoch(is_own ? last_confirmed_.value
                                         : writer.last_committed_epoch.value);
    out->set_has_marker(calls_.sink().keeps_markers());
    if (is_own) unconfirmed_.Snapshot(snapshot, out);
  }
}

Status SinkDriver::OnBarrier(const Barrier&) {
  if (parameters_.snapshots != nullptr) return Ok();
  epoch_due_ = true;
  return EndLocalEpochIfDue();
}

Status SinkDriver::OnCheckpointComplete(CheckpointId checkpoint) {
  complete_ = std::max(complete_, checkpoint);
  CommitNext();
  return Ok();
}

bool SinkDriver::Committed(CheckpointId checkpoint) const {
  return unconfirmed_.empty() || unconfirmed_.oldest()->id > checkpoint;
}

void SinkDriver::CommitNext() {
  if (calls_.committing()) return;
  if (!due_.empty()) {
    calls_.Commit(due_.front().epoch, [this] {
      const DueEpoch committed = std::move(due_.front());
      due_.pop_front();
      if (committed.snapshot != nullptr) committed.snapshot->EndPiece(Ok());
      return OnCommitted(*committed.epoch);
    });
  } else if (!unconfirmed_.empty() && unconfirmed_.oldest()->id <= complete_) {
    calls_.Commit(unconfirmed_.oldest(), [this] {
      const std::shared_ptr<const SinkEpoch> committed = unconfirmed_.oldest();
      last_confirmed_ = committed->id;
      unconfirmed_.Confirm();
      return OnCommitted(*committed);
    });
  }
}

Status SinkDriver::OnCommitted(const SinkEpoch& epoch) {
  committed_records_->Add(epoch.rows);
  CountMemory();
  CommitNext();
  if (!has_local_epochs()) return Ok();
  epoch_due_ |= ending_ || EpochIsFull();
  return EndLocalEpochIfDue();
}

Result<Progress> SinkDriver::OnWatermark(TimestampMs time_ms) {
  input_watermark_->Set(time_ms);
  return Progress::kDone;
}

Result<Progress> SinkDriver::EndOfInput() {
  if (!has_local_epochs()) return Progress::kDone;  // the last epoch waits for its checkpoint
  ending_ = true;
  epoch_due_ = true;
  WS_RETURN_IF_ERROR(EndLocalEpochIfDue());
  return calls_.committing() || rows_in_epoch_ > 0 ? Progress::kYield : Progress::kDone;
}

void SinkDriver::Close() {
  StopTimer();
  calls_.Close();
}

}  // namespace watershed
