// One place for the limits and timings of every gRPC connection of ours.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/config/options.h"
#include "runtime/types/result.h"

namespace watershed {

// A longer message is refused; but gRPC 1.51 looks at its length when all of it has come. What
// bounds the memory of messages that have not is LimitMemory.
inline constexpr int kMaxMessageBytes = 4 << 20;

// Message limits, keepalive pings, few threads.
void ApplyServerLimits(grpc::ServerBuilder& builder);

// Of all connections together. Beyond it gRPC ends calls until it has enough, those of the oldest
// connection first: a process that is flooded loses its registrations and its tasks' exchanges, and
// lives to have new ones.
void LimitMemory(grpc::ServerBuilder& builder, int64_t bytes);

// Connects lazily, reconnects within at most a second, and notices a dead peer by keepalive.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

struct BoundServer {
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};
// Listens on the first free port of the range and starts the services added to `builder` by
// `add_services`. A user error that names the option when every port is taken.
Result<BoundServer> StartServer(const std::string& host, PortRange ports, std::string_view option,
                                const std::function<void(grpc::ServerBuilder&)>& add_services);

// host:port as gRPC and people write it; IPv6 hosts get brackets.
std::string JoinHostPort(const std::string& host, int port);

// The addresses in "host:port,host:port", at least one. A user error says which is none.
Result<std::vector<std::string>> ParseAddresses(const std::string& text);

}  // namespace watershed
