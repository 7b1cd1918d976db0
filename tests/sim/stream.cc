#include "tests/sim/stream.h"

#include <utility>

namespace watershed::sim {

// Where the channels of one stream send their credits. Does not keep the stream, which keeps them.
class Stream::Credits final : public CreditWriter {
 public:
  Credits(std::weak_ptr<Stream> stream, ProcessPtr process)
      : stream_(std::move(stream)), process_(std::move(process)) {}

 private:
  void Write(v1::Credit credit) override {
    const auto stream = stream_.lock();
    if (stream != nullptr && process_->alive()) stream->OnCredit(std::move(credit));
  }

  const std::weak_ptr<Stream> stream_;
  const ProcessPtr process_;
};

// The other end.
class Stream::Receiver final : public std::enable_shared_from_this<Stream::Receiver> {
 public:
  Receiver(const std::shared_ptr<Stream>& stream, const StreamEndpoint& endpoint)
      : stream_(stream),
        process_(endpoint.process),
        credits_(std::make_shared<Credits>(stream, endpoint.process)),
        frames_(stream->from(), endpoint.context, endpoint.receivers) {}

  void Arrive(v1::Frame frame) {
    process_->After(nanoseconds(0),
                    [self = shared_from_this(), frame = std::move(frame)]() mutable {
                      if (self->ended_) return;
                      if (self->frames_.Receive(frame, self->credits_).empty()) return;
                      if (const auto stream = self->stream_.lock()) stream->Break();
                    });
  }
  void Break() {
    process_->After(nanoseconds(0), [self = shared_from_this()] {
      self->ended_ = true;
      self->frames_.Break("injected");
    });
  }

 private:
  const std::weak_ptr<Stream> stream_;
  const ProcessPtr process_;
  const std::shared_ptr<Credits> credits_;
  IncomingFrames frames_;
  bool ended_ = false;
};

Stream::Stream(Network* network, ProcessPtr sender, const std::string& peer_id,
               const std::string& peer_address, std::shared_ptr<const NetworkContext> context,
               std::function<void()> on_done)
    : SendingStream(peer_id, peer_address, std::move(context)),
      network_(network),
      sender_(std::move(sender)),
      to_(peer_id),
      on_done_(std::move(on_done)) {}

Stream::~Stream() {
  if (receiver_ != nullptr && !broken_) receiver_->Break();
}

void Stream::Send(v1::Frame frame) {
  if (broken_ || !sender_->alive()) return;
  network_->Carry(from(), to_, last_frame_,
                  [self = self(), frame = std::move(frame)]() mutable { self->Arrive(frame); });
}

void Stream::Arrive(v1::Frame& frame) {
  if (broken_) return;
  if (receiver_ == nullptr) {
    const StreamEndpoint* endpoint = network_->FindEndpoint(to_);
    if (endpoint == nullptr) return Break();
    receiver_ = std::make_shared<Receiver>(self(), *endpoint);
  }
  receiver_->Arrive(std::move(frame));
}

void Stream::OnCredit(v1::Credit credit) {
  if (broken_) return;
  network_->Carry(to_, from(), last_credit_, [self = self(), credit = std::move(credit)] {
    if (self->broken_) return;
    self->sender_->After(nanoseconds(0), [self, credit] { self->Receive(credit); });
  });
}

void Stream::Break() {
  if (std::exchange(broken_, true)) return;
  const std::shared_ptr<Stream> keep = self();
  if (receiver_ != nullptr) {
    network_->Carry(from(), to_, last_frame_, [receiver = receiver_] { receiver->Break(); });
  }
  FailChannels("injected");
  if (const auto on_done = std::exchange(on_done_, nullptr)) on_done();
}

}  // namespace watershed::sim
