#include "jobmanager/cluster/grpc_task_manager_gateway.h"

#include <chrono>

#include "runtime/rpc/connection.h"
#include "runtime/rpc/unary_call.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {
namespace {

// Discovery asks a broker that may be slow to say no.
constexpr std::chrono::seconds kDiscoverDeadline{60};
constexpr std::chrono::seconds kDeployDeadline{30};
constexpr std::chrono::seconds kCancelDeadline{10};
// Both are repeated or given up by who sends them.
constexpr std::chrono::seconds kCheckpointDeadline{10};

// For calls whose answer says nothing.
template <typename Response>
auto WithoutAnswer(std::function<void(Status)> done) {
  return [done = std::move(done)](const Result<Response>& response) {
    done(response ? Ok() : Status(tl::make_unexpected(response.error())));
  };
}

class GrpcTaskManagerGateway final : public TaskManagerGateway {
 public:
  GrpcTaskManagerGateway(const std::string& task_manager_id, const std::string& address,
                         std::shared_ptr<PendingCalls> pending)
      : peer_("TaskManager " + task_manager_id + " at " + address),
        pending_(std::move(pending)),
        stub_(v1::TaskManagerService::NewStub(MakeChannel(address))) {}

  void DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                      std::function<void(Result<v1::DiscoverSplitsResponse>)> done) override {
    CallUnary<v1::DiscoverSplitsResponse>(
        pending_, {.peer = peer_, .deadline = kDiscoverDeadline}, request,
        [this](auto&&... arguments) { stub_->async()->DiscoverSplits(arguments...); },
        std::move(done));
  }
  void DeployTasks(const v1::DeployTasksRequest& request,
                   std::function<void(Status)> done) override {
    CallUnary<v1::DeployTasksResponse>(
        pending_, {.peer = peer_, .deadline = kDeployDeadline}, request,
        [this](auto&&... arguments) { stub_->async()->DeployTasks(arguments...); },
        WithoutAnswer<v1::DeployTasksResponse>(std::move(done)));
  }
  void CancelTasks(const v1::CancelTasksRequest& request,
                   std::function<void(Result<v1::CancelTasksResponse>)> done) override {
    CallUnary<v1::CancelTasksResponse>(
        pending_, {.peer = peer_, .deadline = kCancelDeadline}, request,
        [this](auto&&... arguments) { stub_->async()->CancelTasks(arguments...); },
        std::move(done));
  }
  void TriggerCheckpoint(const v1::TriggerCheckpointRequest& request,
                         std::function<void(Status)> done) override {
    CallUnary<v1::TriggerCheckpointResponse>(
        pending_, {.peer = peer_, .deadline = kCheckpointDeadline}, request,
        [this](auto&&... arguments) { stub_->async()->TriggerCheckpoint(arguments...); },
        WithoutAnswer<v1::TriggerCheckpointResponse>(std::move(done)));
  }
  void NotifyCheckpoint(const v1::NotifyCheckpointRequest& request,
                        std::function<void(Status)> done) override {
    CallUnary<v1::NotifyCheckpointResponse>(
        pending_, {.peer = peer_, .deadline = kCheckpointDeadline}, request,
        [this](auto&&... arguments) { stub_->async()->NotifyCheckpoint(arguments...); },
        WithoutAnswer<v1::NotifyCheckpointResponse>(std::move(done)));
  }

 private:
  const std::string peer_;
  const std::shared_ptr<PendingCalls> pending_;
  const std::unique_ptr<v1::TaskManagerService::Stub> stub_;
};

}  // namespace

TaskManagerGatewayFactory MakeGrpcTaskManagerGateways(std::shared_ptr<PendingCalls> pending) {
  return [pending = std::move(pending)](const std::string& task_manager_id,
                                        const std::string& address) {
    return std::make_shared<GrpcTaskManagerGateway>(task_manager_id, address, pending);
  };
}

}  // namespace watershed
