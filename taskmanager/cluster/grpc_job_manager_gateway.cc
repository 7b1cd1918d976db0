#include "taskmanager/cluster/grpc_job_manager_gateway.h"

#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "runtime/rpc/connection.h"
#include "runtime/rpc/unary_call.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kRegisterDeadline{5000};
constexpr std::chrono::milliseconds kRegisterDeadlineOfSeveral{2000};
constexpr std::chrono::milliseconds kCallDeadline{10'000};

// Reads until the JobManager, its process or the connection ends. Deletes itself.
class AttachReader final : public grpc::ClientReadReactor<v1::AttachEvent> {
 public:
  AttachReader(std::shared_ptr<PendingCalls> pending, std::shared_ptr<grpc::ClientContext> context,
               const v1::AttachRequest& request, std::function<void()> ended)
      : pending_(std::move(pending)),
        context_(std::move(context)),
        request_(request),
        ended_(std::move(ended)) {}

  void Start(v1::ClusterService::Stub& stub) {
    stub.async()->Attach(context_.get(), &request_, this);
    StartRead(&event_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) StartRead(&event_);
  }
  void OnDone(const grpc::Status&) override {
    std::exchange(ended_, nullptr)();
    const std::shared_ptr<PendingCalls> pending = pending_;
    pending->Forget(context_.get());
    delete this;
    pending->Done();
  }

 private:
  const std::shared_ptr<PendingCalls> pending_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const v1::AttachRequest request_;
  std::function<void()> ended_;
  v1::AttachEvent event_;
};

class GrpcJobManagerGateway final : public JobManagerGateway {
 public:
  GrpcJobManagerGateway(const std::vector<std::string>& addresses,
                        std::shared_ptr<PendingCalls> pending)
      : pending_(std::move(pending)) {
    for (const std::string& address : addresses) {
      peers_.push_back(
          {"JobManager at " + address, v1::ClusterService::NewStub(MakeChannel(address))});
    }
  }

  std::string peer() const override { return to().name; }
  bool TryAnother() override {
    current_ = (current_ + 1) % peers_.size();
    return peers_.size() > 1;
  }

  void Register(const v1::RegisterTaskManagerRequest& request,
                Answer<v1::RegisterTaskManagerResponse> done) override {
    const bool is_only_one = peers_.size() == 1;
    CallUnary<v1::RegisterTaskManagerResponse>(
        pending_,
        {.peer = to().name,
         .deadline = is_only_one ? kRegisterDeadline : kRegisterDeadlineOfSeveral,
         .wait_for_ready = is_only_one},
        request, [this](auto&&... all) { to().stub->async()->RegisterTaskManager(all...); },
        std::move(done));
  }
  void Attach(const v1::AttachRequest& request, std::function<void()> ended) override {
    attach_context_ = std::make_shared<grpc::ClientContext>();
    if (!pending_->Add(attach_context_.get())) return;
    (new AttachReader(pending_, attach_context_, request, std::move(ended)))->Start(*to().stub);
  }
  void Detach() override {
    if (attach_context_ != nullptr) attach_context_->TryCancel();
  }
  void Heartbeat(const v1::HeartbeatRequest& request, std::chrono::milliseconds deadline,
                 Answer<v1::HeartbeatResponse> done) override {
    CallUnary<v1::HeartbeatResponse>(
        pending_, {.peer = to().name, .deadline = deadline}, request,
        [this](auto&&... all) { to().stub->async()->Heartbeat(all...); }, std::move(done));
  }
  void UpdateTasks(const v1::UpdateTasksRequest& request,
                   Answer<v1::UpdateTasksResponse> done) override {
    CallUnary<v1::UpdateTasksResponse>(
        pending_, {.peer = to().name, .deadline = kCallDeadline}, request,
        [this](auto&&... all) { to().stub->async()->UpdateTasks(all...); }, std::move(done));
  }
  void ReportCheckpoint(const v1::ReportCheckpointRequest& request,
                        Answer<v1::ReportCheckpointResponse> done) override {
    CallUnary<v1::ReportCheckpointResponse>(
        pending_, {.peer = to().name, .deadline = kCallDeadline}, request,
        [this](auto&&... all) { to().stub->async()->ReportCheckpoint(all...); }, std::move(done));
  }

 private:
  struct Peer {
    std::string name;
    std::unique_ptr<v1::ClusterService::Stub> stub;
  };
  const Peer& to() const { return peers_[current_]; }

  const std::shared_ptr<PendingCalls> pending_;
  std::vector<Peer> peers_;
  size_t current_ = 0;
  std::shared_ptr<grpc::ClientContext> attach_context_;  // of the last Attach
};

}  // namespace

std::shared_ptr<JobManagerGateway> MakeGrpcJobManagerGateway(
    const std::vector<std::string>& addresses, std::shared_ptr<PendingCalls> pending) {
  return std::make_shared<GrpcJobManagerGateway>(addresses, std::move(pending));
}

}  // namespace watershed
