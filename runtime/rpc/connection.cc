#include "runtime/rpc/connection.h"

#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/logging/log.h"

namespace watershed {
namespace {

constexpr int kKeepaliveTimeMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
// gRPC's "minimum backoff" is how long one attempt to connect may take; a refusal is known at once.
constexpr int kConnectTimeoutMs = 5'000;
// Bytes in flight on one stream: enough for two of the largest frames.
constexpr int kStreamWindowBytes = 2 << 20;

// gRPC's own lines, which say in its words what we say in ours.
void LogOfGrpc(gpr_log_func_args* line) {
  LogDebug("grpc: {}:{}: {}", line->file, line->line, line->message);
}

// Whether a server of this machine could listen there: with any free port.
bool IsOwnAddress(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), "0", &hints, &found) != 0) return false;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool is_own = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0;
  if (fd >= 0) close(fd);
  freeaddrinfo(found);
  return is_own;
}

bool IsHostAndPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == address.npos || colon == 0) return false;
  const std::string host = address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find_first_of(":/ ") != host.npos) return false;
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != port.npos) {
    return false;
  }
  const int number = std::stoi(port);
  return number >= 1 && number <= 65535;
}

}  // namespace

void ApplyServerLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port in use is an error, not shared
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kKeepaliveTimeMs / 2);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
}

void LimitMemory(grpc::ServerBuilder& builder, int64_t bytes) {
  grpc::ResourceQuota quota("server");
  builder.SetResourceQuota(quota.Resize(static_cast<size_t>(bytes)));
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Connections are not shared between the objects that made them: their ends are independent.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

Result<BoundServer> StartServer(const std::string& host, PortRange ports, std::string_view option,
                                const std::function<void(grpc::ServerBuilder&)>& add_services) {
  gpr_set_log_function(LogOfGrpc);
  for (int port = ports.first; port <= ports.last; ++port) {
    grpc::ServerBuilder builder;
    BoundServer bound;
    builder.AddListeningPort(JoinHostPort(host, port), grpc::InsecureServerCredentials(),
                             &bound.port);
    ApplyServerLimits(builder);
    add_services(builder);
    bound.server = builder.BuildAndStart();
    if (bound.server != nullptr && bound.port != 0) return bound;
  }
  if (!IsOwnAddress(host)) {
    return UserError("cannot listen on {}: this machine has no address '{}'",
                     JoinHostPort(host, ports.first), host);
  }
  if (ports.first == ports.last) {
    return UserError("cannot listen on {}: is the port in use? Set {} to another one",
                     JoinHostPort(host, ports.first), option);
  }
  return UserError("cannot listen on {} with any port of {}-{}: set {} to another range", host,
                   ports.first, ports.last, option);
}

Result<std::vector<std::string>> ParseAddresses(const std::string& text) {
  std::vector<std::string> addresses;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    addresses.push_back(text.substr(begin, end - begin));
    if (!IsHostAndPort(addresses.back())) {
      return UserError(
          "'{}' is not the address of a JobManager; expected host:port, such as localhost:6123, or "
          "several with commas between them",
          addresses.back());
    }
    begin = end + 1;
  }
  return addresses;
}

std::string JoinHostPort(const std::string& host, int port) {
  const bool is_ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace watershed
