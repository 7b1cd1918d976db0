// A TCP proxy before a server that can swallow one answer: the request arrives and is carried out,
// and the client sees broken connections.
#pragma once

#include <atomic>
#include <list>
#include <string>
#include <string_view>
#include <thread>

namespace watershed::test {

// Serves on a thread of its own. Ends the test program when it cannot.
class LostAnswerProxy {
 public:
  LostAnswerProxy(const std::string& server_host, int server_port);
  ~LostAnswerProxy();
  LostAnswerProxy(const LostAnswerProxy&) = delete;
  LostAnswerProxy& operator=(const LostAnswerProxy&) = delete;

  int port() const { return port_; }
  // The `nth` time that a client sends `request`, the server's answer is thrown away and all
  // connections are closed. None is served from then on, until Resume.
  void LoseAnswerTo(std::string request, int nth = 1);
  void Resume() { away_ = false; }
  bool lost_one() const { return lost_one_; }

 private:
  struct Connection {
    int client;
    int server;
    bool must_lose = false;  // the next answer
  };
  void Run();
  void Accept();
  // False: it is over.
  bool Serve(Connection& connection, bool from_client);
  void CloseAll();
  // Kafka tells its clients where it is; they are to come here.
  void ReplacePort(std::string& bytes) const;

  std::string server_host_;
  int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::list<Connection> connections_;
  std::string request_;
  int left_ = 0;  // requests until the one whose answer is lost
  std::atomic<bool> armed_{false};
  std::atomic<bool> away_{false};
  std::atomic<bool> lost_one_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// The beginning of Kafka's EndTxn request, behind its length.
inline const std::string kKafkaEndTxn("\x00\x1a\x00\x01", 4);

}  // namespace watershed::test
