// A bounded FIFO of stream elements from one upstream subtask to one downstream subtask.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "runtime/types/stream_element.h"

namespace watershed {

// The sending half. One producer thread.
// Bounded in bytes, but an empty channel always admits one item, so that a large batch cannot
// stick. Only rows need room: watermarks and barriers are always admitted and keep their place, and
// so is the end of input once the other half is there.
class ChannelSender {
 public:
  virtual ~ChannelSender() = default;
  // False: no room just now; `element` is untouched and on_writable will be called.
  virtual bool TryPush(StreamElement& element) = 0;
  virtual bool Writable() const = 0;
  // Called from any thread when room appears after TryPush or Writable said no.
  virtual void SetOnWritable(std::function<void()> on_writable) = 0;
  virtual void Close() = 0;
};

// The receiving half. One consumer thread.
class ChannelReceiver {
 public:
  virtual ~ChannelReceiver() = default;
  virtual std::optional<StreamElement> TryPop() = 0;
  // Called from any thread when an element arrives in an empty channel.
  virtual void SetOnReadable(std::function<void()> on_readable) = 0;
  // Nothing more will be read; what is queued is dropped.
  virtual void Close() = 0;
};

}  // namespace watershed
