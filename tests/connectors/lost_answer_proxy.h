// A TCP proxy before a server that can swallow one answer: the request arrives and is carried out,
// and the client sees a broken connection.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace watershed::test {

// Serves one connection after the other on a thread of its own. Ends the test program when it
// cannot.
class LostAnswerProxy {
 public:
  LostAnswerProxy(const std::string& server_host, int server_port);
  ~LostAnswerProxy();
  LostAnswerProxy(const LostAnswerProxy&) = delete;
  LostAnswerProxy& operator=(const LostAnswerProxy&) = delete;

  int port() const { return port_; }
  // The next time the client sends `request`, the server's answer is thrown away and both
  // connections are closed.
  void LoseAnswerTo(std::string request);
  bool lost_one() const { return lost_one_; }

 private:
  void Run();
  void Serve(int client, int server);

  std::string server_host_;
  int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::string request_;
  std::atomic<bool> armed_{false};
  std::atomic<bool> lost_one_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace watershed::test
