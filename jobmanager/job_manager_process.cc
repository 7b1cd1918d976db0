#include "jobmanager/job_manager_process.h"

#include <grpcpp/server.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <random>

#include "jobmanager/cluster/grpc_task_manager_gateway.h"
#include "jobmanager/job/dispatcher.h"
#include "jobmanager/job/dispatcher_view.h"
#include "jobmanager/rest/http_server.h"
#include "jobmanager/rest/rest_api.h"
#include "jobmanager/rpc/cluster_log_service.h"
#include "jobmanager/rpc/cluster_service.h"
#include "jobmanager/rpc/job_service.h"
#include "jobmanager/store/job_store.h"
#include "runtime/config/units.h"
#include "runtime/logging/log.h"
#include "runtime/metrics/names.h"
#include "runtime/metrics/prometheus.h"
#include "runtime/process/event_loop.h"
#include "runtime/process/network_place.h"
#include "runtime/process/worker_pool.h"
#include "runtime/rpc/connection.h"
#include "runtime/rpc/pending_calls.h"
#include "runtime/storage/object_storage.h"
#include "runtime/version/version.h"

namespace watershed {
namespace {

// Calls that are under way at Stop have this long to end by themselves.
constexpr std::chrono::milliseconds kServerGrace{100};

constexpr std::chrono::seconds kReleaseGrace{1};  // for the log to say it

// Each use of the checkpoint storage may take long on a slow disk.
constexpr size_t kIoThreads = 8;

int AsInt(int64_t value) { return static_cast<int>(value); }

JobDefaults JobDefaultsFrom(const Config& config) {
  JobDefaults defaults;
  defaults.parallelism = AsInt(config.Get(options::kDefaultParallelism));
  defaults.max_parallelism = AsInt(config.Get(options::kMaxParallelism));
  defaults.checkpoint_directory = config.Get(options::kCheckpointDir);
  defaults.savepoint_directory = config.Get(options::kSavepointDir);
  defaults.restarts_regions = config.Get(options::kFailoverStrategy) == "region";
  defaults.adaptive.enabled = config.Get(options::kScheduler) == "adaptive";
  defaults.adaptive.wait = config.Get(options::kSlotsWaitTimeout);
  defaults.adaptive.stabilization = config.Get(options::kSlotsStabilization);
  defaults.adaptive.cooldown = config.Get(options::kRescaleCooldown);
  defaults.adaptive.growth_stabilization = config.Get(options::kRescaleStabilization);
  defaults.checkpoints.timeout = config.Get(options::kCheckpointTimeout);
  defaults.checkpoints.min_pause = config.Get(options::kCheckpointMinPause);
  defaults.checkpoints.tolerable_failures = AsInt(config.Get(options::kTolerableFailedCheckpoints));
  defaults.checkpoints.retained = AsInt(config.Get(options::kRetainedCheckpoints));
  return defaults;
}

DispatcherSettings SettingsFrom(const Config& config) {
  DispatcherSettings settings;
  settings.heartbeat_timeout = config.Get(options::kHeartbeatTimeout);
  // One that is lost or late must not be the end of a TaskManager.
  const std::chrono::milliseconds interval = config.Get(options::kHeartbeatInterval);
  settings.heartbeat_interval = std::min(interval, settings.heartbeat_timeout / 4);
  if (settings.heartbeat_interval < interval) {
    LogWarn(
        "heartbeat.interval: {} is used instead of {}, a quarter of heartbeat.timeout ({}): one "
        "heartbeat that is lost must not be the end of a TaskManager",
        FormatDuration(settings.heartbeat_interval), FormatDuration(interval),
        FormatDuration(settings.heartbeat_timeout));
  }
  settings.jobs = JobDefaultsFrom(config);
  settings.ended_jobs_kept = config.Get(options::kEndedJobsKept);
  settings.keeps_log = !config.Get(options::kHighAvailabilityStorageDir).empty();
  if (settings.keeps_log) settings.lease = config.Get(options::kLeaseDuration);
  return settings;
}

class Process final : public JobManagerProcess {
 public:
  Process(const Config& config, JobManagerRole role)
      : config_(config),
        role_(std::move(role)),
        loop_("jobmanager"),
        io_("jobmanager-io", kIoThreads),
        log_io_("jobmanager-log", 1) {}
  ~Process() override { Stop(); }

