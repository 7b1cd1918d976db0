#include <utility>

#include "jobmanager/store/job_store.h"
#include "jobmanager/store/stored_state.h"

namespace watershed {
namespace {

class MemoryJobStore final : public JobStore {
 public:
  MemoryJobStore(const Clock* clock, Executor* executor) : clock_(clock), executor_(executor) {}

  Result<v1::StoredState> BecomeLeader(const v1::LeaderEntry& self) override {
    v1::LogEntry entry;
    *entry.mutable_leader() = self;
    Stamp(clock_->NowMs(), &entry);
    WS_RETURN_IF_ERROR(Apply(state_, entry));
    return state_;
  }

  void Append(v1::LogEntry entry, std::function<void(Status)> done) override {
    Stamp(state_.leader_epoch(), &entry);
    if (result_) result_ = Apply(state_, entry);
    executor_->Post([done = std::move(done), result = result_, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) done(result);
    });
  }

 private:
  void Stamp(int64_t leader_epoch, v1::LogEntry* entry) const {
    entry->set_format_version(kLogEntryVersion);
    entry->set_leader_epoch(leader_epoch);
    entry->set_time_ms(clock_->NowMs());
  }

  const Clock* const clock_;
  Executor* const executor_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>();
  v1::StoredState state_;
  Status result_;  // of all entries so far
};

}  // namespace

std::unique_ptr<JobStore> MakeMemoryJobStore(const Clock* clock, Executor* executor) {
  return std::make_unique<MemoryJobStore>(clock, executor);
}

}  // namespace watershed
