#include "runtime/process/server_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

namespace watershed {
namespace {

using testing::HasSubstr;

struct Observed {
  int starts = 0;
  int stops = 0;
};

class FakeServer final : public ServerProcess {
 public:
  explicit FakeServer(Observed& observed) : observed_(observed) {}
  void Stop() override { ++observed_.stops; }
  std::string log_name() const override { return "server 7"; }
  std::map<std::string, int> ports() const override { return {{"rpc", 6123}}; }
  std::string Listening() const override { return "rpc 127.0.0.1:6123"; }

 private:
  Observed& observed_;
};

class ServerProcessTest : public testing::Test {
 protected:
  // The exit code.
  int Run(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "server");
    const ServerProgram program{
        .name = "server",
        .title = "Server",
        .options = kJobManager,
        .start = [this](const Config&) -> Result<std::unique_ptr<ServerProcess>> {
          ++observed_.starts;
          if (refuse_) return UserError("rest.port is taken");
          if (end_it_) ::kill(::getpid(), SIGTERM);  // blocked until it is waited for
          return std::make_unique<FakeServer>(observed_);
        }};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = ServerMain(program, static_cast<int>(arguments.size()), arguments.data());
    out_ = testing::internal::GetCapturedStdout();
    log_ = testing::internal::GetCapturedStderr();
    return code;
  }

  Observed observed_;
  bool refuse_ = false;
  bool end_it_ = false;  // by a signal, once per test program: a second one kills it
  std::string out_;
  std::string log_;
};

TEST_F(ServerProcessTest, ASignalStopsItAfterItHasToldWhereItListens) {
  end_it_ = true;
  const std::string file = testing::TempDir() + "/server_ports_" + std::to_string(::getpid());
  EXPECT_EQ(Run({"--ports-file", file.c_str()}), 0);
  EXPECT_EQ(observed_.stops, 1);
  EXPECT_EQ(out_, "Server listening: rpc 127.0.0.1:6123\n");
  EXPECT_TRUE(std::filesystem::remove(file));
  EXPECT_THAT(log_, HasSubstr("server 7"));  // the name it has only once it runs
}

TEST_F(ServerProcessTest, APortsFileThatCannotBeWrittenEndsIt) {
  EXPECT_EQ(Run({"--ports-file", "/no/such/folder/ports"}), 1);
  EXPECT_THAT(log_, HasSubstr("/no/such/folder"));
}

TEST_F(ServerProcessTest, AServerThatCannotStartSaysWhy) {
  refuse_ = true;
  EXPECT_EQ(Run({}), 1);
  EXPECT_THAT(log_, HasSubstr("Server cannot start: rest.port is taken"));
  EXPECT_EQ(out_, "");
}

TEST_F(ServerProcessTest, HelpVersionAndWrongArgumentsStartNothing) {
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("Usage: server "));
  EXPECT_THAT(out_, HasSubstr("rest.port"));
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_THAT(out_, testing::StartsWith("server "));
  EXPECT_EQ(Run({"--bogus"}), 2);
  EXPECT_THAT(log_, HasSubstr("'--bogus'"));
  EXPECT_EQ(observed_.starts, 0);
}

}  // namespace
}  // namespace watershed
