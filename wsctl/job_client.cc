#include "wsctl/job_client.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "runtime/config/units.h"
#include "runtime/rpc/connection.h"
#include "runtime/rpc/rpc_error.h"
#include "watershed/v1/control.grpc.pb.h"
#include "watershed/v1/log.grpc.pb.h"

namespace watershed {
namespace {

constexpr int kReceiveBytesMax = 64 << 20;  // details of jobs with thousands of subtasks

// How long one of several JobManagers has to take a connection before the next one is tried.
constexpr std::chrono::milliseconds kConnectTurn{200};

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  // A proxy in the environment is for the web, not for the cluster.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

struct JobClient::Impl {
  std::string address;                 // as it was given, or of the one that is used
  std::vector<std::string> addresses;  // one of them leads and listens
  std::chrono::milliseconds timeout;
  std::chrono::steady_clock::time_point deadline;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::JobService::Stub> stub;
  std::unique_ptr<v1::LogService::Stub> log_stub;

  void Use(std::shared_ptr<grpc::Channel> chosen) {
    channel = std::move(chosen);
    stub = v1::JobService::NewStub(channel);
    log_stub = v1::LogService::NewStub(channel);
  }

  // The first of several that takes a connection, each in turn until the deadline.
  Outcome<void> Choose() {
    if (channel != nullptr) return {};
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    channels.reserve(addresses.size());
    for (const std::string& each : addresses) channels.push_back(ChannelTo(each));
    for (size_t i = 0; std::chrono::steady_clock::now() < deadline; i = (i + 1) % channels.size()) {
      if (!channels[i]->WaitForConnected(std::chrono::system_clock::now() + kConnectTurn)) continue;
      address = addresses[i];
      Use(channels[i]);
      return {};
    }
    return tl::make_unexpected(Unreachable("no connection within " + FormatDuration(timeout)));
  }

