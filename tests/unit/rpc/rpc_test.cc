#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "runtime/process/event_loop.h"
#include "runtime/rpc/connection.h"
#include "runtime/rpc/rpc_error.h"
#include "runtime/rpc/unary_call.h"
#include "runtime/rpc/unary_handler.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {
namespace {

using testing::HasSubstr;

TEST(RpcErrorTest, DomainAndRetryHintSurviveTheWire) {
  for (const Error& error : {Error{ErrorDomain::kUser, false, "no such table"},
                             Error{ErrorDomain::kExternal, true, "broker down"},
                             Error{ErrorDomain::kExternal, false, "wrong password"},
                             Error{ErrorDomain::kInternal, false, "a bug"}}) {
    const Error back = FromRpcStatus(ToRpcStatus(error), "TaskManager t");
    EXPECT_EQ(back.domain, error.domain) << error.message;
    EXPECT_EQ(back.retryable, error.retryable) << error.message;
    EXPECT_EQ(back.message, error.message);
  }
}

TEST(RpcErrorTest, WhatTheTransportSaysNamesThePeer) {
  const Error away =
      FromRpcStatus({grpc::StatusCode::UNAVAILABLE, "connection refused"}, "JobManager at h:1");
  EXPECT_EQ(away.domain, ErrorDomain::kExternal);
  EXPECT_TRUE(away.retryable);
  EXPECT_EQ(away.message, "JobManager at h:1: connection refused");
  const Error stale = FromRpcStatus({grpc::StatusCode::FAILED_PRECONDITION, "stale"}, "peer");
  EXPECT_EQ(stale.domain, ErrorDomain::kInternal);
  EXPECT_FALSE(stale.retryable);
  EXPECT_TRUE(StatusFromRpc(grpc::Status::OK, "peer"));
}

// Answers ListJobs on an executor, or never.
class FakeService final : public v1::JobService::CallbackService {
 public:
  explicit FakeService(Executor* executor) : executor_(executor) {}
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest*,
                                     v1::ListJobsResponse* response) override {
    return AnswerOn(executor_, context, [response] {
      response->add_jobs()->set_name("one");
      return grpc::Status::OK;
    });
  }

 private:
  Executor* const executor_;
};

class RpcTest : public testing::Test {
 protected:
  RpcTest() : loop_("test"), service_(&loop_) {
    bound_ = StartServer("127.0.0.1", {0, 0}, "some.port", [this](grpc::ServerBuilder& builder) {
               builder.RegisterService(&service_);
             }).value();
    stub_ = v1::JobService::NewStub(MakeChannel(JoinHostPort("127.0.0.1", bound_.port)));
  }
  ~RpcTest() override {
    pending_->CancelAndWait();
    bound_.server->Shutdown(std::chrono::system_clock::now());
    bound_.server->Wait();
  }
  std::future<Result<v1::ListJobsResponse>> Call() {
    auto answer = std::make_shared<std::promise<Result<v1::ListJobsResponse>>>();
    CallUnary<v1::ListJobsResponse>(
        pending_, {.peer = "JobManager"}, v1::ListJobsRequest(),
        [this](auto&&... arguments) { stub_->async()->ListJobs(arguments...); },
        [answer](auto response) { answer->set_value(std::move(response)); });
    return answer->get_future();
  }

  EventLoop loop_;
  FakeService service_;
  BoundServer bound_;
  std::unique_ptr<v1::JobService::Stub> stub_;
  const std::shared_ptr<PendingCalls> pending_ = std::make_shared<PendingCalls>();
};

TEST_F(RpcTest, ACallIsAnsweredFromTheExecutor) {
  const auto answer = Call().get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->jobs(0).name(), "one");
}

TEST_F(RpcTest, AStoppedExecutorAnswersThatItIsShuttingDown) {
  loop_.Stop();
  const auto answer = Call().get();
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().retryable);
  EXPECT_THAT(answer.error().message, HasSubstr("shutting down"));
}

TEST_F(RpcTest, PendingCallsEndBeforeTheirOwnerDoes) {
  std::promise<void> release;
  loop_.Post([blocked = release.get_future().share()] { blocked.wait(); });
  auto answer = Call();  // the executor is stuck
  pending_->CancelAndWait();
  ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_FALSE(answer.get());
  EXPECT_FALSE(Call().get());  // refused at once
  release.set_value();
}

TEST_F(RpcTest, APortInUseIsAUserErrorThatNamesTheOption) {
  const auto none = [](grpc::ServerBuilder&) {};
  testing::internal::CaptureStderr();
  const auto taken =
      StartServer("127.0.0.1", {bound_.port, bound_.port}, "jobmanager.rpc.port", none);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // gRPC's own lines are at level debug
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(taken.error().message, HasSubstr("jobmanager.rpc.port"));
  EXPECT_THAT(taken.error().message, HasSubstr(std::to_string(bound_.port)));
}

TEST(StartServerTest, AnAddressOfAnotherMachineIsNotAPortInUse) {
  const auto foreign = StartServer("192.0.2.1", {0, 0}, "some.port", [](grpc::ServerBuilder&) {});
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message, HasSubstr("this machine has no address '192.0.2.1'"));
}

TEST(HostPortTest, Ipv6HostsGetBrackets) {
  EXPECT_EQ(JoinHostPort("localhost", 1), "localhost:1");
  EXPECT_EQ(JoinHostPort("::1", 1), "[::1]:1");
  EXPECT_EQ(JoinHostPort("[::1]", 1), "[::1]:1");
}

TEST(ParseAddresses, OneOrSeveral) {
  EXPECT_THAT(*ParseAddresses("localhost:6123"), testing::ElementsAre("localhost:6123"));
  EXPECT_THAT(*ParseAddresses("a:1,[::1]:65535,10.0.0.1:6123"),
              testing::ElementsAre("a:1", "[::1]:65535", "10.0.0.1:6123"));
  for (const char* wrong : {"", "a", "a:", ":1", "a:0", "a:65536", "a:1,", "a:1, b:2", "a:1;b:2",
                            "::1:6123", "http://a:1"}) {
    const auto parsed = ParseAddresses(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_THAT(parsed.error().message, testing::HasSubstr("expected host:port")) << wrong;
  }
}

}  // namespace
}  // namespace watershed
