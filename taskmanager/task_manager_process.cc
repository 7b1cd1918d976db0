#include "taskmanager/task_manager_process.h"

#include <grpcpp/server.h>
#include <unistd.h>

#include <future>

#include "runtime/config/units.h"
#include "runtime/logging/log.h"
#include "runtime/metrics/names.h"
#include "runtime/metrics/prometheus.h"
#include "runtime/process/event_loop.h"
#include "runtime/process/temporary_directory.h"
#include "runtime/process/worker_pool.h"
#include "runtime/rpc/connection.h"
#include "runtime/rpc/log_service.h"
#include "runtime/state/keyed_state.h"
#include "taskmanager/cluster/grpc_job_manager_gateway.h"
#include "taskmanager/cluster/job_manager_connection.h"
#include "taskmanager/machine.h"
#include "taskmanager/memory_limits.h"
#include "taskmanager/memory_report.h"
#include "taskmanager/network/data_exchange_service.h"
#include "taskmanager/network/network_channel_provider.h"
#include "taskmanager/rpc/task_manager_service.h"
#include "taskmanager/task/task_executor.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kServerGrace{100};
constexpr std::chrono::seconds kTasksGrace{5};    // for tasks to end at Stop
constexpr std::chrono::seconds kReportsGrace{1};  // for the JobManager to hear of it
constexpr std::chrono::seconds kAnswerGrace{15};  // longer than a heartbeat waits for its answer
constexpr size_t kDiscoveryThreads = 4;
constexpr size_t kSnapshotThreads = 4;

KeyedStateOptions StateOptions(const Config& config, MemoryAccount& memory) {
  KeyedStateOptions state = KeyedStateOptionsFrom(config, memory.limits());
  state.account = &memory;
  return state;
}

class Process final : public TaskManagerProcess {
 public:
  Process(const Config& config, const MemoryLimits& memory, const ConnectorFactory& connectors)
      : config_(config),
        connectors_(connectors),
        id_(config.Get(options::kTaskManagerResourceId).empty()
                ? MakeTaskManagerId(config.Get(options::kTaskManagerHost))
                : config.Get(options::kTaskManagerResourceId)),
        labels_({{std::string(metric_names::kTaskManagerId), id_},
                 {std::string(metric_names::kHost), config.Get(options::kTaskManagerHost)}}),
        memory_(memory),
        own_metrics_(&metrics_, labels_),
        keyed_state_(StateOptions(config, memory_)) {
    ExportMemory(memory_, own_metrics_);
    keyed_state_.Export(own_metrics_);
  }
  ~Process() override { Stop(); }

  Status Initialize() {
    WS_ASSIGN_OR_RETURN(temporary_,
                        TemporaryDirectory::Make(config_.Get(options::kTemporaryDirs), id_));
    MakeNetwork();
    MakeTasks();
    WS_RETURN_IF_ERROR(MakeConnection());
    WS_ASSIGN_OR_RETURN(
        rpc_,
        StartServer(config_.Get(options::kTaskManagerBindHost),
                    config_.Get(options::kTaskManagerRpcPort),
                    options::kTaskManagerRpcPort.definition.key, [&](grpc::ServerBuilder& builder) {
                      LimitMemory(builder, config_.Get(options::kRpcServerMemory));
                      builder.RegisterService(service_.get());
                      builder.RegisterService(exchange_.get());
                      builder.RegisterService(&log_service_);
                    }));
    const PortRange ports = config_.Get(options::kPrometheusPort);
    WS_ASSIGN_OR_RETURN(
        exporter_, PrometheusExporter::Start(metrics_, config_.Get(options::kPrometheusBindHost),
                                             fmt::format("{}-{}", ports.first, ports.last)));
    Register();
    return Ok();
  }

  void Stop() override {
    if (std::exchange(stopped_, true)) return;
    AwaitEvacuation();
    EndTasks();
    FlushReports();
    Close();
  }
  void Abandon() override {
    if (std::exchange(stopped_, true)) return;
    calls_->CancelAndWait();
    EndTasks();
    Close();
  }

  const std::string& id() const override { return id_; }
  std::string log_name() const override { return "taskmanager " + id_; }
  std::map<std::string, int> ports() const override {
    return {{"rpc", rpc_.port}, {"metrics", exporter_->port()}};
  }
  MetricRegistry& metrics() override { return metrics_; }
  std::string Listening() const override {
    return fmt::format("id {}, rpc {}, metrics http://{}/metrics", id_,
                       JoinHostPort(config_.Get(options::kTaskManagerBindHost), rpc_.port),
                       JoinHostPort(config_.Get(options::kPrometheusBindHost), exporter_->port()));
  }

