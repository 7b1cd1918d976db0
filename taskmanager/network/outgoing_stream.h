// The stream on which all channels from this TaskManager to one other send their rows, and on which
// their credits come back. Made at first use; broken for good once it breaks.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/exchange/channel.h"
#include "taskmanager/network/network_context.h"
#include "taskmanager/network/write_queue.h"
#include "watershed/v1/data.grpc.pb.h"

namespace watershed {

class SendingChannel;

class OutgoingStream final : public grpc::ClientBidiReactor<v1::Frame, v1::Credit>,
                             public std::enable_shared_from_this<OutgoingStream> {
 public:
  // Connects in the background. `on_done` runs last, on any thread.
  static std::shared_ptr<OutgoingStream> Start(const std::string& peer_id,
                                               const std::string& peer_address,
                                               std::shared_ptr<const NetworkContext> context,
                                               std::function<void()> on_done);
  OutgoingStream(const std::string& peer_id, const std::string& peer_address,
                 std::shared_ptr<const NetworkContext> context, std::function<void()> on_done);

  // nullptr once the stream is broken: start another.
  std::unique_ptr<ChannelSender> OpenChannel(const ChannelKey& key);
  void Cancel();  // breaks it

  // For SendingChannel.
  void Send(v1::Frame frame);
  void Forget(uint32_t channel_number);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void Break();
  void FinishIfIdle();

  const std::string peer_;  // "TaskManager b at 127.0.0.1:4711"
  const std::shared_ptr<const NetworkContext> context_;
  const std::unique_ptr<v1::DataExchange::Stub> stub_;
  grpc::ClientContext client_context_;
  std::function<void()> on_done_;
  WriteQueue<v1::Frame> writes_;
  v1::Credit credit_;
  std::shared_ptr<OutgoingStream> self_;  // until OnDone

  std::mutex mutex_;
  bool broken_ = false;
  uint32_t next_channel_number_ = 1;
  std::map<uint32_t, std::shared_ptr<SendingChannel>> channels_;
};

}  // namespace watershed
