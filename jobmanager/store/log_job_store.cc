#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "jobmanager/store/job_store.h"
#include "jobmanager/store/numbered_log.h"
#include "jobmanager/store/stored_log.h"
#include "jobmanager/store/stored_state.h"
#include "runtime/logging/log.h"
#include "runtime/types/kill_point.h"

namespace watershed {
namespace {

// How often the log's end may be taken from under a new leader before it says so.
constexpr int kLeaderTries = 100;

// The log and the state it adds up to: what work on `io` uses, one piece at a time.
class Ledger {
 public:
  Ledger(std::shared_ptr<ObjectStorage> storage, const LogJobStoreOptions& options)
      : log_(std::move(storage), options.writer_id),
        snapshot_every_(options.snapshot_every),
        successor_of_(options.successor_of) {}

  Result<v1::StoredState> BecomeLeader(const v1::LeaderEntry& self, int64_t time_ms) {
    for (int i = 0; i < kLeaderTries; ++i) {
      WS_RETURN_IF_ERROR(Load());
      if (successor_of_ && *successor_of_ != state_.leader_epoch()) {
        return TransientError("another JobManager, of leader epoch {}, was quicker to lead",
                              state_.leader_epoch());
      }
      v1::LogEntry entry;
      entry.set_format_version(kLogEntryVersion);
      entry.set_leader_epoch(state_.leader_epoch() + 1);
      entry.set_time_ms(time_ms);
      *entry.mutable_leader() = self;
      WS_RETURN_IF_ERROR(Apply(state_, entry));
      WS_ASSIGN_OR_RETURN(const bool leads, log_.Append(entry.SerializeAsString(), false));
      if (leads) return state_;
    }
    return TransientError(
        "every entry that would make this JobManager the leader was overtaken by "
        "another's ({}): end one of the two",
        log_.UriOf(log_.next_number()));
  }

  // After an error nothing is stored any more.
  Status Store(const v1::LogEntry& entry) {
    if (failure_) failure_ = TryStore(entry);
    return failure_;
  }

  // When it is time, sums up the log in an entry of its own. The next Store tells of an error.
  void SumUp(int64_t time_ms) {
    if (!failure_ || entries_since_snapshot_ < snapshot_every_) return;
    v1::LogEntry entry;
    entry.set_format_version(kLogEntryVersion);
    entry.set_leader_epoch(state_.leader_epoch());
    entry.set_time_ms(time_ms);
    *entry.mutable_snapshot() = state_;
    failure_ = AppendToLog(entry);
    if (!failure_) return;
    entries_since_snapshot_ = 0;
    if (const Status trimmed = log_.Trim(); !trimmed) {
      LogWarn("old entries of the log stay until the next try: {}", trimmed.error().message);
    }
  }

 private:
  Status Load() {
    WS_ASSIGN_OR_RETURN(StoredLog stored, ReadLog(log_));
    state_ = std::move(stored.state);
    entries_since_snapshot_ = stored.entries;
    return Ok();
  }

  Status TryStore(const v1::LogEntry& entry) {
    // First, so that an entry which nobody could read back is never written.
    WS_RETURN_IF_ERROR(Apply(state_, entry));
    Pass(KillPoint::kEntryPuts);
    WS_RETURN_IF_ERROR(AppendToLog(entry));
    Pass(KillPoint::kEntryIsDurable);
    ++entries_since_snapshot_;
    return Ok();
  }

  Status AppendToLog(const v1::LogEntry& entry) {
    const int64_t number = log_.next_number();
    WS_ASSIGN_OR_RETURN(const bool counts,
                        log_.Append(entry.SerializeAsString(), entry.has_snapshot()));
    if (counts) return Ok();
    return ExternalError(
        "another JobManager leads: entry {} or one after it is its own, so this "
        "one, of leader epoch {}, must end",
        log_.UriOf(number), state_.leader_epoch());
  }

  NumberedLog log_;
  const int snapshot_every_;
  const std::optional<int64_t> successor_of_;
  v1::StoredState state_;
  int entries_since_snapshot_ = 0;
  Status failure_;
};

// What the store and the work under way share.
struct Queue : std::enable_shared_from_this<Queue> {
  struct Pending {
    v1::LogEntry entry;
    std::function<void(Status)> done;
  };

  Queue(std::shared_ptr<ObjectStorage> storage, WorkRunner* work_runner, Executor* loop,
        const LogJobStoreOptions& options)
      : ledger(std::move(storage), options), io(work_runner), executor(loop) {}

  void Push(Pending pending) {
    const std::lock_guard lock(mutex);
    pending_entries.push_back(std::move(pending));
    if (!std::exchange(scheduled, true)) Schedule();
  }
  void Schedule() {
    io->Run([self = shared_from_this()] { self->Step(); });
  }
  void Step();

  Ledger ledger;
  WorkRunner* const io;
  Executor* const executor;
  std::mutex mutex;
  std::deque<Pending> pending_entries;
  bool scheduled = false;
  bool closed = false;  // the store is gone; set on the executor
};

void Queue::Step() {
  std::unique_lock lock(mutex);
  if (!pending_entries.empty()) {
    Pending pending = std::move(pending_entries.front());
    pending_entries.pop_front();
    lock.unlock();
    const int64_t time_ms = pending.entry.time_ms();
    executor->Post([self = shared_from_this(), result = ledger.Store(pending.entry),
                    done = std::move(pending.done)] {
      if (!self->closed) done(result);
    });
    ledger.SumUp(time_ms);
    lock.lock();
  }
  scheduled = !pending_entries.empty();
  if (scheduled) Schedule();
}

class LogJobStore final : public JobStore {
 public:
  LogJobStore(std::shared_ptr<ObjectStorage> storage, WorkRunner* io, Executor* executor,
              const Clock* clock, const LogJobStoreOptions& options)
      : queue_(std::make_shared<Queue>(std::move(storage), io, executor, options)), clock_(clock) {}

  ~LogJobStore() override {
    const std::lock_guard lock(queue_->mutex);
    queue_->closed = true;
    queue_->pending_entries.clear();
  }

  Result<v1::StoredState> BecomeLeader(const v1::LeaderEntry& self) override {
    auto state = queue_->ledger.BecomeLeader(self, clock_->NowMs());
    if (state) leader_epoch_ = state->leader_epoch();
    return state;
  }

  void Append(v1::LogEntry entry, std::function<void(Status)> done) override {
    entry.set_format_version(kLogEntryVersion);
    entry.set_leader_epoch(leader_epoch_);
    entry.set_time_ms(clock_->NowMs());
    queue_->Push({std::move(entry), std::move(done)});
  }

 private:
  const std::shared_ptr<Queue> queue_;
  const Clock* const clock_;
  int64_t leader_epoch_ = 0;
};

}  // namespace

std::unique_ptr<JobStore> MakeLogJobStore(std::shared_ptr<ObjectStorage> storage, WorkRunner* io,
                                          Executor* executor, const Clock* clock,
                                          const LogJobStoreOptions& options) {
  return std::make_unique<LogJobStore>(std::move(storage), io, executor, clock, options);
}

}  // namespace watershed
