#include "tests/sim/task_manager.h"

#include <utility>

#include "tests/sim/gateways.h"
#include "tests/sim/observer.h"
#include "tests/sim/stepped_task.h"

namespace watershed::sim {

TaskManager::TaskManager(Cluster* cluster, const MachineClock* clock, std::string name)
    : cluster_(cluster),
      process_(std::make_shared<Process>(&cluster->schedule(), clock, std::move(name))),
      executor_(process_.get()),
      reaper_(process_.get()),
      io_(process_.get(), [cluster] { return cluster->IoLatency(); }),
      sinks_(process_.get(), [cluster] { return cluster->IoLatency(); }),
      directory_(cluster->directory() + "/" + process_->name()),
      own_metrics_(&metrics_, {}),
      keyed_state_({.backend = StateBackendKind::kHashMap,
                    .cache_bytes = cluster->settings().state_cache_bytes}) {
  MakeNetwork();
  MakeTasks();
  MakeConnection();
}

TaskManager::~TaskManager() {
  cluster_->outside().client_dies = true;
  sinks_.FinishSome();
  cluster_->outside().client_dies = false;
  process_->Kill();
  cluster_->network().OnKilled(process_);
  executor_.Clear();
  reaper_.Clear();
  channels_->Shutdown();
  tasks_.reset();
  executor_.Clear();
}

void TaskManager::MakeNetwork() {
  auto context = std::make_shared<NetworkContext>();
  context->task_manager_id = process_->name();
  context->channel_capacity_bytes = cluster_->settings().channel_capacity_bytes;
  context->bytes_out = &own_metrics_.counter("bytes_out");
  context->bytes_in = &own_metrics_.counter("bytes_in");
  context->frames_out = &own_metrics_.counter("frames_out");
  context->frames_in = &own_metrics_.counter("frames_in");
  context->on_failure = [this](const ChannelKey& key, ChannelEnd end, const Error& error) {
    tasks_->ReportFailure(key, end, error);
  };
  auto receivers = std::make_shared<ReceiverRegistry>(context);
  Network& network = cluster_->network();
  network.Listen(process_);
  network.Listen(StreamEndpoint{process_, context, receivers});
  channels_ =
      std::make_unique<NetworkChannelProvider>(context, receivers, network.StreamsOf(process_));
}

void TaskManager::MakeTasks() {
  TaskExecutorServices services;
  services.executor = &executor_;
  services.reaper = &reaper_;
  services.channels = channels_.get();
  services.environment.clock = &process_->clock();
  services.environment.options = cluster_->settings().tasks;
  services.environment.connectors = &cluster_->connectors();
  services.environment.metrics = &metrics_;
  services.environment.keyed_state = &keyed_state_;
  services.environment.snapshot_io = &io_;
  services.environment.temporary_directory = directory_;
  services.environment.make_sink_runner = [this] { return sinks_.Make(); };
  services.make_task = [this](TaskSpec spec, const TaskEnvironment& environment) {
    return SteppedTask::Create(process_.get(), &cluster_->observer(), std::move(spec), environment);
  };
  services.make_unique = [this] { return cluster_->MakeId(); };
  services.on_report = [this](v1::SubtaskReport report) { connection_->Report(std::move(report)); };
  services.on_checkpoint_report = [this](v1::ReportCheckpointRequest report) {
    cluster_->observer().OnTaskAnswer(report);
    connection_->Report(std::move(report));
  };
  tasks_ = std::make_unique<TaskExecutor>(std::move(services));
  control_ = std::make_unique<TaskManagerControl>(TaskManagerControlParts{
      &executor_, tasks_.get(), &io_, &io_, &cluster_->connectors(), &process_->clock(), &metrics_,
      directory_, [this](const std::string& uri) { return cluster_->OpenStorage(uri); }});
}

void TaskManager::MakeConnection() {
  JobManagerCallbacks callbacks;
  callbacks.fill_registration = [this](v1::RegisterTaskManagerRequest& request) {
    for (v1::RunningAttempt& attempt : tasks_->RunningAttempts()) {
      *request.add_running() = std::move(attempt);
    }
  };
  callbacks.fill_heartbeat = [this](v1::HeartbeatRequest& request) {
    for (v1::SubtaskReport& report : tasks_->Reports()) *request.add_tasks() = std::move(report);
  };
  callbacks.on_registered = [this](LeaderEpoch epoch, bool without_log) {
    control_->OnRegistered(epoch, without_log);
  };
  callbacks.on_stale = [this](const JobId& job, Attempt attempt) { tasks_->Cancel(job, attempt); };
  connection_ = std::make_shared<JobManagerConnection>(MakeJobManagerGateway(cluster_, process_),
                                                       &executor_, std::move(callbacks),
                                                       cluster_->settings().heartbeat_timeout);
  v1::RegisterTaskManagerRequest self;
  self.set_task_manager_id(process_->name());
  self.set_address(process_->name());
  self.set_slots(cluster_->settings().slots);
  executor_.Post([this, self] { connection_->Start(self); });
}

}  // namespace watershed::sim
