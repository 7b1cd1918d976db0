#include "runtime/engine/input_gate.h"

#include <utility>

namespace watershed {

InputGate::InputGate(std::vector<Channel> channels, std::shared_ptr<Mailbox> mailbox,
                     TimestampMs watermark_ms)
    : mailbox_(std::move(mailbox)),
      channels_(std::move(channels)),
      channel_ended_(channels_.size()),
      merger_(static_cast<int>(channels_.size())),
      aligner_(static_cast<int>(channels_.size())) {
  merger_.Restore(watermark_ms);
  for (Channel& channel : channels_) {
    channel.receiver->SetOnReadable([mailbox = mailbox_] { mailbox->Notify(); });
  }
}

Status InputGate::Wait() {
  mailbox_->Wait();
  return Ok();
}

Result<std::optional<InputGate::Element>> InputGate::Next() {
  size_t empty_in_a_row = 0;
  while (pending_.empty()) {
    if (empty_in_a_row == channels_.size() || ended()) return std::optional<Element>();
    const size_t index = next_channel_;
    next_channel_ = index + 1 == channels_.size() ? 0 : index + 1;
    ++empty_in_a_row;
    if (channel_ended_[index] || aligner_.blocked(static_cast<int>(index))) continue;
    std::optional<StreamElement> element = channels_[index].receiver->TryPop();
    if (!element) continue;
    if (std::holds_alternative<RecordBatch>(*element)) {
      return std::optional(Element{channels_[index].input, std::move(*element)});
    }
    empty_in_a_row = 0;
    Handle(index, *element);
  }
  Element element = std::move(pending_.front());
  pending_.pop_front();
  return std::optional(std::move(element));
}

void InputGate::Handle(size_t index, const StreamElement& element) {
  const int channel = static_cast<int>(index);
  if (const auto* watermark = std::get_if<Watermark>(&element)) {
    HandOn(merger_.SetWatermark(channel, watermark->time_ms));
  } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    HandOn(merger_.SetIdle(channel, status->idle));
  } else if (const auto* barrier = std::get_if<Barrier>(&element)) {
    const std::optional<Barrier> before = aligner_.current();
    if (!before || before->checkpoint_id < barrier->checkpoint_id) {
      alignment_began_ = mailbox_->clock().Steady();
    }
    if (const auto complete = aligner_.OnBarrier(channel, *barrier)) HandOnBarrier(*complete);
  } else {
    channel_ended_[index] = true;
    ++ended_channels_;
    // Whatever the ended channel held back came before any barrier it might have sent.
    HandOn(merger_.End(channel));
    if (const auto complete = aligner_.OnEnd(channel)) HandOnBarrier(*complete);
    if (ended()) pending_.push_back({0, EndOfInput{}});
  }
}

void InputGate::HandOn(const WatermarkMerger::Change& change) {
  if (change.idle) pending_.push_back({0, WatermarkStatus{*change.idle}});
  if (change.watermark) pending_.push_back({0, Watermark{*change.watermark}});
}

void InputGate::HandOnBarrier(const Barrier& barrier) {
  last_alignment_ = mailbox_->clock().Steady() - alignment_began_;
  pending_.push_back({0, barrier});
}

void InputGate::Close() {
  for (Channel& channel : channels_) {
    if (channel.receiver) channel.receiver->Close();
    channel.receiver.reset();
  }
  channels_.clear();
  ended_channels_ = 0;
}

}  // namespace watershed
