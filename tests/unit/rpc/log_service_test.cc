// What a process has logged, and its level, over gRPC.
#include "runtime/rpc/log_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/logging/log_control.h"
#include "runtime/rpc/connection.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LogServiceTest : public testing::Test {
 protected:
  LogServiceTest() {
    InitializeLogging({.process = "server 7"});
    ProcessLog().SetCapacity(size_t{1} << 20);
    bound_ = StartServer("127.0.0.1", {0, 0}, "some.port", [this](grpc::ServerBuilder& builder) {
               builder.RegisterService(&handler_);
             }).value();
    stub_ = v1::LogService::NewStub(MakeChannel(JoinHostPort("127.0.0.1", bound_.port)));
    from_ = ProcessLog().Read({}).next;  // lines of other tests lie before
  }
  ~LogServiceTest() override {
    bound_.server->Shutdown(std::chrono::system_clock::now());
    bound_.server->Wait();
  }

  v1::ReadLogResponse Read(const v1::ReadLogRequest& request) {
    grpc::ClientContext context;
    v1::ReadLogResponse response;
    const grpc::Status status = stub_->ReadLog(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  v1::ReadLogRequest FromHere() const {
    v1::ReadLogRequest request;
    request.set_from(from_);
    return request;
  }
  grpc::Status Level(const std::string& level, std::string* in_force) {
    grpc::ClientContext context;
    v1::LogLevelRequest request;
    request.set_level(level);
    v1::LogLevelResponse response;
    grpc::Status status = stub_->LogLevel(&context, request, &response);
    *in_force = response.level();
    return status;
  }

  static std::vector<std::string> Messages(const v1::ReadLogResponse& response) {
    std::vector<std::string> messages;
    for (const v1::LogLine& line : response.lines()) messages.push_back(line.message());
    return messages;
  }

  LogServiceHandler handler_;
  BoundServer bound_;
  std::unique_ptr<v1::LogService::Stub> stub_;
  int64_t from_ = 0;
};

TEST_F(LogServiceTest, LinesCarryTheirFieldsAndAreReadOnFromTheLast) {
  {
    const ScopedLogFields fields({.job = "j1", .attempt = 2, .vertex = "Sink: out", .subtask = 3});
    LogWarn("slow");
  }
  LogInfo("plain");
  const v1::ReadLogResponse response = Read(FromHere());
  ASSERT_THAT(Messages(response), ElementsAre("slow", "plain"));
  const v1::LogLine& slow = response.lines(0);
  EXPECT_EQ(slow.number(), from_);
  EXPECT_EQ(slow.job_id(), "j1");
  EXPECT_EQ(slow.attempt(), 2);
  EXPECT_EQ(slow.vertex(), "Sink: out");
  EXPECT_EQ(slow.subtask(), 3);
  EXPECT_EQ(slow.level(), static_cast<int>(LogLevel::kWarn));
  EXPECT_EQ(response.lines(1).subtask(), -1);
  EXPECT_EQ(response.process(), "server 7");
  EXPECT_EQ(response.next(), from_ + 2);
  EXPECT_EQ(response.missed(), 0);
  EXPECT_NE(response.instance(), 0);
  LogInfo("later");
  v1::ReadLogRequest next = FromHere();
  next.set_from(response.next());
  EXPECT_THAT(Messages(Read(next)), ElementsAre("later"));
}

TEST_F(LogServiceTest, OnlyWhatIsAskedForIsAnswered) {
  {
    const ScopedLogFields fields({.job = "j1", .vertex = "Sink: out", .subtask = 3});
    LogInfo("of three");
  }
  {
    const ScopedLogFields fields({.job = "j2", .vertex = "Source: in", .subtask = 0});
    LogWarn("of none");
  }
  LogInfo("plain");
  v1::ReadLogRequest request = FromHere();
  request.set_job_id("j1");
  EXPECT_THAT(Messages(Read(request)), ElementsAre("of three"));
  request = FromHere();
  request.set_vertex("Source");
  EXPECT_THAT(Messages(Read(request)), ElementsAre("of none"));
  request = FromHere();
  request.set_subtask(0);
  EXPECT_THAT(Messages(Read(request)), ElementsAre("of none"));
  request = FromHere();
  request.set_least_level(static_cast<int>(LogLevel::kWarn));
  EXPECT_THAT(Messages(Read(request)), ElementsAre("of none"));
  request = FromHere();
  request.set_last(1);
  EXPECT_THAT(Messages(Read(request)), ElementsAre("plain"));
  request = FromHere();
  request.set_since_ms(INT64_MAX);
  EXPECT_THAT(Messages(Read(request)), ElementsAre());
  request = FromHere();
  request.set_max_bytes(1);
  const v1::ReadLogResponse first = Read(request);
  EXPECT_THAT(Messages(first), ElementsAre("of three"));
  EXPECT_TRUE(first.more());
}

TEST_F(LogServiceTest, WhatIsNoLongerHeldIsCounted) {
  for (int i = 0; i < 10; ++i) LogInfo("line {}", i);
  ProcessLog().SetCapacity(1);
  const v1::ReadLogResponse response = Read(FromHere());
  EXPECT_THAT(Messages(response), ElementsAre("line 9"));
  EXPECT_EQ(response.missed(), 9);
}

TEST_F(LogServiceTest, TheLevelChangesAndSaysSoWhateverItIs) {
  std::string level;
  EXPECT_TRUE(Level("", &level).ok());
  EXPECT_EQ(level, "info");
  EXPECT_TRUE(Level("error", &level).ok());
  EXPECT_EQ(level, "error");
  EXPECT_EQ(CurrentLogLevel(), LogLevel::kError);
  EXPECT_THAT(Messages(Read(FromHere())), ElementsAre("log level is error now, it was info"));
  const grpc::Status refused = Level("loud", &level);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("there is no log level 'loud'"));
  EXPECT_EQ(CurrentLogLevel(), LogLevel::kError);
}

}  // namespace
}  // namespace watershed
