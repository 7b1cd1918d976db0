// A channel between two tasks of one process: batches move by pointer.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/exchange/channel.h"

namespace watershed {

struct LocalChannel {
  std::unique_ptr<ChannelSender> sender;
  std::unique_ptr<ChannelReceiver> receiver;
};

// The halves share the queue and may be destroyed in any order (which closes them).
//
// Room: rows are admitted while the queued rows stay within `capacity_bytes`, or when none are
// queued. on_writable is called once half of the capacity is free again (so that the two threads do
// not wake each other for every batch), or sooner when nothing is left to pop. Rows pushed after
// the receiver has closed are accepted and dropped.
//
// Callbacks run on the other half's thread without the queue's lock, so they may call TryPop or
// TryPush; they must not call Set… or Close on their own half. Once Close or Set… has returned, the
// former callback is not running and will not be called. SetOnReadable on a channel that holds
// elements calls at once.
LocalChannel MakeLocalChannel(int64_t capacity_bytes);

}  // namespace watershed
