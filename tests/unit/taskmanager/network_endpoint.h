// The network of one TaskManager without tasks: a server on loopback and a channel provider.
#pragma once

#include <grpcpp/server.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/metrics/metrics.h"
#include "runtime/rpc/connection.h"
#include "taskmanager/network/data_exchange_service.h"
#include "taskmanager/network/network_channel_provider.h"

namespace watershed {

struct ChannelFailure {
  ChannelKey key;
  ChannelEnd end;
  Error error;
};

class NetworkEndpoint {
 public:
  NetworkEndpoint(const std::string& id, int64_t channel_capacity_bytes)
      : group_(&registry_, {}), context_(std::make_shared<NetworkContext>()) {
    context_->task_manager_id = id;
    context_->channel_capacity_bytes = channel_capacity_bytes;
    context_->bytes_out = &group_.counter("bytes_out");
    context_->bytes_in = &group_.counter("bytes_in");
    context_->frames_out = &group_.counter("frames_out");
    context_->frames_in = &group_.counter("frames_in");
    context_->on_failure = [this](const ChannelKey& key, ChannelEnd end, const Error& error) {
      const std::lock_guard lock(mutex_);
      failures_.push_back({key, end, error});
      changed_.notify_all();
    };
    receivers_ = std::make_shared<ReceiverRegistry>(context_);
    service_ = std::make_unique<DataExchangeService>(context_, receivers_);
    provider_ = std::make_unique<NetworkChannelProvider>(context_, receivers_);
    bound_ =
        StartServer("127.0.0.1", PortRange{0, 0}, "test", [this](grpc::ServerBuilder& builder) {
          builder.RegisterService(service_.get());
        }).value();
  }
  ~NetworkEndpoint() {
    provider_->Shutdown();
    StopServer();
  }

  void StopServer() {
    if (bound_.server == nullptr) return;
    bound_.server->Shutdown(std::chrono::system_clock::now());
    bound_.server->Wait();
    bound_.server.reset();
  }
  std::string address() const { return JoinHostPort("127.0.0.1", bound_.port); }
  const std::string& id() const { return context_->task_manager_id; }
  const NetworkContext& context() const { return *context_; }
  NetworkChannelProvider& provider() { return *provider_; }

  std::vector<ChannelFailure> WaitForFailures(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failures_.size() >= count; });
    return failures_;
  }
  std::vector<ChannelFailure> failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  MetricRegistry registry_;
  MetricGroup group_;
  std::shared_ptr<NetworkContext> context_;
  std::shared_ptr<ReceiverRegistry> receivers_;
  std::unique_ptr<DataExchangeService> service_;
  std::unique_ptr<NetworkChannelProvider> provider_;
  BoundServer bound_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ChannelFailure> failures_;
};

}  // namespace watershed
