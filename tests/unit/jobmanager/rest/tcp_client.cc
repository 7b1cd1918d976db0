#include "tcp_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace watershed {

TcpClient::TcpClient(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket_ < 0 || connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::abort();
  }
}

TcpClient::TcpClient(TcpClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      closed_(other.closed_),
      buffer_(std::move(other.buffer_)) {}

TcpClient::~TcpClient() {
  if (socket_ >= 0) close(socket_);
}

void TcpClient::Send(const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    ssize_t n = send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<size_t>(n);
  }
}

void TcpClient::CloseWrite() { shutdown(socket_, SHUT_WR); }

bool TcpClient::ReadSome(int timeout_ms) {
  pollfd poll_entry{.fd = socket_, .events = POLLIN, .revents = 0};
  if (poll(&poll_entry, 1, timeout_ms) <= 0) return false;
  char bytes[4096];
  ssize_t n = recv(socket_, bytes, sizeof bytes, 0);
  if (n <= 0) {
    closed_ = true;
    return false;
  }
  buffer_.append(bytes, static_cast<size_t>(n));
  return true;
}

std::string TcpClient::ReadToEnd(int timeout_ms) {
  while (ReadSome(timeout_ms)) {
  }
  return std::exchange(buffer_, {});
}

std::string TcpClient::ReadResponse(int timeout_ms) {
  constexpr std::string_view kLength = "Content-Length: ";
  while (true) {
    size_t header_end = buffer_.find("\r\n\r\n");
    size_t length_at = buffer_.find(kLength);
    if (header_end != buffer_.npos && length_at < header_end) {
      size_t total = header_end + 4 + std::stoul(buffer_.substr(length_at + kLength.size()));
      if (buffer_.size() >= total) {
        std::string response = buffer_.substr(0, total);
        buffer_.erase(0, total);
        return response;
      }
    }
    if (!ReadSome(timeout_ms)) return std::exchange(buffer_, {});
  }
}

}  // namespace watershed
