// A SendingStream over gRPC's callback API.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <string>

#include "taskmanager/network/sending_stream.h"
#include "taskmanager/network/write_queue.h"
#include "watershed/v1/data.grpc.pb.h"

namespace watershed {

class OutgoingStream final : public SendingStream,
                             public grpc::ClientBidiReactor<v1::Frame, v1::Credit> {
 public:
  // A SendingStreamFactory.
  static std::shared_ptr<OutgoingStream> Start(const std::string& peer_id,
                                               const std::string& peer_address,
                                               std::shared_ptr<const NetworkContext> context,
                                               std::function<void()> on_done);
  OutgoingStream(const std::string& peer_id, const std::string& peer_address,
                 std::shared_ptr<const NetworkContext> context, std::function<void()> on_done);

  void Cancel() override;
  void Send(v1::Frame frame) override;

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void Break();
  void FinishIfIdle();

  const std::unique_ptr<v1::DataExchange::Stub> stub_;
  grpc::ClientContext client_context_;
  std::function<void()> on_done_;
  WriteQueue<v1::Frame> writes_;
  v1::Credit credit_;
  std::shared_ptr<SendingStream> self_;  // until OnDone
};

}  // namespace watershed