 private:
  void MakeNetwork() {
    auto context = std::make_shared<NetworkContext>();
    context->task_manager_id = id_;
    context->memory = &memory_;
    context->channel_capacity_bytes = config_.Get(options::kNetworkMemoryPerChannel);
    context->bytes_out = &own_metrics_.counter(metric_names::kNetworkSentBytes);
    context->bytes_in = &own_metrics_.counter(metric_names::kNetworkReceivedBytes);
    context->frames_out = &own_metrics_.counter(metric_names::kNetworkSentFrames);
    context->frames_in = &own_metrics_.counter(metric_names::kNetworkReceivedFrames);
    context->on_failure = [this](const ChannelKey& key, ChannelEnd end, const Error& error) {
      tasks_->ReportFailure(key, end, error);
    };
    auto receivers = std::make_shared<ReceiverRegistry>(context);
    exchange_ = std::make_unique<DataExchangeService>(context, receivers);
    channels_ = std::make_unique<NetworkChannelProvider>(context, receivers);
  }

  void MakeTasks() {
    TaskExecutorServices services;
    services.executor = &loop_;
    services.reaper = &reaper_;
    services.channels = channels_.get();
    services.environment.clock = &SystemClock();
    services.environment.options.auto_watermark_interval_ms =
        config_.Get(options::kAutoWatermarkInterval).count();
    services.environment.connectors = &connectors_;
    services.environment.metrics = &metrics_;
    services.environment.metric_labels = labels_;
    services.environment.keyed_state = &keyed_state_;
    services.environment.memory = &memory_;
    services.environment.snapshot_io = &snapshot_io_;
    services.environment.temporary_directory = temporary_->path();
    services.environment.is_wanted = [this](const JobId& job, Attempt attempt) {
      return AskIfWanted(job, attempt);
    };
    services.on_report = [this](v1::SubtaskReport report) {
      connection_->Report(std::move(report));
    };
    services.on_checkpoint_report = [this](v1::ReportCheckpointRequest report) {
      connection_->Report(std::move(report));
    };
    services.on_idle = [this] { Wake(); };
    tasks_ = std::make_unique<TaskExecutor>(std::move(services));
    control_ = std::make_unique<TaskManagerControl>(
        TaskManagerControlParts{&loop_, tasks_.get(), &discovery_, &snapshot_io_, &connectors_,
                                &SystemClock(), &metrics_, temporary_->path(), nullptr});
    service_ = std::make_unique<TaskManagerServiceHandler>(&loop_, control_.get());
  }

  // On the thread of a sink's calls, which may outlive the answer.
  Result<bool> AskIfWanted(const JobId& job, Attempt attempt) {
    const auto told = std::make_shared<std::promise<Result<bool>>>();
    std::future<Result<bool>> answer = told->get_future();
    loop_.Post([connection = connection_, job, attempt, told] {
      connection->AskIfWanted(job, attempt,
                              [told](Result<bool> wanted) { told->set_value(std::move(wanted)); });
    });
    if (answer.wait_for(kAnswerGrace) == std::future_status::ready) return answer.get();
    return TransientError("whether attempt {} of job {} still counts is not known: no answer",
                          attempt.value, job.hex);
  }

  // Before the server starts: whoever calls it may cause reports.
  Status MakeConnection() {
    WS_ASSIGN_OR_RETURN(const std::vector<std::string> addresses, JobManagers());
    JobManagerCallbacks callbacks;
    callbacks.fill_registration = [this](v1::RegisterTaskManagerRequest& request) {
      for (v1::RunningAttempt& attempt : tasks_->RunningAttempts()) {
        *request.add_running() = std::move(attempt);
      }
    };
    callbacks.fill_heartbeat = [this](v1::HeartbeatRequest& request) {
      backend_memory_.Set(keyed_state_.backend_memory_bytes());
      request.set_free_memory_bytes(FreeMemoryBytes());
      request.set_resident_memory_bytes(ResidentMemoryBytes());
      *request.mutable_memory() = UsageOf(memory_);
      for (v1::SubtaskReport& report : tasks_->Reports()) *request.add_tasks() = std::move(report);
      request.set_leaving(leaving_);
    };
    callbacks.on_registered = [this](LeaderEpoch epoch, bool without_log) {
      control_->OnRegistered(epoch, without_log);
    };
    callbacks.on_detached = [this] {
      if (leaving_) Wake();
    };
    callbacks.on_stale = [this](const JobId& job, Attempt attempt) {
      tasks_->Cancel(job, attempt);
    };
    connection_ = std::make_shared<JobManagerConnection>(
        MakeGrpcJobManagerGateway(addresses, calls_), &loop_, std::move(callbacks),
        config_.Get(options::kHeartbeatTimeout));
    return Ok();
  }
  Result<std::vector<std::string>> JobManagers() const {
    const std::string& several = config_.Get(options::kJobManagerRpcAddresses);
    if (several.empty()) {
      return std::vector{JoinHostPort(config_.Get(options::kJobManagerRpcAddress),
                                      config_.Get(options::kJobManagerRpcPort).first)};
    }
    auto addresses = ParseAddresses(several);
    if (addresses) return addresses;
    return tl::make_unexpected(std::move(addresses).error().Within(
        std::string(options::kJobManagerRpcAddresses.definition.key)));
  }
  void Register() {
    v1::RegisterTaskManagerRequest self;
    self.set_task_manager_id(id_);
    self.set_address(JoinHostPort(config_.Get(options::kTaskManagerHost), rpc_.port));
    self.set_slots(static_cast<int32_t>(config_.Get(options::kTaskManagerSlots)));
    self.set_cpu_cores(CpuCores());
    self.set_physical_memory_bytes(PhysicalMemoryBytes());
    self.set_managed_memory_bytes(memory_.limits().of(MemoryShare::kState));
    self.set_process_memory_bytes(memory_.limits().process_bytes);
    self.set_pid(::getpid());
    loop_.Post([connection = connection_, self] { connection->Start(self); });
  }

