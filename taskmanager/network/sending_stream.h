// The channels from this TaskManager to one other, on whatever carries their frames there and their
// credits back (outgoing_stream.h: gRPC). Made at first use; broken for good once it breaks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/exchange/channel.h"
#include "taskmanager/network/network_context.h"
#include "watershed/v1/data.pb.h"

namespace watershed {

class SendingChannel;

// Thread-safe.
class SendingStream : public std::enable_shared_from_this<SendingStream> {
 public:
  SendingStream(const std::string& peer_id, const std::string& peer_address,
                std::shared_ptr<const NetworkContext> context);
  virtual ~SendingStream() = default;

  // nullptr once the stream is broken: start another.
  std::unique_ptr<ChannelSender> OpenChannel(const ChannelKey& key);
  virtual void Cancel() = 0;  // breaks it

  // For SendingChannel. Frames arrive in their order, or the stream breaks.
  virtual void Send(v1::Frame frame) = 0;
  void Forget(uint32_t channel_number);

 protected:
  // For what carries the stream.
  void Receive(const v1::Credit& credit);
  void MarkBroken();                          // opens no more channels
  void FailChannels(const std::string& why);  // of those that had not come to their end
  const NetworkContext& context() const { return *context_; }

 private:
  const std::string peer_;  // "TaskManager b at 127.0.0.1:4711"
  const std::shared_ptr<const NetworkContext> context_;

  std::mutex mutex_;
  bool broken_ = false;
  uint32_t next_channel_number_ = 1;
  std::map<uint32_t, std::shared_ptr<SendingChannel>> channels_;
};

// Connects in the background. `on_done` runs last, on any thread.
using SendingStreamFactory = std::function<std::shared_ptr<SendingStream>(
    const std::string& peer_id, const std::string& peer_address,
    std::shared_ptr<const NetworkContext> context, std::function<void()> on_done)>;

}  // namespace watershed
