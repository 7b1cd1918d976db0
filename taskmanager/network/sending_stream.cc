#include "taskmanager/network/sending_stream.h"

#include <utility>

#include "taskmanager/network/channel_proto.h"
#include "taskmanager/network/sending_channel.h"

namespace watershed {

SendingStream::SendingStream(const std::string& peer_id, const std::string& peer_address,
                             std::shared_ptr<const NetworkContext> context)
    : peer_("TaskManager " + peer_id + " at " + peer_address), context_(std::move(context)) {}

std::unique_ptr<ChannelSender> SendingStream::OpenChannel(const ChannelKey& key) {
  std::shared_ptr<SendingChannel> channel;
  v1::Frame frame;
  {
    const std::lock_guard lock(mutex_);
    if (broken_) return nullptr;
    const uint32_t number = next_channel_number_++;
    channel = std::make_shared<SendingChannel>(key, number, shared_from_this(), context_);
    channels_.emplace(number, channel);
    frame.set_channel_number(number);
  }
  *frame.mutable_open() = ToProto(key);
  Send(std::move(frame));
  return MakeRemoteSender(std::move(channel));
}

void SendingStream::Forget(uint32_t channel_number) {
  const std::lock_guard lock(mutex_);
  channels_.erase(channel_number);
}

void SendingStream::Receive(const v1::Credit& credit) {
  std::shared_ptr<SendingChannel> channel;
  {
    const std::lock_guard lock(mutex_);
    const auto it = channels_.find(credit.channel_number());
    if (it == channels_.end()) return;
    channel = it->second;
  }
  if (!credit.closed_reason().empty()) {
    channel->ReceiverClosed();
  } else {
    channel->AddCredit(credit.bytes());
  }
}

void SendingStream::MarkBroken() {
  const std::lock_guard lock(mutex_);
  broken_ = true;
}

void SendingStream::FailChannels(const std::string& why) {
  std::map<uint32_t, std::shared_ptr<SendingChannel>> channels;
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    channels.swap(channels_);
  }
  const Error error{ErrorDomain::kExternal, true,
                    fmt::format("the connection from TaskManager {} to {} broke: {}",
                                context_->task_manager_id, peer_, why)};
  for (const auto& [number, channel] : channels) channel->Broken(error);
}

}  // namespace watershed
