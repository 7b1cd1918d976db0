// Merges a task's input channels into one sequence: rows in turn, watermarks by minimum, barriers
// aligned, one end of input.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/engine/barrier_aligner.h"
#include "runtime/engine/watermark_merger.h"
#include "runtime/exchange/channel.h"

namespace watershed {

// One thread, apart from `on_readable`.
class InputGate {
 public:
  struct Channel {
    std::unique_ptr<ChannelReceiver> receiver;
    int input = 0;  // of the operator behind the gate
  };
  struct Element {
    int input = 0;  // rows only
    StreamElement element;
  };

  // `on_readable` is called from any thread when there may be something to read again.
  InputGate(std::vector<Channel> channels, std::function<void()> on_readable);
  ~InputGate();

  // The next element, or nothing just now. Channels take turns; a channel behind a barrier that is
  // still missing elsewhere is not read. After EndOfInput there is nothing more.
  std::optional<Element> TryRead();
  // Nothing more will be read.
  void Close();

  bool ended() const { return ended_channels_ == channels_.size(); }
  bool aligning() const { return aligner_.aligning(); }

 private:
  // Digests what is no row; what has to be handed on goes to `pending_`.
  void Handle(size_t channel, const StreamElement& element);
  void HandOn(const WatermarkMerger::Change& change);

  std::vector<Channel> channels_;
  std::vector<bool> channel_ended_;
  size_t ended_channels_ = 0;
  size_t next_channel_ = 0;
  WatermarkMerger merger_;
  BarrierAligner aligner_;
  std::deque<Element> pending_;
};

}  // namespace watershed
