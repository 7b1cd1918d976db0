// The sending end of one channel to another TaskManager: rows go out as long as there is credit
// (receiving_channel.h says how it is granted). The end of input waits for the first credit: a
// receiver that has granted one knows the channel and notices when a stream breaks before its end,
// while the sender may be gone by then.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "runtime/exchange/channel.h"
#include "runtime/exchange/revocable_callback.h"
#include "taskmanager/network/network_context.h"
#include "taskmanager/network/sending_stream.h"

namespace watershed {

class SendingChannel {
 public:
  SendingChannel(const ChannelKey& key, uint32_t number, std::shared_ptr<SendingStream> stream,
                 std::shared_ptr<const NetworkContext> context)
      : key_(key), number_(number), stream_(std::move(stream)), context_(std::move(context)) {}

  // The producer's thread.
  bool TryPush(StreamElement& element);
  bool Writable();
  void SetOnWritable(std::function<void()> on_writable) {
    on_writable_.Set(std::move(on_writable));
  }
  void Close();

  // The stream's.
  void AddCredit(int64_t bytes);
  void ReceiverClosed();  // rows pushed from now on are dropped
  // Fails the producer's task, unless the channel had come to its end.
  void Broken(const Error& error);

 private:
  bool SendRows(const RecordBatch& batch);

  const ChannelKey key_;
  const uint32_t number_;
  const std::shared_ptr<SendingStream> stream_;
  const std::shared_ptr<const NetworkContext> context_;
  RevocableCallback on_writable_;

  std::mutex mutex_;
  int64_t credit_bytes_ = 0;  // below 0: overdrawn by the last batch
  bool sender_waits_ = false;
  bool opened_ = false;    // the receiver has granted credit
  bool discards_ = false;  // nobody receives: the receiver has closed, or the stream broke
  bool ended_ = false;     // end of input has been pushed
  bool closed_ = false;
};

std::unique_ptr<ChannelSender> MakeRemoteSender(std::shared_ptr<SendingChannel> channel);

}  // namespace watershed
