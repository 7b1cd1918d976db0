#include "taskmanager/network/outgoing_stream.h"

#include <utility>

#include "runtime/rpc/connection.h"
#include "taskmanager/network/peer_metadata.h"

namespace watershed {

OutgoingStream::OutgoingStream(const std::string& peer_id, const std::string& peer_address,
                               std::shared_ptr<const NetworkContext> context,
                               std::function<void()> on_done)
    : SendingStream(peer_id, peer_address, std::move(context)),
      stub_(v1::DataExchange::NewStub(MakeChannel(peer_address))),
      on_done_(std::move(on_done)) {}

std::shared_ptr<OutgoingStream> OutgoingStream::Start(const std::string& peer_id,
                                                      const std::string& peer_address,
                                                      std::shared_ptr<const NetworkContext> context,
                                                      std::function<void()> on_done) {
  auto stream = std::make_shared<OutgoingStream>(peer_id, peer_address, std::move(context),
                                                 std::move(on_done));
  stream->self_ = stream;
  stream->client_context_.AddMetadata(kPeerMetadata, stream->context().task_manager_id);
  stream->stub_->async()->Exchange(&stream->client_context_, stream.get());
  // Writes start outside of gRPC's callbacks: the hold keeps the call until FinishIfIdle.
  stream->AddHold();
  stream->StartRead(&stream->credit_);
  stream->StartCall();
  return stream;
}

void OutgoingStream::Cancel() { client_context_.TryCancel(); }

void OutgoingStream::Send(v1::Frame frame) {
  if (const v1::Frame* next = writes_.Offer(std::move(frame))) StartWrite(next);
}

void OutgoingStream::OnReadDone(bool ok) {
  if (!ok) {
    Break();
    return;
  }
  Receive(credit_);
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
  MarkBroken();
  writes_.Stop();
  FinishIfIdle();
}

void OutgoingStream::FinishIfIdle() {
  if (writes_.TakeFinish()) RemoveHold();
}

void OutgoingStream::OnDone(const grpc::Status& status) {
  FailChannels(status.ok() ? "the other side ended it" : status.error_message());
  const std::function<void()> on_done = std::move(on_done_);
  self_.reset();  // may be the last: nothing of this object after it
  on_done();
}

}  // namespace watershed
