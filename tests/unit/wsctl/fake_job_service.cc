#include "fake_job_service.h"

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "runtime/rpc/rpc_error.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {

class FakeJobService::Impl final : public v1::JobService::Service {
 public:
  explicit Impl(FakeJobs jobs) : jobs_(std::move(jobs)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Impl() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status SubmitJob(grpc::ServerContext* context, const v1::SubmitJobRequest* request,
                         v1::SubmitJobResponse* response) override {
    if (Hang(context)) return grpc::Status::CANCELLED;
    std::lock_guard lock(mutex_);
    if (!jobs_.refuse_submission.empty()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, jobs_.refuse_submission};
    }
    jobs_.submitted.push_back(request->graph());
    jobs_.submissions.push_back(*request);
    response->set_job_id(std::string(32, 'e'));
    response->add_warnings("no checkpoints yet");
    return grpc::Status::OK;
  }

  grpc::Status CancelJob(grpc::ServerContext* context, const v1::CancelJobRequest* request,
                         v1::CancelJobResponse*) override {
    if (Hang(context)) return grpc::Status::CANCELLED;
    std::lock_guard lock(mutex_);
    jobs_.cancelled.push_back(request->job_id());
    v1::JobDetails* job = Find(request->job_id());
    if (job == nullptr) return NotFound(request->job_id());
    job->mutable_summary()->set_state(v1::CANCELLING);
    return grpc::Status::OK;
  }

  grpc::Status ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override {
    if (Hang(context)) return grpc::Status::CANCELLED;
    std::lock_guard lock(mutex_);
    if (jobs_.calls_away-- > 0) return {grpc::StatusCode::UNAVAILABLE, "connection refused"};
    for (const v1::JobDetails& job : jobs_.jobs) {
      bool ended = job.summary().end_time_ms() > 0;
      if (!ended || request->include_ended()) *response->add_jobs() = job.summary();
    }
    return grpc::Status::OK;
  }

  grpc::Status GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request,
                      v1::JobDetails* response) override {
    if (Hang(context)) return grpc::Status::CANCELLED;
    std::lock_guard lock(mutex_);
    v1::JobDetails* job = Find(request->job_id());
    if (job == nullptr) return NotFound(request->job_id());
    if (job->summary().state() == v1::CANCELLING && jobs_.gets_until_canceled-- == 0) {
      job->mutable_summary()->set_state(jobs_.state_after_cancel);
    }
    *response = *job;
    return grpc::Status::OK;
  }

  grpc::Status TriggerSavepoint(grpc::ServerContext*, const v1::TriggerSavepointRequest* request,
                                v1::OperationAccepted*) override {
    return Begin("savepoint " + request->job_id() + " " + request->directory());
  }
  grpc::Status RequestCheckpoint(grpc::ServerContext*, const v1::RequestCheckpointRequest* request,
                                 v1::OperationAccepted*) override {
    return Begin("checkpoint " + request->job_id());
  }
  grpc::Status StopWithSavepoint(grpc::ServerContext*, const v1::StopWithSavepointRequest* request,
                                 v1::OperationAccepted*) override {
    return Begin("stop " + request->job_id() + " " + request->directory() +
                 (request->drain() ? " drain" : ""));
  }
  grpc::Status DisposeSavepoint(grpc::ServerContext*, const v1::DisposeSavepointRequest* request,
                                v1::DisposeSavepointResponse*) override {
    return Begin("dispose " + request->path());
  }
  grpc::Status GetOperation(grpc::ServerContext*, const v1::GetOperationRequest*,
                            v1::Operation* response) override {
    std::lock_guard lock(mutex_);
    *response = jobs_.operation;
    if (jobs_.questions_until_done-- > 0) {
      response->set_status(v1::Operation::OPERATION_IN_PROGRESS);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetVersion(grpc::ServerContext* context, const v1::GetVersionRequest*,
                          v1::GetVersionResponse* response) override {
    if (Hang(context)) return grpc::Status::CANCELLED;
    response->set_version("9.8.7");
    response->set_commit("c0ffee");
    return grpc::Status::OK;
  }

  int port() const { return port_; }
  FakeJobs state() const {
    std::lock_guard lock(mutex_);
    return jobs_;
  }

 private:
  // Waits for the client to give up, when the test wants that.
  bool Hang(grpc::ServerContext* context) {
    if (!jobs_.never_answer) return false;
    while (!context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  grpc::Status Begin(std::string operation) {
    std::lock_guard lock(mutex_);
    if (!jobs_.refuse_operation.empty()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, jobs_.refuse_operation};
    }
    if (!jobs_.fail_operation.empty())
      return ToRpcStatus(TransientError("{}", jobs_.fail_operation));
    jobs_.operations.push_back(std::move(operation));
    return grpc::Status::OK;
  }
  v1::JobDetails* Find(const std::string& job_id) {
    for (v1::JobDetails& job : jobs_.jobs) {
      if (job.summary().job_id() == job_id) return &job;
    }
    return nullptr;
  }
  static grpc::Status NotFound(const std::string& job_id) {
    return {grpc::StatusCode::NOT_FOUND, "job " + job_id + " not found"};
  }

  mutable std::mutex mutex_;
  FakeJobs jobs_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

FakeJobService::FakeJobService(FakeJobs jobs) : impl_(std::make_unique<Impl>(std::move(jobs))) {}
FakeJobService::~FakeJobService() = default;
std::string FakeJobService::address() const { return "localhost:" + std::to_string(impl_->port()); }
FakeJobs FakeJobService::state() const { return impl_->state(); }

std::string UnusedAddress() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  bool bound = bind(fd, generic, length) == 0 && getsockname(fd, generic, &length) == 0;
  close(fd);
  return bound ? "localhost:" + std::to_string(ntohs(address.sin_port)) : "";
}

}  // namespace watershed
