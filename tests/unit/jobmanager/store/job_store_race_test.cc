// Several JobManagers on one store, stepped in random order over a storage with faults: whatever
// was told to be stored is in the state that the next leader begins with, in the order it was told,
// and nothing of a deposed one comes after its successor's leadership.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "jobmanager/store/job_store.h"
#include "runtime/logging/log.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/stepped_work_runner.h"
#include "tests/unit/jobmanager/stepped_executor.h"
#include "tests/unit/jobmanager/store/entries.h"

namespace watershed {
namespace {

class Cluster {
 public:
  explicit Cluster(uint64_t seed)
      : random_(seed), storage_(std::make_shared<FaultyStorage>(&clock_)) {
    storage_->SetFaults(
        [this, faults = SeededStorageFaults(seed, {.fail = 20, .full = 5, .outcome_unknown = 40})](
            const StorageCall& call) {
          Interrupt();
          return faults(call);
        });
    for (int i = 0; i < 3; ++i) StartManager(i);
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      busy_ = static_cast<int>(random_() % 3);
      Step(busy_);
    }
    storage_->SetFaults(nullptr);
    CheckAgainst(MakeLogJobStore(storage_, &io_, &clock_, &clock_, {.writer_id = 1'000'000})
                     ->BecomeLeader({})
                     .value());
  }
  int64_t stored() const { return stored_; }
  int64_t deposed() const { return deposed_; }

 private:
  struct Manager {
    std::unique_ptr<SteppedExecutor> executor = std::make_unique<SteppedExecutor>();
    std::unique_ptr<SteppedWorkRunner> io = std::make_unique<SteppedWorkRunner>();
    std::unique_ptr<JobStore> store;
    int64_t epoch = 0;  // 0: not a leader
  };

  void StartManager(int index) {
    Manager& manager = managers_[index];
    manager = Manager();
    manager.store = MakeLogJobStore(storage_, manager.io.get(), manager.executor.get(), &clock_,
                                    {.writer_id = ++last_writer_, .snapshot_every = 5});
  }

  // Between two calls of one manager's, another may do a whole step.
  void Interrupt() {
    if (is_interrupted_ || random_() % 5 != 0) return;
    is_interrupted_ = true;
    Step((busy_ + 1 + static_cast<int>(random_() % 2)) % 3);
    is_interrupted_ = false;
  }

  void Step(int index) {
    Manager& manager = managers_[index];
    const uint64_t what = random_() % 100;
    if (manager.epoch == 0) {
      // Seldom: or everybody would depose everybody before anything is stored.
      if (what < 10) Lead(manager);
    } else if (what < 3) {
      manager.store.reset();
      StartManager(index);  // killed and started again
    } else if (what < 50) {
      AppendTo(index);
    } else if (what < 80) {
      manager.io->Step();
    } else {
      manager.executor->RunAll();
    }
  }

  void Lead(Manager& manager) {
    const auto state = manager.store->BecomeLeader({});
    if (!state) return;  // the storage would not
    EXPECT_GT(state->leader_epoch(), last_epoch_);
    manager.epoch = last_epoch_ = state->leader_epoch();
    CheckAgainst(*state);
  }

  void AppendTo(int index) {
    const std::string job = fmt::format("{}-{}", managers_[index].epoch, ++last_job_);
    const int64_t epoch = managers_[index].epoch;
    managers_[index].store->Append(Submission(job),
                                   [this, index, job, epoch](const Status& status) {
                                     if (status) {
                                       told_.push_back(job);
                                       ++stored_;
                                       return;
                                     }
                                     ++deposed_;
                                     if (managers_[index].epoch == epoch)
                                       managers_[index].epoch = -1;  // ends, by and by
                                   });
  }

  // Everything that was told to be stored is there, once, in order; and leaders follow each other.
  void CheckAgainst(const v1::StoredState& state) const {
    std::vector<std::string> listed;
    int64_t epoch = 0;
    for (const v1::StoredJob& job : state.jobs()) {
      listed.push_back(job.submission().job_id());
      const int64_t of_job = std::stoll(listed.back());
      EXPECT_GE(of_job, epoch) << "an entry of a deposed leader came after its successor's";
      epoch = of_job;
    }
    for (const std::string& job : told_) {
      EXPECT_NE(std::find(listed.begin(), listed.end(), job), listed.end()) << job << " is lost";
    }
  }

  std::mt19937_64 random_;
  SteppedExecutor clock_;
  SteppedWorkRunner io_;
  const std::shared_ptr<FaultyStorage> storage_;
  std::map<int, Manager> managers_;
  std::vector<std::string> told_;
  int busy_ = 0;
  bool is_interrupted_ = false;
  uint64_t last_writer_ = 0;
  int64_t last_epoch_ = 0, last_job_ = 0, stored_ = 0, deposed_ = 0;
};

TEST(JobStoreRace, NothingThatWasToldIsLostAndNobodyWritesAfterItsDeposition) {
  InitializeLogging({.level = LogLevel::kError});  // trimming may fail, and says so
  int64_t stored = 0, deposed = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Cluster cluster(seed);
    cluster.Run(400);
    stored += cluster.stored();
    deposed += cluster.deposed();
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(stored, 3000);
  EXPECT_GT(deposed, 300);
}

}  // namespace
}  // namespace watershed
