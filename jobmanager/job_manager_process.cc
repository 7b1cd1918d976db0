#include "jobmanager/job_manager_process.h"

#include <grpcpp/server.h>

#include "jobmanager/cluster/grpc_task_manager_gateway.h"
#include "jobmanager/job/dispatcher.h"
#include "jobmanager/job/dispatcher_view.h"
#include "jobmanager/rest/http_server.h"
#include "jobmanager/rest/rest_api.h"
#include "jobmanager/rpc/cluster_service.h"
#include "jobmanager/rpc/job_service.h"
#include "jobmanager/store/job_store.h"
#include "runtime/metrics/prometheus.h"
#include "runtime/process/event_loop.h"
#include "runtime/rpc/connection.h"
#include "runtime/rpc/pending_calls.h"
#include "runtime/version/version.h"

namespace watershed {
namespace {

// Calls that are under way at Stop have this long to end by themselves.
constexpr std::chrono::milliseconds kServerGrace{100};

DispatcherSettings SettingsFrom(const Config& config) {
  DispatcherSettings settings;
  settings.heartbeat_interval = config.Get(options::kHeartbeatInterval);
  settings.heartbeat_timeout = config.Get(options::kHeartbeatTimeout);
  settings.default_parallelism = static_cast<int32_t>(config.Get(options::kDefaultParallelism));
  settings.max_parallelism = static_cast<int32_t>(config.Get(options::kMaxParallelism));
  settings.ended_jobs_kept = config.Get(options::kEndedJobsKept);
  return settings;
}

class Process final : public JobManagerProcess {
 public:
  explicit Process(const Config& config) : config_(config), loop_("jobmanager") {}
  ~Process() override { Stop(); }

  Status Initialize() {
    store_ = MakeMemoryJobStore(SystemClock());
    WS_ASSIGN_OR_RETURN(const LeaderEpoch epoch, store_->BecomeLeader());
    dispatcher_ =
        std::make_unique<Dispatcher>(SettingsFrom(config_), epoch, &loop_, &SystemClock(),
                                     store_.get(), &metrics_, MakeGrpcTaskManagerGateways(calls_));
    view_ = std::make_unique<DispatcherView>(&loop_, dispatcher_.get());
    job_service_ = std::make_unique<JobServiceHandler>(&loop_, dispatcher_.get());
    cluster_service_ = std::make_unique<ClusterServiceHandler>(&loop_, dispatcher_.get());
    WS_ASSIGN_OR_RETURN(rpc_, StartServer(config_.Get(options::kJobManagerBindHost),
                                          config_.Get(options::kJobManagerRpcPort),
                                          options::kJobManagerRpcPort.definition.key,
                                          [&](grpc::ServerBuilder& builder) {
                                            builder.RegisterService(job_service_.get());
                                            builder.RegisterService(cluster_service_.get());
                                          }));
    WS_RETURN_IF_ERROR(StartRest());
    const PortRange ports = config_.Get(options::kPrometheusPort);
    WS_ASSIGN_OR_RETURN(
        exporter_, PrometheusExporter::Start(metrics_, config_.Get(options::kPrometheusBindHost),
                                             fmt::format("{}-{}", ports.first, ports.last)));
    return Ok();
  }

  void Stop() override {
    exporter_.reset();
    http_.reset();
    if (rpc_.server != nullptr) {
      rpc_.server->Shutdown(std::chrono::system_clock::now() + kServerGrace);
      rpc_.server->Wait();
    }
    calls_->CancelAndWait();
    loop_.Stop();
    rpc_.server.reset();
  }

  std::string log_name() const override { return "jobmanager"; }
  std::map<std::string, int> ports() const override {
    return {{"rpc", rpc_.port}, {"rest", http_->port()}, {"metrics", exporter_->port()}};
  }
  JobManagerView& view() override { return *view_; }
  void SetOnChange(std::function<void()> on_change) override {
    loop_.RunAndWait([&] { dispatcher_->SetOnChange(std::move(on_change)); });
  }
  MetricRegistry& metrics() override { return metrics_; }
  std::string Listening() const override {
    return fmt::format("rpc {}, REST http://{}, metrics http://{}/metrics",
                       JoinHostPort(config_.Get(options::kJobManagerBindHost), rpc_.port),
                       JoinHostPort(config_.Get(options::kRestBindAddress), http_->port()),
                       JoinHostPort(config_.Get(options::kPrometheusBindHost), exporter_->port()));
  }

 private:
  Status StartRest() {
    rest_ = std::make_unique<RestApi>(view_.get(), &SystemClock(),
                                      BuildInfo{BuildVersion(), BuildCommit()});
    HttpServerOptions http;
    http.bind_address = config_.Get(options::kRestBindAddress);
    const PortRange ports = config_.Get(options::kRestPort);
    for (int port = ports.first;; ++port) {
      http.port = static_cast<uint16_t>(port);
      auto server = HttpServer::Start(
          http, [rest = rest_.get()](const HttpRequest& request) { return rest->Handle(request); });
      if (server) {
        http_ = std::move(*server);
        return Ok();
      }
      if (port >= ports.last) {
        return tl::make_unexpected(std::move(server).error().Within("rest.port"));
      }
    }
  }

  const Config config_;
  MetricRegistry metrics_;
  EventLoop loop_;
  const std::shared_ptr<PendingCalls> calls_ = std::make_shared<PendingCalls>();
  std::unique_ptr<JobStore> store_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<DispatcherView> view_;
  std::unique_ptr<JobServiceHandler> job_service_;
  std::unique_ptr<ClusterServiceHandler> cluster_service_;
  BoundServer rpc_;
  std::unique_ptr<RestApi> rest_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<PrometheusExporter> exporter_;
};

}  // namespace

Result<std::unique_ptr<JobManagerProcess>> JobManagerProcess::Start(const Config& config) {
  auto process = std::make_unique<Process>(config);
  WS_RETURN_IF_ERROR(process->Initialize());
  return process;
}

}  // namespace watershed
