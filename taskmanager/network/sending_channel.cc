#include "taskmanager/network/sending_channel.h"

#include <utility>
#include <vector>

#include "runtime/exchange/frame_codec.h"
#include "taskmanager/network/channel_proto.h"

namespace watershed {

bool SendingChannel::TryPush(StreamElement& element) {
  const auto* batch = std::get_if<RecordBatch>(&element);
  {
    const std::lock_guard lock(mutex_);
    if (discards_) return true;
    const bool is_end = std::holds_alternative<EndOfInput>(element);
    if ((batch != nullptr && credit_bytes_ <= 0) || (is_end && !opened_)) {
      sender_waits_ = true;
      return false;
    }
    if (is_end) ended_ = true;
  }
  if (batch != nullptr) return SendRows(*batch);
  v1::Frame frame;
  frame.set_channel_number(number_);
  SetControlElement(element, frame);
  stream_->Send(std::move(frame));
  return true;
}

bool SendingChannel::SendRows(const RecordBatch& batch) {
  std::vector<std::string> encoded;
  if (const Status status = EncodeFrames(batch, encoded); !status) {
    Broken(Error(status.error()).Within("network channel, " + DescribeChannel(key_)));
    return true;
  }
  int64_t bytes = 0;
  for (const std::string& frame : encoded) bytes += static_cast<int64_t>(frame.size());
  {
    const std::lock_guard lock(mutex_);
    credit_bytes_ -= bytes;
  }
  context_->bytes_out->AddShared(bytes);
  context_->frames_out->AddShared(static_cast<int64_t>(encoded.size()));
  for (std::string& payload : encoded) {
    v1::Frame frame;
    frame.set_channel_number(number_);
    frame.set_batch(std::move(payload));
    stream_->Send(std::move(frame));
  }
  return true;
}

bool SendingChannel::Writable() {
  const std::lock_guard lock(mutex_);
  if (discards_ || credit_bytes_ > 0) return true;
  sender_waits_ = true;
  return false;
}

void SendingChannel::Close() {
  on_writable_.Set(nullptr);
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    tell = !ended_ && !discards_;
    discards_ = true;
  }
  if (tell) {
    v1::Frame frame;
    frame.set_channel_number(number_);
    frame.set_closed(true);
    stream_->Send(std::move(frame));
  }
  stream_->Forget(number_);
}

void SendingChannel::AddCredit(int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    opened_ = true;
    credit_bytes_ += bytes;
    if (credit_bytes_ <= 0 || !std::exchange(sender_waits_, false)) return;
  }
  on_writable_.Call();
}

void SendingChannel::ReceiverClosed() {
  {
    const std::lock_guard lock(mutex_);
    discards_ = true;
    if (!std::exchange(sender_waits_, false)) return;
  }
  on_writable_.Call();
}

void SendingChannel::Broken(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    // What a channel that ended has not delivered is the receiver's to notice: the receiver has
    // opened it, and its end never comes.
    if (discards_ || ended_) return;
  }
  context_->on_failure(key_, ChannelEnd::kSender, error);
  ReceiverClosed();
}

namespace {

class RemoteSender final : public ChannelSender {
 public:
  explicit RemoteSender(std::shared_ptr<SendingChannel> channel) : channel_(std::move(channel)) {}
  ~RemoteSender() override { channel_->Close(); }

  bool TryPush(StreamElement& element) override { return channel_->TryPush(element); }
  bool Writable() const override { return channel_->Writable(); }
  void SetOnWritable(std::function<void()> on_writable) override {
    channel_->SetOnWritable(std::move(on_writable));
  }
  void Close() override { channel_->Close(); }

 private:
  const std::shared_ptr<SendingChannel> channel_;
};

}  // namespace

std::unique_ptr<ChannelSender> MakeRemoteSender(std::shared_ptr<SendingChannel> channel) {
  return std::make_unique<RemoteSender>(std::move(channel));
}

}  // namespace watershed
