// Aligns the barriers of a task's input channels (Chandy–Lamport; Flink's aligned checkpoints):
// what follows a barrier on one channel waits until the barrier has come on all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/types/planted_bug.h"
#include "runtime/types/stream_element.h"

namespace watershed {

// Precondition of every call: the channel is not blocked and has not ended. One thread.
class BarrierAligner {
 public:
  explicit BarrierAligner(int channels) : channels_(static_cast<size_t>(channels)) {}

  // Returns the barrier to hand on if it is now complete; all channels are then open again.
  // A newer barrier abandons an incomplete older one (its checkpoint was given up upstream); a
  // barrier not newer than the last complete or abandoned one is ignored.
  std::optional<Barrier> OnBarrier(int channel, const Barrier& barrier);
  // An ended channel counts as aligned, for the barrier under way and for all that follow.
  std::optional<Barrier> OnEnd(int channel);
  // The checkpoint was given up: nobody waits for its barrier, now or when it comes. True if
  // somebody did, and all channels are open again.
  bool Abort(CheckpointId checkpoint);
  // The channel must not be read just now.
  bool blocked(int channel) const {
    return channels_[static_cast<size_t>(channel)].blocked &&
           !IsPlanted(PlantedBug::kAlignmentSkipped);
  }
  bool aligning() const { return current_.has_value(); }
  std::optional<Barrier> current() const { return current_; }
  int64_t abandoned() const { return abandoned_; }

 private:
  struct Channel {
    bool blocked = false;
    bool ended = false;
  };
  std::optional<Barrier> CompleteIfAligned();
  void Unblock();

  std::vector<Channel> channels_;
  std::optional<Barrier> current_;
  CheckpointId last_{-1};  // complete or abandoned
  int64_t abandoned_ = 0;
};

}  // namespace watershed