  // Calls one RPC with the client's deadline.
  template <typename Request, typename Response>
  Outcome<Response> Call(grpc::Status (v1::JobService::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                         const Request& request) {
    WS_RETURN_IF_ERROR(Choose());
    return CallOf(*stub, method, request);
  }
  template <typename Request, typename Response>
  Outcome<Response> Call(grpc::Status (v1::LogService::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                         const Request& request) {
    WS_RETURN_IF_ERROR(Choose());
    return CallOf(*log_stub, method, request);
  }
  template <typename Stub, typename Request, typename Response>
  Outcome<Response> CallOf(Stub& service,
                           grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                           const Request& request) {
    grpc::ClientContext context;
    auto left = deadline - std::chrono::steady_clock::now();
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::duration_cast<std::chrono::milliseconds>(left));
    Response response;
    grpc::Status status = (service.*method)(&context, request, &response);
    if (!status.ok()) return tl::make_unexpected(FailureOf(status));
    return response;
  }

  Failure FailureOf(const grpc::Status& status) const {
    switch (status.error_code()) {
      case grpc::StatusCode::DEADLINE_EXCEEDED:
        if (channel->GetState(false) == GRPC_CHANNEL_READY) {
          return {ExitCode::kTimedOut,
                  fmt::format("the JobManager at {} did not answer within {}; allow more with "
                              "--timeout",
                              address, FormatDuration(timeout))};
        }
        return Unreachable("no connection within " + FormatDuration(timeout));
      case grpc::StatusCode::UNAVAILABLE:
        // Its own answer, of something else that is away: a directory, a TaskManager.
        if (IsFromApplication(status)) return {ExitCode::kFailed, status.error_message()};
        return Unreachable(status.error_message());
      case grpc::StatusCode::UNIMPLEMENTED:
        return Unreachable("what answers there is not a JobManager of this version");
      case grpc::StatusCode::INVALID_ARGUMENT:
        return {ExitCode::kUsage, status.error_message()};
      default:
        return {ExitCode::kFailed, status.error_message()};
    }
  }

  Failure Unreachable(const std::string& why) const {
    return {ExitCode::kUnreachable,
            fmt::format("no JobManager can be reached at {} ({}); is it running? Another address: "
                        "--jobmanager host:port or WSCTL_JOBMANAGER",
                        address, why)};
  }
};

Outcome<std::unique_ptr<JobClient>> JobClient::Create(const std::string& address,
                                                      std::chrono::milliseconds timeout) {
  auto addresses = ParseAddresses(address);
  if (!addresses) return Fail(ExitCode::kUsage, addresses.error().message);
  auto impl = std::make_unique<Impl>();
  impl->address = address;
  impl->timeout = timeout;
  impl->deadline = std::chrono::steady_clock::now() + timeout;
  impl->addresses = *std::move(addresses);
  if (impl->addresses.size() == 1) impl->Use(ChannelTo(address));
  return std::unique_ptr<JobClient>(new JobClient(std::move(impl)));
}

JobClient::JobClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JobClient::~JobClient() = default;

Outcome<v1::SubmitJobResponse> JobClient::Submit(const v1::SubmitJobRequest& request) {
  return impl_->Call(&v1::JobService::Stub::SubmitJob, request);
}

Outcome<std::vector<v1::JobSummary>> JobClient::List(bool include_ended) {
  v1::ListJobsRequest request;
  request.set_include_ended(include_ended);
  WS_ASSIGN_OR_RETURN(auto response, impl_->Call(&v1::JobService::Stub::ListJobs, request));
  return std::vector<v1::JobSummary>(response.jobs().begin(), response.jobs().end());
}

Outcome<v1::JobDetails> JobClient::Get(const std::string& job_id) {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  return impl_->Call(&v1::JobService::Stub::GetJob, request);
}

Outcome<void> JobClient::Cancel(const std::string& job_id) {
  v1::CancelJobRequest request;
  request.set_job_id(job_id);
  WS_RETURN_IF_ERROR(impl_->Call(&v1::JobService::Stub::CancelJob, request));
  return {};
}

Outcome<v1::GetVersionResponse> JobClient::Version() {
  return impl_->Call(&v1::JobService::Stub::GetVersion, v1::GetVersionRequest());
}

Outcome<void> JobClient::TriggerSavepoint(const v1::TriggerSavepointRequest& request) {
  WS_RETURN_IF_ERROR(impl_->Call(&v1::JobService::Stub::TriggerSavepoint, request));
  return {};
}
Outcome<void> JobClient::RequestCheckpoint(const v1::RequestCheckpointRequest& request) {
  WS_RETURN_IF_ERROR(impl_->Call(&v1::JobService::Stub::RequestCheckpoint, request));
  return {};
}
Outcome<void> JobClient::StopWithSavepoint(const v1::StopWithSavepointRequest& request) {
  WS_RETURN_IF_ERROR(impl_->Call(&v1::JobService::Stub::StopWithSavepoint, request));
  return {};
}

Outcome<v1::Operation> JobClient::Operation(const std::string& job_id,
                                            const std::string& operation_id) {
  v1::GetOperationRequest request;
  request.set_job_id(job_id);
  request.set_operation_id(operation_id);
  return impl_->Call(&v1::JobService::Stub::GetOperation, request);
}

Outcome<void> JobClient::DisposeSavepoint(const std::string& path) {
  v1::DisposeSavepointRequest request;
  request.set_path(path);
  WS_RETURN_IF_ERROR(impl_->Call(&v1::JobService::Stub::DisposeSavepoint, request));
  return {};
}

Outcome<std::vector<v1::TaskManagerDetails>> JobClient::TaskManagers() {
  WS_ASSIGN_OR_RETURN(auto response, impl_->Call(&v1::JobService::Stub::ListTaskManagers,
                                                 v1::ListTaskManagersRequest()));
  return std::vector<v1::TaskManagerDetails>(response.task_managers().begin(),
                                             response.task_managers().end());
}

Outcome<v1::ReadLogResponse> JobClient::ReadLog(const v1::ReadLogRequest& request) {
  return impl_->Call(&v1::LogService::Stub::ReadLog, request);
}
Outcome<v1::LogLevelResponse> JobClient::LogLevel(const v1::LogLevelRequest& request) {
  return impl_->Call(&v1::LogService::Stub::LogLevel, request);
}

std::chrono::milliseconds JobClient::timeout() const { return impl_->timeout; }
std::chrono::steady_clock::time_point JobClient::deadline() const { return impl_->deadline; }
const std::string& JobClient::address() const { return impl_->address; }

}  // namespace watershed