  // Ports come first: a process that is started twice by mistake must not depose the one that runs.
  // Whatever reaches the servers meanwhile waits in the loop.
  Status Initialize() {
    WS_RETURN_IF_ERROR(OpenStores());
    MakeDispatcher();
    std::promise<bool> bound;
    Status led = Ok();
    loop_.Post([&, may_lead = bound.get_future().share()] {
      if (may_lead.get()) led = Lead();
    });
    const Status listening = StartServers();
    bound.set_value(listening.has_value());
    loop_.RunAndWait([] {});
    return listening ? led : listening;
  }

  void Stop() override {
    is_stopping_ = true;
    loop_.RunAndWait([this] {
      if (dispatcher_ != nullptr) dispatcher_->OnShutdown();
    });
    // Before its port is closed, which would tell the same to those who cannot read the log now.
    ReleaseLease();
    exporter_.reset();
    http_.reset();
    if (rpc_.server != nullptr) {
      rpc_.server->Shutdown(std::chrono::system_clock::now() + kServerGrace);
      rpc_.server->Wait();
    }
    // Before its own calls are cancelled, which would look as if the TaskManagers had refused.
    loop_.Stop();
    calls_->CancelAndWait();
    io_.Stop();
    log_io_.Stop();
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
  bool has_failed() const override { return has_failed_; }
  std::string Listening() const override {
    return fmt::format("rpc {}, REST http://{}, metrics http://{}/metrics",
                       JoinHostPort(config_.Get(options::kJobManagerBindHost), rpc_.port),
                       JoinHostPort(config_.Get(options::kRestBindAddress), http_->port()),
                       JoinHostPort(config_.Get(options::kPrometheusBindHost), exporter_->port()));
  }

 private:
  Status OpenStores() {
    const std::string directory = config_.Get(options::kHighAvailabilityStorageDir);
    if (directory.empty()) {
      store_ = MakeMemoryJobStore(&SystemClock(), &loop_);
    } else {
      WS_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStorage> storage,
                          WithKey(options::kHighAvailabilityStorageDir.definition.key,
                                  OpenStorage(directory, StorageAccess::kOwnerOnly)));
      std::random_device random;
      const uint64_t writer_id = uint64_t{random()} << 32 | random();
      store_ = MakeLogJobStore(std::move(storage), &log_io_, &loop_, &SystemClock(),
                               {.writer_id = writer_id, .successor_of = role_.successor_of});
    }
    const std::string checkpoints = config_.Get(options::kCheckpointDir);
    if (checkpoints.empty()) return Ok();
    // Said now, and not by the first job's first checkpoint.
    WS_RETURN_IF_ERROR(WithKey(options::kCheckpointDir.definition.key, OpenStorage(checkpoints)));
    return Ok();
  }

  void MakeDispatcher() {
    DispatcherServices services;
    services.executor = &loop_;
    services.clock = &SystemClock();
    services.store = store_.get();
    services.metrics = &metrics_;
    services.metric_labels = {
        {std::string(metric_names::kHost), config_.Get(options::kJobManagerRpcAddress)}};
    services.gateways = MakeGrpcTaskManagerGateways(calls_);
    services.io = &io_;
    services.open_storage = [](const std::string& uri) { return OpenStorage(uri); };
    services.open_existing = [](const std::string& uri) {
      return OpenStorage(uri, StorageAccess::kExisting);
    };
    services.on_fatal = [this](const Error& error) {
      if (is_stopping_) return;  // it need not
      LogError("this JobManager can lead no longer: {}", error.message);
      has_failed_ = true;
      if (role_.on_fatal) role_.on_fatal();
    };
    dispatcher_ = std::make_unique<Dispatcher>(SettingsFrom(config_), std::move(services));
    view_ = std::make_unique<DispatcherView>(&loop_, dispatcher_.get());
    job_service_ = std::make_unique<JobServiceHandler>(&loop_, dispatcher_.get());
    cluster_service_ = std::make_unique<ClusterServiceHandler>(&loop_, dispatcher_.get());
    log_service_ = std::make_unique<ClusterLogServiceHandler>(&loop_, dispatcher_.get(), calls_);
  }

