#include "runtime/process/server_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "runtime/logging/log_control.h"
#include "tests/support/test_directory.h"

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
        .start = [this](const Config&,
                        ShutdownSignal& shutdown) -> Result<std::unique_ptr<ServerProcess>> {
          ++observed_.starts;
          if (stand_by_) {
            EXPECT_TRUE(shutdown.StaysAway(std::chrono::milliseconds(1)));
            ::kill(::getpid(), SIGTERM);
            EXPECT_FALSE(shutdown.StaysAway(std::chrono::minutes(1)));
            EXPECT_FALSE(shutdown.StaysAway(std::chrono::minutes(1)));
            return nullptr;
          }
          for (int i = 1; i <= logged_; ++i) LogDebug("line {}", i);
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
  int logged_ = 0;  // so many lines while it starts
  bool refuse_ = false;
  bool stand_by_ = false;  // until a signal comes
  bool end_it_ = false;    // by a signal, once per test program: a second one kills it
  std::string out_;
  std::string log_;
};

// The first test: after the next one a thread of its own waits for a second signal, to end the
// process.
TEST_F(ServerProcessTest, ASignalEndsWhatHasNotListenedYet) {
  stand_by_ = true;
  EXPECT_EQ(Run({}), 0);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(observed_.stops, 0);
}

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

// The last test: nothing takes the log's file back.
TEST_F(ServerProcessTest, OptionsDecideWhatIsLoggedAndWhereTo) {
  const TestDirectory directory;
  const std::string file = "-Dlog.file=" + directory.path() + "/server.log";
  refuse_ = true;
  logged_ = 1000;
  EXPECT_EQ(Run({"-Dlog.level=info"}), 1);
  EXPECT_THAT(log_, testing::Not(HasSubstr("line 1000")));
  EXPECT_EQ(Run({file.c_str(), "-Dlog.level=debug", "-Dlog.format=json", "-Dlog.file.max-size=1kb",
                 "-Dlog.file.max-count=2", "-Dlog.memory.size=16kb"}),
            1);
  const std::string last = R"("level":"DEBUG","process":"server","message":"line 1000"})";
  EXPECT_THAT(log_, HasSubstr(last));
  std::vector<std::string> names;
  std::stringstream kept;
  for (const auto& each : std::filesystem::directory_iterator(directory.path())) {
    kept << std::ifstream(each.path()).rdbuf();
    names.push_back(each.path().filename());
    EXPECT_LE(each.file_size(), 1024U) << each.path();
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("server.log", "server.1.log"));
  EXPECT_THAT(kept.str(), HasSubstr(last));
  const LogChunk held = ProcessLog().Read({});
  EXPECT_LE(held.lines.size() * sizeof(LogLineEntry), 16U << 10);
  EXPECT_GT(held.lines.size(), 10U);
}

}  // namespace
}  // namespace watershed
