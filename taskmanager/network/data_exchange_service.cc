#include "taskmanager/network/data_exchange_service.h"

#include <string>
#include <utility>

#include "taskmanager/network/incoming_frames.h"
#include "taskmanager/network/peer_metadata.h"
#include "taskmanager/network/write_queue.h"

namespace watershed {
namespace {

// One stream from one TaskManager. Lives until gRPC and every channel have let go of it.
class IncomingStream final : public grpc::ServerBidiReactor<v1::Frame, v1::Credit>,
                             public CreditWriter,
                             public std::enable_shared_from_this<IncomingStream> {
 public:
  IncomingStream(std::string peer, std::shared_ptr<const NetworkContext> context,
                 std::shared_ptr<ReceiverRegistry> receivers)
      : frames_(std::move(peer), std::move(context), std::move(receivers)) {}

  void Begin() {
    self_ = shared_from_this();
    StartRead(&frame_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      End(grpc::Status::OK);
      return;
    }
    if (const std::string problem = frames_.Receive(frame_, shared_from_this()); !problem.empty()) {
      End({grpc::StatusCode::INVALID_ARGUMENT, problem});
      return;
    }
    StartRead(&frame_);
  }
  // After the stream's end writes fail until the queue is empty; the read that fails too ends it.
  void OnWriteDone(bool) override {
    if (const v1::Credit* next = writes_.Completed()) {
      StartWrite(next);
    } else {
      FinishIfIdle();
    }
  }
  void OnCancel() override {}  // the read that is always under way ends as well
  void OnDone() override {
    frames_.Break(status_.error_message());
    self_.reset();  // may be the last: nothing of this object after it
  }

 private:
  void Write(v1::Credit credit) override {
    if (const v1::Credit* next = writes_.Offer(std::move(credit))) StartWrite(next);
  }

  void End(grpc::Status status) {
    status_ = std::move(status);
    writes_.Stop();
    FinishIfIdle();
  }
  void FinishIfIdle() {
    if (writes_.TakeFinish()) Finish(status_);
  }
  v1::Frame frame_;
  IncomingFrames frames_;  // of the thread that reads: reads do not overlap
  WriteQueue<v1::Credit> writes_;
  grpc::Status status_;
  std::shared_ptr<IncomingStream> self_;  // until OnDone
};

std::string PeerOf(const grpc::CallbackServerContext& context) {
  const auto it = context.client_metadata().find(kPeerMetadata);
  if (it == context.client_metadata().end()) return "(unknown)";
  return {it->second.data(), it->second.size()};
}

}  // namespace

grpc::ServerBidiReactor<v1::Frame, v1::Credit>* DataExchangeService::Exchange(
    grpc::CallbackServerContext* context) {
  auto stream = std::make_shared<IncomingStream>(PeerOf(*context), context_, receivers_);
  stream->Begin();
  return stream.get();
}

}  // namespace watershed
