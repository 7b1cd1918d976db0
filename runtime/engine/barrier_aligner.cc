#include "runtime/engine/barrier_aligner.h"

#include <algorithm>

#include "runtime/types/kill_point.h"

namespace watershed {

std::optional<Barrier> BarrierAligner::OnBarrier(int channel, const Barrier& barrier) {
  if (barrier.checkpoint_id <= last_) return std::nullopt;
  if (current_ && barrier.checkpoint_id < current_->checkpoint_id) return std::nullopt;
  if (current_ && barrier.checkpoint_id > current_->checkpoint_id) Abort(current_->checkpoint_id);
  current_ = barrier;
  channels_[static_cast<size_t>(channel)].blocked = true;
  return CompleteIfAligned();
}

std::optional<Barrier> BarrierAligner::OnEnd(int channel) {
  channels_[static_cast<size_t>(channel)].ended = true;
  return current_ ? CompleteIfAligned() : std::nullopt;
}

bool BarrierAligner::Abort(CheckpointId checkpoint) {
  if (checkpoint <= last_ || (current_ && current_->checkpoint_id > checkpoint)) return false;
  last_ = checkpoint;
  if (!current_) return false;
  current_.reset();
  ++abandoned_;
  Unblock();
  return true;
}

std::optional<Barrier> BarrierAligner::CompleteIfAligned() {
  const bool aligned = std::all_of(channels_.begin(), channels_.end(),
                                   [](const Channel& c) { return c.blocked || c.ended; });
  if (!aligned) {
    Pass(KillPoint::kBarrierWaits);
    return std::nullopt;
  }
  last_ = current_->checkpoint_id;
  std::optional<Barrier> complete;
  complete.swap(current_);
  Unblock();
  return complete;
}

void BarrierAligner::Unblock() {
  for (Channel& channel : channels_) channel.blocked = false;
}

}  // namespace watershed
