// The receiving end of one channel from another TaskManager. Frames queue here until the consumer
// takes them; what it has taken goes back to the sender as credit.
//
// Credit, as in Flink's credit-based flow control: the receiver grants its capacity when both ends
// are there, and then what has been popped, a quarter of the capacity at a time. The sender may
// overdraw by one batch, so a batch of any size passes. An amount not yet granted back is always
// below a quarter, so a sender can only wait for a consumer that has rows to pop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "runtime/exchange/channel.h"
#include "runtime/exchange/frame_codec.h"
#include "runtime/exchange/revocable_callback.h"
#include "taskmanager/network/network_context.h"
#include "watershed/v1/data.pb.h"

namespace watershed {

// Where a channel's credits go: the stream that its frames come from. Thread-safe.
class CreditWriter {
 public:
  virtual ~CreditWriter() = default;
  void GrantCredit(uint32_t channel_number, int64_t bytes);
  void TellClosed(uint32_t channel_number, const std::string& reason);

 protected:
  // Returns at once; without effect once the stream has ended.
  virtual void Write(v1::Credit credit) = 0;
};

// Thread-safe: Attach and Receive… come from the stream, the rest from the consumer's thread.
class ReceivingChannel {
 public:
  ReceivingChannel(const ChannelKey& key, std::shared_ptr<const NetworkContext> context)
      : key_(key), context_(std::move(context)) {}

  const ChannelKey& key() const { return key_; }

  // The sender has opened the channel on `writer`'s stream. False: it had been opened before.
  bool Attach(std::shared_ptr<CreditWriter> writer, uint32_t channel_number);
  // The local consumer is there, and takes so many bytes ahead. False: it had claimed the channel
  // before.
  bool Claim(const SchemaPtr& schema, int64_t capacity_bytes);

  void ReceiveRows(std::string frame);
  void ReceiveControl(StreamElement element);
  // The stream broke before the channel's end: fails the consumer's task, unless that has closed.
  void ReceiveBroken(const Error& error);

  std::optional<StreamElement> TryPop();
  void SetOnReadable(std::function<void()> on_readable);
  void Close(const std::string& reason);  // idempotent
  bool closed() const;

 private:
  using Item = std::variant<std::string, StreamElement>;  // a frame of rows, or anything else
  void Push(Item item);
  // The rows of a frame; nothing for a part of a row, or (and a failure is told) for a bad one.
  std::optional<StreamElement> Decode(const std::string& frame);

  const ChannelKey key_;
  const std::shared_ptr<const NetworkContext> context_;
  RevocableCallback on_readable_;

  mutable std::mutex mutex_;
  std::deque<Item> items_;
  std::shared_ptr<CreditWriter> writer_;  // null until attached
  uint32_t channel_number_ = 0;
  bool claimed_ = false;
  int64_t capacity_bytes_ = 0;           // set when claimed
  bool closed_ = false;                  // by the consumer
  int64_t popped_bytes_ = 0;             // not granted back yet
  std::optional<FrameDecoder> decoder_;  // the consumer's
};

// The consumer's handle. `on_close` runs once, at Close or destruction.
std::unique_ptr<ChannelReceiver> MakeRemoteReceiver(std::shared_ptr<ReceivingChannel> channel,
                                                    std::function<void()> on_close);

}  // namespace watershed
