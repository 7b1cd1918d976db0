#include "taskmanager/network/data_exchange_service.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "taskmanager/network/channel_proto.h"
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
      : peer_(std::move(peer)), context_(std::move(context)), receivers_(std::move(receivers)) {}

  void Begin() {
    self_ = shared_from_this();
    StartRead(&frame_);
  }

  void GrantCredit(uint32_t channel_number, int64_t bytes) override {
    v1::Credit credit;
    credit.set_channel_number(channel_number);
    credit.set_bytes(bytes);
    Write(std::move(credit));
  }
  void TellClosed(uint32_t channel_number, const std::string& reason) override {
    v1::Credit credit;
    credit.set_channel_number(channel_number);
    credit.set_closed_reason(reason);
    Write(std::move(credit));
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      End(grpc::Status::OK);
      return;
    }
    if (const std::string problem = Receive(); !problem.empty()) {
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
    Break();
    self_.reset();  // may be the last: nothing of this object after it
  }

 private:
  void Write(v1::Credit credit) {
    if (const v1::Credit* next = writes_.Offer(std::move(credit))) StartWrite(next);
  }

  // What is wrong with the frame, or nothing. The channels are this thread's: reads do not overlap.
  std::string Receive() {
    const uint32_t number = frame_.channel_number();
    if (frame_.has_open()) {
      if (std::string problem = Open(number); !problem.empty()) return problem;
    }
    const auto it = channels_.find(number);
    if (it == channels_.end()) return fmt::format("channel {} has not been opened", number);
    ReceivingChannel* channel = it->second.get();
    if (channel == nullptr) return "";  // refused when it was opened
    if (frame_.element_case() == v1::Frame::kBatch) {
      context_->bytes_in->AddShared(static_cast<int64_t>(frame_.batch().size()));
      context_->frames_in->AddShared(1);
      channel->ReceiveRows(std::move(*frame_.mutable_batch()));
    } else if (frame_.element_case() == v1::Frame::kClosed) {
      channels_.erase(it);  // its task failed or was cancelled, and the JobManager knows
    } else if (std::optional<StreamElement> element = ControlElement(frame_)) {
      const bool is_end = std::holds_alternative<EndOfInput>(*element);
      channel->ReceiveControl(std::move(*element));
      if (is_end) channels_.erase(it);
    }
    return "";
  }

  std::string Open(uint32_t number) {
    const ChannelKey key = FromProto(frame_.open());
    std::shared_ptr<ReceivingChannel> channel = receivers_->FindOrMake(key);
    if (channel == nullptr) {
      TellClosed(number, "the attempt has ended");
    } else if (!channel->Attach(shared_from_this(), number)) {
      return fmt::format("a second sender for {}", DescribeChannel(key));
    }
    if (!channels_.emplace(number, std::move(channel)).second) {
      return fmt::format("channel {} is opened twice", number);
    }
    return "";
  }

  void End(grpc::Status status) {
    status_ = std::move(status);
    writes_.Stop();
    FinishIfIdle();
  }
  void FinishIfIdle() {
    if (writes_.TakeFinish()) Finish(status_);
  }
  void Break() {
    const Error error{
        ErrorDomain::kExternal, true,
        fmt::format("the connection from TaskManager {} to TaskManager {} broke{}{}", peer_,
                    context_->task_manager_id, status_.ok() ? "" : ": ", status_.error_message())};
    for (const auto& [number, channel] : channels_) {
      if (channel != nullptr) channel->ReceiveBroken(error);
    }
    channels_.clear();
  }

  const std::string peer_;
  const std::shared_ptr<const NetworkContext> context_;
  const std::shared_ptr<ReceiverRegistry> receivers_;
  v1::Frame frame_;
  std::map<uint32_t, std::shared_ptr<ReceivingChannel>> channels_;  // null: refused
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
