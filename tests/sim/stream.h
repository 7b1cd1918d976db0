// A stream of frames from one TaskManager to another, and of credits back: in order, until it
// breaks.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "taskmanager/network/incoming_frames.h"
#include "taskmanager/network/sending_stream.h"
#include "tests/sim/network.h"

namespace watershed::sim {

class Stream final : public SendingStream {
 public:
  // A process listens under its own name: `peer_id`.
  Stream(Network* network, ProcessPtr sender, const std::string& peer_id,
         const std::string& peer_address, std::shared_ptr<const NetworkContext> context,
         std::function<void()> on_done);
  ~Stream() override;

  void Send(v1::Frame frame) override;
  void Cancel() override { Break(); }
  // Frames under way are lost; the sender hears of it at once, the receiver later.
  void Break();

  const std::string& from() const { return sender_->name(); }
  const std::string& to() const { return to_; }

 private:
  class Credits;
  class Receiver;
  void Arrive(v1::Frame& frame);
  void OnCredit(v1::Credit credit);
  std::shared_ptr<Stream> self() { return std::static_pointer_cast<Stream>(shared_from_this()); }

  Network* const network_;
  const ProcessPtr sender_;
  const std::string to_;
  std::function<void()> on_done_;
  bool broken_ = false;
  nanoseconds last_frame_{0};
  nanoseconds last_credit_{0};
  std::shared_ptr<Receiver> receiver_;  // null until the first frame arrives
};

}  // namespace watershed::sim
