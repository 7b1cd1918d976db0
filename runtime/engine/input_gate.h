// Merges a task's input channels into one sequence: rows in turn, watermarks by minimum, barriers
// aligned, one end of input.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/engine/barrier_aligner.h"
#include "runtime/engine/mailbox.h"
#include "runtime/engine/task_input.h"
#include "runtime/engine/watermark_merger.h"
#include "runtime/exchange/channel.h"

namespace watershed {

// Channels take turns; one behind a barrier that is still missing elsewhere is not read. One
// thread.
class InputGate final : public TaskInput {
 public:
  struct Channel {
    std::unique_ptr<ChannelReceiver> receiver;
    int input = 0;  // of the operator behind the gate
  };
  // Begins at `watermark_ms`: that of the checkpoint it is restored from.
  InputGate(std::vector<Channel> channels, std::shared_ptr<Mailbox> mailbox,
            TimestampMs watermark_ms = kMinWatermarkMs);
  ~InputGate() override { InputGate::Close(); }

  Status Open() override { return Ok(); }
  Result<std::optional<Element>> Next() override;
  Status Wait() override;
  void OnCheckpointAborted(CheckpointId checkpoint) override { aligner_.Abort(checkpoint); }
  std::chrono::nanoseconds last_alignment() const override { return last_alignment_; }
  void Close() override;

  bool ended() const { return ended_channels_ == channels_.size(); }
  bool aligning() const { return aligner_.aligning(); }

 private:
  // Digests what is no row; what has to be handed on goes to `pending_`.
  void Handle(size_t channel, const StreamElement& element);
  void HandOn(const WatermarkMerger::Change& change);
  void HandOnBarrier(const Barrier& barrier);

  std::shared_ptr<Mailbox> mailbox_;
  std::vector<Channel> channels_;
  std::vector<bool> channel_ended_;
  size_t ended_channels_ = 0;
  size_t next_channel_ = 0;
  WatermarkMerger merger_;
  BarrierAligner aligner_;
  Mailbox::SteadyTime alignment_began_{0};
  std::chrono::nanoseconds last_alignment_{0};
  std::deque<Element> pending_;
};

}  // namespace watershed
