#include "tests/connectors/lost_answer_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace watershed::test {
namespace {

constexpr int kPollMs = 50;

[[noreturn]] void Fail(const char* doing) {
  std::perror(doing);
  std::exit(1);
}

sockaddr_in Address(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

bool Forward(std::string_view bytes, int to) {
  while (!bytes.empty()) {
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

LostAnswerProxy::LostAnswerProxy(const std::string& server_host, int server_port)
    : server_host_(server_host), server_port_(server_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Address("127.0.0.1", 0);
  socklen_t size = sizeof(address);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 8) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    Fail("proxy");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

LostAnswerProxy::~LostAnswerProxy() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

void LostAnswerProxy::LoseAnswerTo(std::string request, int nth) {
  request_ = std::move(request);
  left_ = nth;
  armed_ = true;
}

void LostAnswerProxy::Run() {
  while (!stopping_) {
    std::vector<pollfd> sockets = {{listener_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      sockets.push_back({connection.client, POLLIN, 0});
      sockets.push_back({connection.server, POLLIN, 0});
    }
    if (poll(sockets.data(), sockets.size(), kPollMs) <= 0) continue;
    size_t next = 1;
    for (auto at = connections_.begin(); at != connections_.end(); next += 2) {
      const bool goes_on = (sockets[next].revents == 0 || Serve(*at, true)) &&
                           (sockets[next + 1].revents == 0 || Serve(*at, false));
      if (away_) break;
      if (!goes_on) {
        close(at->client);
        close(at->server);
      }
      at = goes_on ? std::next(at) : connections_.erase(at);
    }
    if (away_) CloseAll();
    if (sockets[0].revents != 0) Accept();
  }
  CloseAll();
}

void LostAnswerProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (away_) {
    close(client);
    return;
  }
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Address(server_host_, server_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    Fail("proxy: connect");
  }
  connections_.push_back({client, server});
}

bool LostAnswerProxy::Serve(Connection& connection, bool from_client) {
  std::array<char, 65'536> buffer;
  const int from = from_client ? connection.client : connection.server;
  const ssize_t size = recv(from, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  std::string bytes(buffer.data(), static_cast<size_t>(size));
  if (from_client) {
    if (armed_ && bytes.find(request_) != std::string::npos && --left_ == 0) {
      armed_ = false;
      connection.must_lose = true;
    }
    return Forward(bytes, connection.server);
  }
  if (connection.must_lose) {  // it has been given, so the request has been carried out
    away_ = true;
    lost_one_ = true;
    return false;
  }
  ReplacePort(bytes);
  return Forward(bytes, connection.client);
}

void LostAnswerProxy::CloseAll() {
  for (const Connection& connection : connections_) {
    close(connection.client);
    close(connection.server);
  }
  connections_.clear();
}

void LostAnswerProxy::ReplacePort(std::string& bytes) const {
  const auto address = [this](int port) {
    const auto number = htonl(static_cast<uint32_t>(port));
    return server_host_ + std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  const std::string real = address(server_port_), own = address(port_);
  for (size_t at = bytes.find(real); at != std::string::npos; at = bytes.find(real, at)) {
    bytes.replace(at, real.size(), own);
  }
}

}  // namespace watershed::test
