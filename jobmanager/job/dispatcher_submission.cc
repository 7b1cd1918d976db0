// How jobs come to a Dispatcher: by a client, or from what an earlier JobManager stored.
#include <algorithm>
#include <utility>

#include "jobmanager/job/dispatcher.h"
#include "jobmanager/store/stored_state.h"
#include "runtime/logging/log.h"
#include "runtime/types/random_hex.h"

namespace watershed {
namespace {

constexpr std::chrono::seconds kEntryIsSlow{5};

}  // namespace

JobServices Dispatcher::ServicesOfJobs() {
  JobServices services;
  services.executor = executor_;
  services.clock = clock_;
  services.cluster = this;
  services.leader_epoch = leader_epoch_;
  services.checkpoint_directory = settings_.jobs.checkpoint_directory;
  services.io = services_.io;
  services.open_storage = services_.open_storage;
  return services;
}

std::string Dispatcher::MakeId() const {
  return services_.make_id ? services_.make_id() : RandomHex();
}

void Dispatcher::Store(v1::LogEntry entry, std::function<void()> stored) {
  if (has_released_) return;
  ++entries_appended_;
  append_times_.push_back(clock_->Steady());
  services_.store->Append(std::move(entry), [this, alive = std::weak_ptr(alive_),
                                             stored = std::move(stored)](const Status& status) {
    if (alive.expired() || has_failed_) return;
    if (status) {
      ++entries_stored_;
      append_times_.pop_front();
      stored();
      AnswerTheStored();
      return;
    }
    has_failed_ = true;
    if (services_.on_fatal) services_.on_fatal(status.error());
  });
}

std::string Dispatcher::store_trouble() const {
  if (append_times_.empty()) return "";
  const auto waits =
      std::chrono::floor<std::chrono::seconds>(clock_->Steady() - append_times_.front());
  if (waits < kEntryIsSlow) return "";
  return fmt::format(
      "an entry of the JobManager's log is not durable after {} s, and {} wait for it: can "
      "high-availability.storageDir be written?",
      waits.count(), append_times_.size() - 1);
}

void Dispatcher::WhenStored(std::function<void()> done) {
  when_stored_.emplace_back(entries_appended_, std::move(done));
  AnswerTheStored();
}

void Dispatcher::AnswerTheStored() {
  while (!has_failed_ && !when_stored_.empty() && when_stored_.front().first <= entries_stored_) {
    const std::function<void()> done = std::move(when_stored_.front().second);
    when_stored_.pop_front();
    done();
  }
}

void Dispatcher::Submit(const v1::SubmitJobRequest& request,
                        std::function<void(Result<JobId>)> done) {
  v1::StoredJob job;
  job.mutable_submission()->set_job_id(MakeId());
  *job.mutable_submission()->mutable_graph() = request.graph();
  Fix(settings_.jobs, *job.mutable_submission()->mutable_graph());
  job.set_submitted_time_ms(clock_->NowMs());
  if (!request.restore_path().empty()) {
    return SubmitFrom(std::move(job), request, std::move(done));
  }
  job.mutable_submission()->set_lineage(MakeId());
  Result<JobDescription> described = Describe(job, settings_.jobs);
  if (!described) return done(tl::make_unexpected(std::move(described).error()));
  StoreSubmission(std::move(*described), std::move(done));
}

void Dispatcher::SubmitFrom(v1::StoredJob job, const v1::SubmitJobRequest& request,
                            std::function<void(Result<JobId>)> done) {
  *job.mutable_submission()->mutable_restore_options() = request.restore_options();
  job.mutable_submission()->mutable_restore_from();  // to be found; the cluster must be able to
  Result<JobDescription> described = Describe(job, settings_.jobs);
  if (!described) return done(tl::make_unexpected(std::move(described).error()));
  services_.io->Run([this, alive = std::weak_ptr(alive_), executor = executor_,
                     open = services_.open_existing, path = request.restore_path(),
                     done = std::move(done), described = std::move(*described)]() mutable {
    Result<NamedCheckpoint> named = OpenNamedCheckpoint(
        open, path, described.plan, described.stored.submission().restore_options());
    executor->Post([this, alive, named = std::move(named), done = std::move(done),
                    described = std::move(described)]() mutable {
      if (alive.expired()) return;
      if (!named) return done(tl::make_unexpected(std::move(named).error()));
      v1::SubmissionEntry* submission = described.stored.mutable_submission();
      const bool is_fork = submission->restore_options().fork();
      submission->set_lineage(is_fork ? MakeId() : named->lineage);
      *submission->mutable_restore_from() = named->checkpoint.ref;
      submission->set_restore_directory(named->checkpoint.directory);
      described.attempts_used = named->attempt;
      described.checkpoints_used = CheckpointId{named->checkpoint.ref.checkpoint_id()};
      for (const auto& other : jobs_) {
        if (other->lineage() != named->lineage) continue;
        described.attempts_used = std::max(described.attempts_used, other->attempt());
        described.checkpoints_used =
            std::max(described.checkpoints_used, other->checkpoints_used());
      }
      submission->set_attempts_used(described.attempts_used.value);
      submission->set_checkpoints_used(described.checkpoints_used.value);
      StoreSubmission(std::move(described), std::move(done));
    });
  });
}

void Dispatcher::StoreSubmission(JobDescription job, std::function<void(Result<JobId>)> done) {
  v1::LogEntry entry;
  *entry.mutable_submission() = job.stored.submission();
  Store(std::move(entry), [this, job = std::move(job), done = std::move(done)]() mutable {
    JobMaster* added = AddJob(std::move(job));
    const ScopedLogFields fields({.job = added->id().hex});
    LogInfo("job '{}' submitted as {}", added->name(), added->id().hex);
    added->Advance();
    OnJobChanged();
    done(added->id());
  });
}

std::vector<std::string> Dispatcher::WarningsOf(const JobId& id) const {
  std::vector<std::string> warnings;
  const JobMaster* const job = Find(id.hex);
  if (job == nullptr) return warnings;
  for (const auto& other : jobs_) {
    if (other.get() == job || other->ended() || other->name() != job->name()) continue;
    warnings.push_back(fmt::format("another job '{}' has not ended: {}; name them by their ids",
                                   job->name(), other->id().hex));
    break;
  }
  if (!job->has_interval()) {
    warnings.push_back(fmt::format(
        "job '{}' takes no checkpoints, since its file has no 'checkpointing: {{ interval: … }}': "
        "unless its input ends, it cannot be stopped with a savepoint, and after a failure it does "
        "not go on where it was",
        job->name()));
  }
  return warnings;
}

JobMaster* Dispatcher::AddJob(JobDescription job) {
  auto added = std::make_shared<JobMaster>(std::move(job), ServicesOfJobs());
  jobs_.push_back(added);
  if (!added->ended()) {
    job_metrics_[added->id()] = std::make_unique<JobMetrics>(
        services_.metrics, services_.metric_labels, clock_, added->id(), added->name());
  }
  return added.get();
}

void Dispatcher::Lead(const v1::StoredState& stored) {
  leader_epoch_ = LeaderEpoch{stored.leader_epoch()};
  std::vector<const v1::StoredJob*> ended;
  for (const v1::StoredJob& job : stored.jobs()) {
    const JobMaster* added = AddJob(DescribeRecovered(job, settings_.jobs));
    if (added->ended()) {
      ended.push_back(&job);
    } else {
      const ScopedLogFields fields({.job = added->id().hex});
      LogInfo("job '{}' ({}) is taken over", added->name(), added->id().hex);
    }
  }
  std::ranges::sort(ended, {}, [](const v1::StoredJob* job) { return EndOrder(*job); });
  for (const v1::StoredJob* job : ended) ended_.push_back(JobId{job->submission().job_id()});
  DropOldestEnded();
  executor_->Post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    AdvanceWaitingJobs();
    LoseTheSilent();
    RenewLease();
  });
  executor_->PostAfter(settings_.heartbeat_timeout, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    const auto jobs = jobs_;
    for (const auto& job : jobs) job->EndReconciling();
  });
}

}  // namespace watershed
