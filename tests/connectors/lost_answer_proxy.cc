#include "tests/connectors/lost_answer_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

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

bool Readable(int socket, int timeout_ms) {
  pollfd descriptor{.fd = socket, .events = POLLIN, .revents = 0};
  return poll(&descriptor, 1, timeout_ms) > 0;
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

void LostAnswerProxy::LoseAnswerTo(std::string request) {
  request_ = std::move(request);
  armed_ = true;
}

void LostAnswerProxy::Run() {
  while (!stopping_) {
    if (!Readable(listener_, kPollMs)) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Address(server_host_, server_port_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      Fail("proxy: connect");
    }
    Serve(client, server);
    close(client);
    close(server);
  }
}

void LostAnswerProxy::Serve(int client, int server) {
  std::array<char, 65'536> buffer;
  std::array<pollfd, 2> sockets = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
  while (!stopping_) {
    if (poll(sockets.data(), sockets.size(), kPollMs) <= 0) continue;
    for (const pollfd& ready : sockets) {
      if (ready.revents == 0) continue;
      const ssize_t size = recv(ready.fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) return;
      const std::string_view bytes(buffer.data(), static_cast<size_t>(size));
      const bool from_client = ready.fd == client;
      if (!Forward(bytes, from_client ? server : client)) return;
      if (!from_client || !armed_ || bytes.find(request_) == std::string_view::npos) continue;
      armed_ = false;
      // The answer must have been given before it is lost.
      while (!stopping_ && !Readable(server, kPollMs)) {
      }
      lost_one_ = true;
      return;
    }
  }
}

}  // namespace watershed::test
