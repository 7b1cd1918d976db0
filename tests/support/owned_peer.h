// A Kafka broker or PostgreSQL server of a test's own, to be stopped and started under it.
#pragma once

#include <cstdio>
#include <string>

namespace watershed::test {

// Starts on construction. Port and data stay the same across Stop/Kill and Start. Every call
// returns when the peer is in the wanted state and ends the test program when it cannot get there.
// One thread.
class OwnedPeer {
 public:
  enum class Kind { kKafka, kPostgres };
  explicit OwnedPeer(Kind kind);
  ~OwnedPeer();
  OwnedPeer(const OwnedPeer&) = delete;
  OwnedPeer& operator=(const OwnedPeer&) = delete;

  // Kafka: host:port. PostgreSQL: postgresql://host:port/watershed, user watershed, password
  // postgres-secret.
  const std::string& url() const { return url_; }
  int port() const;

  void Start() { Command("start"); }
  void Stop() { Command("stop"); }  // orderly
  void Kill() { Command("kill"); }

 private:
  void Command(const char* name);
  std::string ReadLine();

  std::string url_;
  FILE* to_peer_ = nullptr;
  FILE* from_peer_ = nullptr;
  int pid_ = -1;
};

}  // namespace watershed::test
