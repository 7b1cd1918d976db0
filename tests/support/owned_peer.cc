#include "tests/support/owned_peer.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace watershed::test {
namespace {

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

}  // namespace

OwnedPeer::OwnedPeer(Kind kind) {
  int commands[2];
  int answers[2];
  if (pipe2(commands, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) Fail("pipe failed");
  pid_ = fork();
  if (pid_ == 0) {
    dup2(commands[0], STDIN_FILENO);
    dup2(answers[1], STDOUT_FILENO);
    execlp("python3", "python3", WATERSHED_TEST_SUPPORT "/run_peer.py",
           kind == Kind::kKafka ? "kafka" : "postgres", nullptr);
    _exit(127);
  }
  close(commands[0]);
  close(answers[1]);
  to_peer_ = fdopen(commands[1], "w");
  from_peer_ = fdopen(answers[0], "r");
  url_ = ReadLine();
  Start();
}

OwnedPeer::~OwnedPeer() {
  fclose(to_peer_);  // the end of its input ends it
  waitpid(pid_, nullptr, 0);
  fclose(from_peer_);
}

int OwnedPeer::port() const {
  return std::atoi(url_.c_str() + url_.find(':', url_.find("127.0.0.1")) + 1);
}

void OwnedPeer::Command(const char* name) {
  std::fprintf(to_peer_, "%s\n", name);
  std::fflush(to_peer_);
  const std::string answer = ReadLine();
  if (answer != "ok") Fail(std::string("peer: ") + name + ": " + answer);
}

std::string OwnedPeer::ReadLine() {
  char line[4096];
  if (std::fgets(line, sizeof line, from_peer_) == nullptr) {
    Fail("run_peer.py ended: see its output above (was ./dev setup run?)");
  }
  std::string text(line);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace watershed::test