  Status StartServers() {
    WS_ASSIGN_OR_RETURN(
        rpc_,
        StartServer(config_.Get(options::kJobManagerBindHost),
                    config_.Get(options::kJobManagerRpcPort),
                    options::kJobManagerRpcPort.definition.key, [&](grpc::ServerBuilder& builder) {
                      LimitMemory(builder, config_.Get(options::kRpcServerMemory));
                      builder.RegisterService(job_service_.get());
                      builder.RegisterService(cluster_service_.get());
                      builder.RegisterService(log_service_.get());
                    }));
    WS_RETURN_IF_ERROR(StartRest());
    const PortRange ports = config_.Get(options::kPrometheusPort);
    WS_ASSIGN_OR_RETURN(
        exporter_, PrometheusExporter::Start(metrics_, config_.Get(options::kPrometheusBindHost),
                                             fmt::format("{}-{}", ports.first, ports.last)));
    return Ok();
  }

  Status Lead() {
    v1::LeaderEntry self;
    self.set_rpc_address(JoinHostPort(config_.Get(options::kJobManagerRpcAddress), rpc_.port));
    self.set_rest_address(JoinHostPort(config_.Get(options::kRestBindAddress), http_->port()));
    self.set_lease_ms(config_.Get(options::kLeaseDuration).count());
    self.set_network_place(NetworkPlace());
    WS_ASSIGN_OR_RETURN(const v1::StoredState stored, store_->BecomeLeader(self));
    dispatcher_->Lead(stored);
    has_led_ = true;
    return Ok();
  }

  void ReleaseLease() {
    if (!has_led_) return;
    const auto released = std::make_shared<std::promise<void>>();
    loop_.Post(
        [this, released] { dispatcher_->ReleaseLease([released] { released->set_value(); }); });
    if (released->get_future().wait_for(kReleaseGrace) != std::future_status::ready) {
      LogWarn("the lease is not released; it ends by itself");
    }
    has_led_ = false;
  }

  template <typename T>
  static Result<T> WithKey(std::string_view key, Result<T> result) {
    if (result) return result;
    return tl::make_unexpected(std::move(result).error().Within(std::string(key)));
  }

  Status StartRest() {
    rest_ = std::make_unique<RestApi>(view_.get(), &SystemClock(),
                                      BuildInfo{BuildVersion(), BuildCommit()});
    HttpServerOptions http;
    http.bind_address = config_.Get(options::kRestBindAddress);
    const PortRange ports = config_.Get(options::kRestPort);
    for (int port = ports.first;; ++port) {
      http.port = static_cast<uint16_t>(port);
      auto server = HttpServer::Start(
          http, [rest = rest_.get()](const HttpRequest& request, const HttpResponder& respond) {
            rest->Handle(request, respond);
          });
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
  const JobManagerRole role_;
  std::atomic<bool> has_failed_{false};
  std::atomic<bool> is_stopping_{false};
  bool has_led_ = false;
  MetricRegistry metrics_;
  EventLoop loop_;
  WorkerPool io_;
  WorkerPool log_io_;  // of its own, so that no slow checkpoint delays the log
  const std::shared_ptr<PendingCalls> calls_ = std::make_shared<PendingCalls>();
  std::unique_ptr<JobStore> store_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<DispatcherView> view_;
  std::unique_ptr<JobServiceHandler> job_service_;
  std::unique_ptr<ClusterServiceHandler> cluster_service_;
  std::unique_ptr<ClusterLogServiceHandler> log_service_;
  BoundServer rpc_;
  std::unique_ptr<RestApi> rest_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<PrometheusExporter> exporter_;
};

}  // namespace

Result<std::unique_ptr<JobManagerProcess>> JobManagerProcess::Start(const Config& config,
                                                                    JobManagerRole role) {
  auto process = std::make_unique<Process>(config, std::move(role));
  WS_RETURN_IF_ERROR(process->Initialize());
  return process;
}

}  // namespace watershed
