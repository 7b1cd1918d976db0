#include "jobmanager/cluster/grpc_task_manager_gateway.h"

#include <grpcpp/client_context.h>

#include <chrono>

#include "runtime/rpc/connection.h"
#include "runtime/rpc/rpc_error.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {
namespace {

// Discovery asks a broker that may be slow to say no.
constexpr std::chrono::seconds kDiscoverDeadline{60};
constexpr std::chrono::seconds kDeployDeadline{30};
constexpr std::chrono::seconds kCancelDeadline{10};

// Lives until its call has been answered.
template <typename Request, typename Response>
struct Call {
  grpc::ClientContext context;
  Request request;
  Response response;
};

class GrpcTaskManagerGateway final : public TaskManagerGateway {
 public:
  GrpcTaskManagerGateway(const std::string& task_manager_id, const std::string& address)
      : peer_("TaskManager " + task_manager_id + " at " + address),
        stub_(v1::TaskManagerService::NewStub(MakeChannel(address))) {}

  void DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                      std::function<void(Result<v1::DiscoverSplitsResponse>)> done) override {
    auto call = NewCall<v1::DiscoverSplitsResponse>(request, kDiscoverDeadline);
    stub_->async()->DiscoverSplits(&call->context, &call->request, &call->response,
                                   Answer(call, std::move(done)));
  }
  void DeployTasks(const v1::DeployTasksRequest& request,
                   std::function<void(Status)> done) override {
    auto call = NewCall<v1::DeployTasksResponse>(request, kDeployDeadline);
    auto answer = [done = std::move(done)](const Result<v1::DeployTasksResponse>& response) {
      done(response ? Ok() : Status(tl::make_unexpected(response.error())));
    };
    stub_->async()->DeployTasks(&call->context, &call->request, &call->response,
                                Answer(call, std::move(answer)));
  }
  void CancelTasks(const v1::CancelTasksRequest& request,
                   std::function<void(Result<v1::CancelTasksResponse>)> done) override {
    auto call = NewCall<v1::CancelTasksResponse>(request, kCancelDeadline);
    stub_->async()->CancelTasks(&call->context, &call->request, &call->response,
                                Answer(call, std::move(done)));
  }

 private:
  template <typename Response, typename Request>
  static std::shared_ptr<Call<Request, Response>> NewCall(const Request& request,
                                                          std::chrono::seconds deadline) {
    auto call = std::make_shared<Call<Request, Response>>();
    call->request = request;
    call->context.set_deadline(std::chrono::system_clock::now() + deadline);
    return call;
  }
  template <typename Request, typename Response, typename Done>
  std::function<void(grpc::Status)> Answer(std::shared_ptr<Call<Request, Response>> call,
                                           Done done) const {
    return
        [peer = peer_, call = std::move(call), done = std::move(done)](const grpc::Status& status) {
          if (status.ok()) {
            done(std::move(call->response));
          } else {
            done(tl::make_unexpected(FromRpcStatus(status, peer)));
          }
        };
  }

  const std::string peer_;
  const std::unique_ptr<v1::TaskManagerService::Stub> stub_;
};

}  // namespace

TaskManagerGatewayFactory MakeGrpcTaskManagerGateways() {
  return [](const std::string& task_manager_id, const std::string& address) {
    return std::make_shared<GrpcTaskManagerGateway>(task_manager_id, address);
  };
}

}  // namespace watershed
