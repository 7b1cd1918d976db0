#include "runtime/engine/edge_writer.h"

#include <utility>

namespace watershed {

EdgeWriter::EdgeWriter(std::vector<std::unique_ptr<ChannelSender>> senders, Parameters parameters)
    : parameters_(std::move(parameters)),
      partitioner_(parameters_.schema, parameters_.partitioning) {
  for (auto& sender : senders) {
    sender->SetOnWritable([mailbox = parameters_.mailbox] { mailbox->Notify(); });
    targets_.push_back({std::move(sender), {}});
  }
}

Status EdgeWriter::Process(int, const RecordBatch& batch) {
  if (targets_.size() == 1) {  // nothing to gather
    SendRows(targets_.front(), batch);
    return Ok();
  }
  partitioner_.Add(batch, ready_);
  SendReady();
  if (partitioner_.buffered_bytes() > 0) StartTimer();
  return Ok();
}

Status EdgeWriter::Flush() {
  StopTimer();
  partitioner_.Flush(ready_);
  SendReady();
  return Ok();
}

void EdgeWriter::StartTimer() {
  if (timer_) return;
  const auto due = parameters_.clock->Steady() + parameters_.buffer_timeout;
  timer_ = parameters_.mailbox->AddTimer(due, [this] {
    timer_.reset();
    return Flush();
  });
}

void EdgeWriter::StopTimer() {
  if (timer_) parameters_.mailbox->CancelTimer(*timer_);
  timer_.reset();
}

void EdgeWriter::SendReady() {
  for (PartitionedBatch& ready : ready_) {
    SendRows(targets_[static_cast<size_t>(ready.target.value)], std::move(ready.batch));
  }
  ready_.clear();
}

void EdgeWriter::SendRows(Target& target, RecordBatch batch) {
  parameters_.records_out->Add(batch.num_rows());
  parameters_.bytes_out->Add(batch.byte_size());
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
  StopTimer();
  for (Target& target : targets_) target.sender->Close();
  targets_.clear();
  waiting_ = 0;
}

}  // namespace watershed
