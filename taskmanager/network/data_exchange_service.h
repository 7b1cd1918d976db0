// DataExchange of data.proto: takes the streams that other TaskManagers open to this one.
#pragma once

#include <memory>

#include "taskmanager/network/receiver_registry.h"
#include "watershed/v1/data.grpc.pb.h"

namespace watershed {

// Streams hold no threads. They end when the server shuts down.
class DataExchangeService final : public v1::DataExchange::CallbackService {
 public:
  DataExchangeService(std::shared_ptr<const NetworkContext> context,
                      std::shared_ptr<ReceiverRegistry> receivers)
      : context_(std::move(context)), receivers_(std::move(receivers)) {}

  grpc::ServerBidiReactor<v1::Frame, v1::Credit>* Exchange(
      grpc::CallbackServerContext* context) override;

 private:
  const std::shared_ptr<const NetworkContext> context_;
  const std::shared_ptr<ReceiverRegistry> receivers_;
};

}  // namespace watershed
