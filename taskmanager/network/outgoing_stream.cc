#include "taskmanager/network/outgoing_stream.h"

#include <utility>

#include "runtime/rpc/connection.h"
#include "taskmanager/network/channel_proto.h"
#include "taskmanager/network/peer_metadata.h"
#include "taskmanager/network/sending_channel.h"

namespace watershed {

OutgoingStream::OutgoingStream(const std::string& peer_id, const std::string& peer_address,
                               std::shared_ptr<const NetworkContext> context,
                               std::function<void()> on_done)
    : peer_("TaskManager " + peer_id + " at " + peer_address),
      context_(std::move(context)),
      stub_(v1::DataExchange::NewStub(MakeChannel(peer_address))),
      on_done_(std::move(on_done)) {}

std::shared_ptr<OutgoingStream> OutgoingStream::Start(const std::string& peer_id,
                                                      const std::string& peer_address,
                                                      std::shared_ptr<const NetworkContext> context,
                                                      std::function<void()> on_done) {
  auto stream = std::make_shared<OutgoingStream>(peer_id, peer_address, std::move(context),
                                                 std::move(on_done));
  stream->self_ = stream;
  stream->client_context_.AddMetadata(kPeerMetadata, stream->context_->task_manager_id);
  stream->stub_->async()->Exchange(&stream->client_context_, stream.get());
  // Writes start outside of gRPC's callbacks: the hold keeps the call until FinishIfIdle.
  stream->AddHold();
  stream->StartRead(&stream->credit_);
  stream->StartCall();
  return stream;
}

std::unique_ptr<ChannelSender> OutgoingStream::OpenChannel(const ChannelKey& key) {
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

void OutgoingStream::Cancel() { client_context_.TryCancel(); }

void OutgoingStream::Send(v1::Frame frame) {
  if (const v1::Frame* next = writes_.Offer(std::move(frame))) StartWrite(next);
}

void OutgoingStream::Forget(uint32_t channel_number) {
  const std::lock_guard lock(mutex_);
  channels_.erase(channel_number);
}

void OutgoingStream::OnReadDone(bool ok) {
  if (!ok) {
    Break();
    return;
  }
  std::shared_ptr<SendingChannel> channel;
  {
    const std::lock_guard lock(mutex_);
    const auto it = channels_.find(credit_.channel_number());
    if (it != channels_.end()) channel = it->second;
  }
  if (channel != nullptr) {
    if (!credit_.closed_reason().empty()) {
      channel->ReceiverClosed();
    } else {
      channel->AddCredit(credit_.bytes());
    }
  }
  StartRead(&credit_);
}

// After the stream's end writes fail until the queue is empty; the read that fails too breaks it.
void OutgoingStream::OnWriteDone(bool) {
  if (const v1::Frame* next = writes_.Completed()) {
    StartWrite(next);
  } else {
    FinishIfIdle();
  }
}

void OutgoingStream::Break() {
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
  }
  writes_.Stop();
  FinishIfIdle();
}

void OutgoingStream::FinishIfIdle() {
  if (writes_.TakeFinish()) RemoveHold();
}

void OutgoingStream::OnDone(const grpc::Status& status) {
  std::map<uint32_t, std::shared_ptr<SendingChannel>> channels;
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    channels.swap(channels_);
  }
  const Error error{
      ErrorDomain::kExternal, true,
      fmt::format("the connection from TaskManager {} to {} broke: {}", context_->task_manager_id,
                  peer_, status.ok() ? "the other side ended it" : status.error_message())};
  for (const auto& [number, channel] : channels) channel->Broken(error);
  channels.clear();
  const std::function<void()> on_done = std::move(on_done_);
  self_.reset();  // may be the last: nothing of this object after it
  on_done();
}

}  // namespace watershed
