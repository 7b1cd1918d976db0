// What comes on one stream from another TaskManager, given to the channels it is for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "taskmanager/network/receiver_registry.h"
#include "watershed/v1/data.pb.h"

namespace watershed {

// One thread at a time.
class IncomingFrames {
 public:
  IncomingFrames(std::string peer, std::shared_ptr<const NetworkContext> context,
                 std::shared_ptr<ReceiverRegistry> receivers)
      : peer_(std::move(peer)), context_(std::move(context)), receivers_(std::move(receivers)) {}

  // What is wrong with the frame, so that the stream must end; or nothing. `credits` takes those of
  // a channel that it opens.
  std::string Receive(v1::Frame& frame, const std::shared_ptr<CreditWriter>& credits);
  // The stream has ended: channels without their end fail. Nothing is received after it.
  void Break(const std::string& why);

 private:
  std::string Open(const v1::Frame& frame, const std::shared_ptr<CreditWriter>& credits);

  const std::string peer_;
  const std::shared_ptr<const NetworkContext> context_;
  // Until the stream's end: what nobody claims holds the stream, which would hold it in turn.
  std::shared_ptr<ReceiverRegistry> receivers_;
  std::map<uint32_t, std::shared_ptr<ReceivingChannel>> channels_;  // null: refused
};

}  // namespace watershed
