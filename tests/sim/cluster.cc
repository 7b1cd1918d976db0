#include "tests/sim/cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "tests/sim/job_manager.h"
#include "tests/sim/observer.h"
#include "tests/sim/task_manager.h"

namespace watershed::sim {
namespace {

// How often, in thousandths, a JobManager begins on the other machine.
constexpr int kOtherMachine = 300;

// Of this run of this process, so that runs beside each other do not meet. In memory if there is a
// place for it: tasks make and remove folders all the time.
std::string NewDirectory() {
  static int number = 0;
  const std::filesystem::path in_memory = "/dev/shm";
  std::error_code ignored;
  const bool has_memory = std::filesystem::is_directory(in_memory, ignored);
  return ((has_memory ? in_memory : std::filesystem::temp_directory_path()) /
          fmt::format("watershed-sim-{}-{}", ::getpid(), ++number))
      .string();
}

std::vector<MachineClock> ClocksOf(const Schedule* schedule, const ClusterSettings& settings) {
  std::vector<MachineClock> clocks;
  for (int i = 0; i < Cluster::machines(settings); ++i) {
    const bool is_wrong = static_cast<size_t>(i) < settings.clocks.size();
    clocks.emplace_back(schedule,
                        is_wrong ? settings.clocks[static_cast<size_t>(i)] : ClockError{});
  }
  return clocks;
}

}  // namespace

Cluster::Cluster(Schedule* schedule, Outside* outside, Observer* observer,
                 const ClusterSettings& settings)
    : schedule_(schedule),
      outside_(outside),
      observer_(observer),
      settings_(settings),
      directory_(NewDirectory()),
      clocks_(ClocksOf(schedule, settings)),
      network_(schedule),
      connectors_(MakeConnectors(outside)),
      log_(std::make_shared<FaultyStorage>(&clock_of_storage(), "memory://log")),
      task_managers_(static_cast<size_t>(settings.task_managers)) {}

Cluster::~Cluster() {
  for (int i = 0; i < settings_.task_managers; ++i) KillTaskManager(i);
  KillJobManager();
  standby_.reset();
  former_job_managers_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Cluster::StartJobManager() {
  if (schedule_->random().Chance(kOtherMachine)) job_manager_machine_ ^= 1;
  standby_ = std::make_unique<JobManager>(this);
  if (settings_.lease.count() > 0) return standby_->StandBy();
  OnLeads(standby_->Lead(std::nullopt).has_value());
}

void Cluster::OnLeads(bool leads) {
  if (!leads) return standby_.reset();
  if (job_manager_ != nullptr) former_job_managers_.push_back(std::move(job_manager_));
  job_manager_ = std::move(standby_);
}

void Cluster::StartTaskManager(int index) {
  task_managers_[static_cast<size_t>(index)] = std::make_unique<TaskManager>(
      this, &clock_of_task_manager(index), fmt::format("tm{}-{}", index, ++incarnations_));
}

void Cluster::KillJobManager() { job_manager_.reset(); }

void Cluster::LoseJobManager(nanoseconds duration) {
  // Long enough for another one to lead, if that finds the log.
  job_manager_->process()->Freeze(std::max<nanoseconds>(duration, 2 * settings_.lease));
  for (const auto& task_manager : task_managers_) {
    if (task_manager == nullptr) continue;
    network_.Cut(task_manager->process()->name(), job_manager_->process()->name());
  }
  former_job_managers_.push_back(std::move(job_manager_));
  job_manager_machine_ ^= 1;
}

void Cluster::BuryFormerJobManagers() {
  std::erase_if(former_job_managers_, [](const auto& former) { return former->failed(); });
  // Nobody has led since: it leads still.
  if (job_manager_ != nullptr || standby_ == nullptr || former_job_managers_.empty()) return;
  if (former_job_managers_.back()->process()->frozen()) return;
  job_manager_ = std::move(former_job_managers_.back());
  former_job_managers_.pop_back();
}

JobManager* Cluster::FindJobManager(const ProcessPtr& process) {
  if (job_manager_ != nullptr && job_manager_->process() == process) return job_manager_.get();
  for (const auto& former : former_job_managers_) {
    if (former->process() == process) return former.get();
  }
  return nullptr;
}

void Cluster::KillTaskManager(int index) { task_managers_[static_cast<size_t>(index)].reset(); }

TaskManager* Cluster::FindTaskManager(const std::string& name) {
  for (const auto& task_manager : task_managers_) {
    if (task_manager != nullptr && task_manager->process()->name() == name) {
      return task_manager.get();
    }
  }
  return nullptr;
}

Result<std::shared_ptr<ObjectStorage>> Cluster::OpenStorage(const std::string& uri) {
  std::shared_ptr<FaultyStorage>& storage = storages_[uri];
  if (storage == nullptr) {
    storage = std::make_shared<FaultyStorage>(&clock_of_storage(), uri);
    storage->SetFaults([faults = faults_](const StorageCall& call) {
      return *faults ? (*faults)(call) : StorageFault::kNone;
    });
  }
  return BehindDisk(storage);
}

std::shared_ptr<ObjectStorage> Cluster::BehindDisk(const std::shared_ptr<FaultyStorage>& storage) {
  if (!settings_.has_disks) return storage;
  std::shared_ptr<StorageOnDisk>& disk = disks_[storage->uri()];
  if (disk == nullptr) {
    disk = std::make_shared<StorageOnDisk>(storage,
                                           fmt::format("{}/disk{}", directory_, disks_.size()));
  }
  return disk;
}

void Cluster::LosePower() {
  for (int i = 0; i < settings_.task_managers; ++i) KillTaskManager(i);
  KillJobManager();
  standby_.reset();
  former_job_managers_.clear();
  for (const auto& [uri, disk] : disks_) {
    for (const std::string& name : disk->LosePower()) {
      observer_->Violate("durable-lost", fmt::format("{}/{} did not outlive the power", uri, name));
    }
  }
}

std::optional<std::string> Cluster::Peek(const std::string& uri, const std::string& name) {
  const auto storage = storages_.find(uri);
  if (storage == storages_.end()) return std::nullopt;
  StorageFaults faults = std::exchange(*faults_, nullptr);
  Result<std::optional<std::string>> bytes = storage->second->Get(name);
  *faults_ = std::move(faults);
  return bytes ? *std::move(bytes) : std::nullopt;
}

void Cluster::SetStorageFaults(StorageFaults faults) { *faults_ = std::move(faults); }

nanoseconds Cluster::IoLatency() {
  const nanoseconds latency = schedule_->random().Between(microseconds(20), settings_.longest_io);
  return slow_io_ ? 30 * latency : latency;
}

std::string Cluster::MakeId() { return fmt::format("{:032x}", ++ids_); }

}  // namespace watershed::sim
