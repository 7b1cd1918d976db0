#include "runtime/engine/edge_writer.h"

#include <utility>

namespace watershed {

EdgeWriter::EdgeWriter(SchemaPtr schema, std::vector<std::unique_ptr<ChannelSender>> senders,
                       Options options, std::shared_ptr<Mailbox> mailbox, const Clock* clock,
                       Counter* records_out, Counter* bytes_out)
    : schema_(std::move(schema)),
      options_(std::move(options)),
      mailbox_(std::move(mailbox)),
      clock_(clock),
      records_out_(records_out),
      bytes_out_(bytes_out) {
  for (auto& sender : senders) {
    sender->SetOnWritable([mailbox = mailbox_] { mailbox->Notify(); });
    targets_.push_back({std::move(sender), std::make_unique<BatchBuilder>(schema_), {}, {}});
  }
}

Status EdgeWriter::Process(int, const RecordBatch& batch) {
  if (targets_.size() == 1) {
    SendRows(targets_.front(), batch);
  } else {
    Scatter(batch);
  }
  return Ok();
}

void EdgeWriter::Scatter(const RecordBatch& batch) {
  EncodeKeys(batch, options_.key_columns, keys_);
  const int32_t parallelism = static_cast<int32_t>(targets_.size());
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const KeyGroup group =
        KeyGroupOfHash(keys_.hashes[static_cast<size_t>(row)], options_.max_parallelism);
    const auto subtask = SubtaskOfKeyGroup(group, options_.max_parallelism, parallelism);
    targets_[static_cast<size_t>(subtask.value)].rows.push_back(static_cast<int32_t>(row));
  }
  bool any_open = false;
  for (Target& target : targets_) {
    if (!target.rows.empty()) {
      for (int i = 0; i < batch.num_columns(); ++i) {
        target.open->column(i).AppendRows(batch.column(i), target.rows);
      }
      target.open->FinishRows(static_cast<int64_t>(target.rows.size()));
      target.rows.clear();
    }
    if (target.open->num_rows() == 0) continue;
    if (target.open->byte_size() >= options_.batch_size_bytes) {
      SendOpen(target);
    } else {
      any_open = true;
    }
  }
  if (any_open) StartTimer();
}

void EdgeWriter::StartTimer() {
  if (timer_) return;
  timer_ = mailbox_->AddTimer(clock_->Steady() + options_.buffer_timeout, [this] {
    timer_.reset();
    return Flush();
  });
}

Status EdgeWriter::Flush() {
  if (timer_) mailbox_->CancelTimer(*timer_);
  timer_.reset();
  for (Target& target : targets_) SendOpen(target);
  return Ok();
}

void EdgeWriter::SendOpen(Target& target) {
  if (target.open->num_rows() > 0) SendRows(target, target.open->Finish());
}

void EdgeWriter::SendRows(Target& target, RecordBatch batch) {
  records_out_->Add(batch.num_rows());
  bytes_out_->Add(batch.byte_size());
  Send(target, std::move(batch));
}

void EdgeWriter::Send(Target& target, StreamElement element) {
  if (target.waiting.empty() && target.sender->TryPush(element)) return;
  target.waiting.push_back(std::move(element));
  ++waiting_;
}

void EdgeWriter::Broadcast(const StreamElement& event) {
  for (Target& target : targets_) Send(target, event);
}

Status EdgeWriter::ResumeOutput() {
  if (waiting_ == 0) return Ok();
  for (Target& target : targets_) {
    while (!target.waiting.empty() && target.sender->TryPush(target.waiting.front())) {
      target.waiting.pop_front();
      --waiting_;
    }
  }
  return Ok();
}

Result<Progress> EdgeWriter::OnWatermark(TimestampMs time_ms) {
  Broadcast(Watermark{time_ms});
  return Progress::kDone;
}

Status EdgeWriter::OnWatermarkStatus(WatermarkStatus status) {
  WS_RETURN_IF_ERROR(Flush());
  Broadcast(status);
  return Ok();
}

Status EdgeWriter::OnBarrier(const Barrier& barrier) {
  Broadcast(barrier);
  return Ok();
}

Result<Progress> EdgeWriter::EndOfInput() {
  if (!ended_) Broadcast(watershed::EndOfInput{});
  ended_ = true;
  // The task must not close its channels before all of it is in them.
  return full() ? Progress::kYield : Progress::kDone;
}

void EdgeWriter::Close() {
  if (timer_) mailbox_->CancelTimer(*timer_);
  timer_.reset();
  for (Target& target : targets_) target.sender->Close();
  targets_.clear();
  waiting_ = 0;
}

}  // namespace watershed