  // The JobManager is asked to take its tasks from it, if there is one to ask.
  void AwaitEvacuation() {
    const auto timeout = config_.Get(options::kTaskManagerShutdownTimeout);
    if (connection_ == nullptr || timeout.count() == 0) return;
    const bool gone = AwaitIdle(timeout, [this] {
      leaving_ = true;
      if (!connection_->registered()) return Wake();
      if (!tasks_->idle()) LogInfo("waiting for the tasks to move");
      connection_->Announce();
    });
    if (!gone) LogWarn("the tasks have not moved within {}", FormatDuration(timeout));
  }
  void EndTasks() {
    if (connection_ == nullptr) return;  // the start failed
    const bool idle = AwaitIdle(kTasksGrace, [this] {
      connection_->Leave();
      tasks_->FailAll(
          {ErrorDomain::kExternal, true, fmt::format("TaskManager {} is shutting down", id_)});
    });
    if (!idle) LogError("some tasks do not end");
  }
  // Runs `act` on the loop, and waits until no task is left or Wake is called; false: not in time.
  bool AwaitIdle(std::chrono::milliseconds timeout, const std::function<void()>& act) {
    auto over = std::make_shared<std::promise<void>>();
    loop_.Post([this, over, act] {
      wake_ = [over] { over->set_value(); };
      act();
      if (tasks_->idle()) Wake();
    });
    return over->get_future().wait_for(timeout) == std::future_status::ready;
  }
  void Wake() {
    if (const auto wake = std::exchange(wake_, nullptr)) wake();
  }
  void FlushReports() {
    if (connection_ == nullptr) return;  // the start failed
    const auto deadline = std::chrono::steady_clock::now() + kReportsGrace;
    bool flushed = false;
    while (!flushed && std::chrono::steady_clock::now() < deadline) {
      if (!loop_.RunAndWait([&] { flushed = connection_->flushed(); })) {
        return;
      }
      if (!flushed) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  void Close() {
    calls_->CancelAndWait();
    discovery_.Stop();
    snapshot_io_.Stop();
    if (channels_ != nullptr) channels_->Shutdown();
    if (rpc_.server != nullptr) {
      rpc_.server->Shutdown(std::chrono::system_clock::now() + kServerGrace);
      rpc_.server->Wait();
    }
    reaper_.Stop();
    loop_.Stop();
    exporter_.reset();
    rpc_.server.reset();
  }

  const Config config_;
  const ConnectorFactory& connectors_;
  const std::string id_;
  const MetricLabels labels_;
  MetricRegistry metrics_;
  MemoryAccount memory_;  // outlives all that counts in it
  MetricGroup own_metrics_;
  KeyedStateFactory keyed_state_;
  // The loop's: RocksDB does not tell, so it is asked from time to time.
  MemoryReservation backend_memory_{&memory_, MemoryShare::kState};
  // Tasks refer to them, also one that does not end in time. Close has stopped their threads before
  // anything goes.
  EventLoop reaper_{"reaper"};
  EventLoop loop_{"taskmanager"};
  WorkerPool discovery_{"discovery", kDiscoveryThreads};
  WorkerPool snapshot_io_{"snapshot-io", kSnapshotThreads};
  std::unique_ptr<TemporaryDirectory> temporary_;
  std::unique_ptr<DataExchangeService> exchange_;
  std::unique_ptr<NetworkChannelProvider> channels_;
  const std::shared_ptr<PendingCalls> calls_ = std::make_shared<PendingCalls>();
  std::unique_ptr<TaskExecutor> tasks_;
  std::unique_ptr<TaskManagerControl> control_;
  std::unique_ptr<TaskManagerServiceHandler> service_;
  LogServiceHandler log_service_;
  std::shared_ptr<JobManagerConnection> connection_;
  // The loop's.
  bool leaving_ = false;  // waits for its tasks to move
  std::function<void()> wake_;
  BoundServer rpc_;
  std::unique_ptr<PrometheusExporter> exporter_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<TaskManagerProcess>> TaskManagerProcess::Start(
    const Config& config, const ConnectorFactory& connectors) {
  WS_ASSIGN_OR_RETURN(const MemoryLimits memory, MemoryLimitsFrom(config));
  auto process = std::make_unique<Process>(config, memory, connectors);
  WS_RETURN_IF_ERROR(process->Initialize());
  return process;
}

}  // namespace watershed
