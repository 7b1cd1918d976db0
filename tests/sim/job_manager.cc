#include "tests/sim/job_manager.h"

#include <utility>

#include "jobmanager/store/job_store.h"
#include "tests/sim/gateways.h"
#include "tests/sim/observer.h"

namespace watershed::sim {
namespace {

// The production store; the oracles see what has become durable.
class ObservedStore final : public JobStore {
 public:
  ObservedStore(std::unique_ptr<JobStore> store, Observer* observer)
      : store_(std::move(store)), observer_(observer) {}
  Result<v1::StoredState> BecomeLeader(const v1::LeaderEntry& self) override {
    auto state = store_->BecomeLeader(self);
    if (state) observer_->OnRecovered(*state);
    return state;
  }
  void Append(v1::LogEntry entry, std::function<void(Status)> done) override {
    store_->Append(entry, [observer = observer_, entry, done = std::move(done)](const Status& ok) {
      if (ok) observer->OnStored(entry);
      done(ok);
    });
  }

 private:
  const std::unique_ptr<JobStore> store_;
  Observer* const observer_;
};

DispatcherSettings SettingsOf(const ClusterSettings& cluster) {
  DispatcherSettings settings;
  settings.heartbeat_interval = cluster.heartbeat_interval;
  settings.heartbeat_timeout = cluster.heartbeat_timeout;
  settings.lease = cluster.lease;
  settings.jobs.max_parallelism = cluster.max_parallelism;
  settings.jobs.checkpoint_directory = Cluster::kCheckpointDirectory;
  settings.jobs.checkpoints = cluster.checkpoints;
  settings.jobs.adaptive = cluster.adaptive;
  settings.jobs.restarts_regions = true;
  return settings;
}

}  // namespace

JobManager::JobManager(Cluster* cluster)
    : cluster_(cluster),
      number_(cluster->NextJobManager()),
      process_(std::make_shared<Process>(&cluster->schedule(), &cluster->clock_of_job_manager(),
                                         kJobManagerName)),
      executor_(process_.get()),
      io_(process_.get(), [cluster] { return cluster->IoLatency(); }),
      log_io_(process_.get(), [cluster] { return cluster->IoLatency(); }),
      log_options_{.writer_id = process_->random().Next(),
                   .snapshot_every = cluster->settings().log_snapshot_every},
      leader_(cluster->log()) {}

void JobManager::Make(std::optional<int64_t> successor_of) {
  LogJobStoreOptions options = log_options_;
  options.successor_of = successor_of;
  dispatcher_.reset();
  store_ = std::make_unique<ObservedStore>(
      MakeLogJobStore(cluster_->log(), &log_io_, &executor_, &process_->clock(), options),
      &cluster_->observer());
  DispatcherServices services;
  services.executor = &executor_;
  services.clock = &process_->clock();
  services.store = store_.get();
  services.metrics = &metrics_;
  services.gateways = [this](const std::string& id, const std::string&) {
    return MakeTaskManagerGateway(cluster_, process_, id);
  };
  services.io = &io_;
  services.open_storage = [this](const std::string& uri) { return cluster_->OpenStorage(uri); };
  services.open_existing = services.open_storage;
  services.make_id = [this] { return cluster_->MakeId(); };
  services.on_fatal = [this](const Error&) { failed_ = true; };
  dispatcher_ = std::make_unique<Dispatcher>(SettingsOf(cluster_->settings()), std::move(services));
}

JobManager::~JobManager() {
  process_->Kill();
  cluster_->network().OnKilled(process_);
  executor_.Clear();
  dispatcher_.reset();
  store_.reset();
  executor_.Clear();
}

Status JobManager::Lead(std::optional<int64_t> successor_of) {
  Make(successor_of);
  v1::LeaderEntry self;
  self.set_lease_ms(cluster_->settings().lease.count());
  WS_ASSIGN_OR_RETURN(const v1::StoredState stored, store_->BecomeLeader(self));
  executor_.Post([this, stored] { dispatcher_->Lead(stored); });
  cluster_->network().Listen(process_);
  return Ok();
}

// As Standby does it (jobmanager/leadership), which blocks.
void JobManager::StandBy() {
  const auto sight = leader_.Look();
  if (!sight) watch_ = {};
  if (sight && watch_.MayLead(*sight, process_->clock().Steady()) && Lead(sight->leader_epoch)) {
    return cluster_->OnLeads(true);
  }
  executor_.PostAfter(cluster_->settings().lease / 8, [this] { StandBy(); });
}

}  // namespace watershed::sim
