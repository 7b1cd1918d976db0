// A bare TCP client on loopback: sends any bytes, reads with a deadline.
#pragma once

#include <cstdint>
#include <string>

namespace watershed {

class TcpClient {
 public:
  explicit TcpClient(uint16_t port);  // aborts the test process when it cannot connect
  ~TcpClient();
  TcpClient(TcpClient&& other) noexcept;
  TcpClient(const TcpClient&) = delete;

  void Send(const std::string& bytes);  // stops silently when the peer has closed
  void CloseWrite();
  // Everything until the peer closes; at most `timeout_ms` (a failing test, not a slow one).
  std::string ReadToEnd(int timeout_ms = 10'000);
  // One response: header and Content-Length bytes.
  std::string ReadResponse(int timeout_ms = 10'000);
  bool closed_by_peer() const { return closed_; }

 private:
  bool ReadSome(int timeout_ms);  // false at the end or the deadline

  int socket_;
  bool closed_ = false;
  std::string buffer_;
};

}  // namespace watershed
