#include "jobmanager/store/stored_state.h"

#include <algorithm>
#include <set>
#include <utility>

namespace watershed {
namespace {

Status ApplyLeader(v1::StoredState& state, const v1::LogEntry& entry) {
  if (entry.leader_epoch() <= state.leader_epoch()) {
    return InternalError("leader epoch {} follows {}: epochs only rise", entry.leader_epoch(),
                         state.leader_epoch());
  }
  state.set_leader_epoch(entry.leader_epoch());
  *state.mutable_leader() = entry.leader();
  for (v1::StoredJob& job : *state.mutable_jobs()) {
    if (!job.has_end()) job.set_leaders(job.leaders() + 1);
  }
  return Ok();
}

Status ApplySubmission(v1::StoredState& state, const v1::LogEntry& entry) {
  const v1::SubmissionEntry& submission = entry.submission();
  if (FindStoredJob(state, submission.job_id()) != nullptr) {
    return InternalError("job {} is submitted twice", submission.job_id());
  }
  v1::StoredJob* job = state.add_jobs();
  *job->mutable_submission() = submission;
  job->set_submitted_time_ms(entry.time_ms());
  return Ok();
}

// An entry that was written before another one's end was known may say less.
void Raise(const v1::CheckpointCounts& to, v1::CheckpointCounts* counts) {
  counts->set_triggered(std::max(counts->triggered(), to.triggered()));
  counts->set_completed(std::max(counts->completed(), to.completed()));
  counts->set_failed(std::max(counts->failed(), to.failed()));
  counts->set_restored(std::max(counts->restored(), to.restored()));
}

Status ApplySplits(v1::StoredJob& job, const v1::SplitsEntry& splits) {
  for (v1::SplitsEntry& known : *job.mutable_splits()) {
    if (known.vertex_id() != splits.vertex_id()) continue;
    known = splits;
    return Ok();
  }
  *job.add_splits() = splits;
  return Ok();
}

// All tasks begin anew, region by region.
void StartAll(v1::StoredJob& job, int32_t first, int32_t last) {
  job.clear_finished();
  job.clear_region_attempts();
  if (first == last) return;
  for (int32_t attempt = first; attempt <= last; ++attempt) job.add_region_attempts(attempt);
}

// These begin anew. What has finished in the others stays so.
Status StartSome(v1::StoredJob& job, const v1::AttemptEntry& entry, int32_t first) {
  const std::set<int32_t> regions(entry.restarted().begin(), entry.restarted().end());
  const bool are_known = *regions.begin() >= 0 && *regions.rbegin() < job.region_attempts_size();
  if (!are_known || std::cmp_not_equal(regions.size(), entry.restarted_size())) {
    return InternalError("attempt {} of job {} restarts regions that it does not have",
                         entry.attempt(), entry.job_id());
  }
  std::set<int32_t> over;
  for (int i = 0; i < entry.restarted_size(); ++i) {
    over.insert(job.region_attempts(entry.restarted(i)));
    job.set_region_attempts(entry.restarted(i), first + i);
  }
  auto& finished = *job.mutable_finished();
  finished.erase(
      std::remove_if(finished.begin(), finished.end(),
                     [&](const v1::TaskId& task) { return over.contains(task.attempt()); }),
      finished.end());
  return Ok();
}

Status ApplyAttempt(v1::StoredJob& job, const v1::AttemptEntry& attempt) {
  const int32_t numbers = NumbersTaken(attempt);
  const int32_t first = attempt.attempt() - numbers + 1;
  if (first <= job.attempt()) {
    return InternalError("attempt {} of job {} follows {}: attempts only rise", first,
                         attempt.job_id(), job.attempt());
  }
  if (attempt.restarted().empty()) {
    StartAll(job, first, attempt.attempt());
  } else {
    WS_RETURN_IF_ERROR(StartSome(job, attempt, first));
  }
  job.set_attempt(attempt.attempt());
  job.set_attempts_beside(job.attempts_beside() + numbers - 1);
  job.set_slots(attempt.slots());
  if (!attempt.reason().empty()) job.set_restart_reason(attempt.reason());
  Raise(attempt.counts(), job.mutable_counts());
  return Ok();
}

Status ApplyCheckpoint(v1::StoredJob& job, const v1::CheckpointEntry& entry) {
  auto& retained = *job.mutable_checkpoints();
  const int64_t id = entry.checkpoint().checkpoint_id();
  if (!retained.empty() && id <= retained.rbegin()->checkpoint_id()) {
    return InternalError("checkpoint {} of job {} follows {}: ids only rise", id, entry.job_id(),
                         retained.rbegin()->checkpoint_id());
  }
  const auto subsumed = [&](const v1::CheckpointRef& checkpoint) {
    return std::ranges::find(entry.subsumed(), checkpoint.checkpoint_id()) !=
           entry.subsumed().end();
  };
  retained.erase(std::remove_if(retained.begin(), retained.end(), subsumed), retained.end());
  *retained.Add() = entry.checkpoint();
  job.clear_leaders();
  Raise(entry.counts(), job.mutable_counts());
  return Ok();
}

// One of an attempt that is over says nothing any more.
Status ApplyTasksFinished(v1::StoredJob& job, const v1::TasksFinishedEntry& entry) {
  if (job.has_end()) return Ok();
  const auto& regions = job.region_attempts();
  if (regions.empty() && entry.attempt() == job.attempt()) {
    job.mutable_finished()->MergeFrom(entry.tasks());
  }
  if (std::ranges::find(regions, entry.attempt()) == regions.end()) return Ok();
  for (v1::TaskId task : entry.tasks()) {
    task.set_attempt(entry.attempt());
    *job.add_finished() = std::move(task);
  }
  return Ok();
}

Status ApplyCancel(v1::StoredJob& job) {
  job.set_cancel_requested(true);
  return Ok();
}

Status ApplyStop(v1::StoredJob& job, const v1::StopEntry& entry) {
  *job.mutable_stop() = entry;
  return Ok();
}

int64_t NextEndNumber(const v1::StoredState& state) {
  int64_t last = 0;
  for (const v1::StoredJob& job : state.jobs()) last = std::max(last, job.end_number());
  return last + 1;
}

void DropOldEnds(v1::StoredState& state) {
  auto& jobs = *state.mutable_jobs();
  const auto is_ended = [](const v1::StoredJob& job) { return job.has_end(); };
  if (std::ranges::count_if(jobs, is_ended) <= kMaxEndedJobs) return;
  // A job that is not at its end is later than all that are.
  const auto first = std::ranges::min_element(
      jobs, {}, [](const v1::StoredJob& job) { return std::pair(!job.has_end(), EndOrder(job)); });
  jobs.erase(first);
  state.set_dropped_jobs(state.dropped_jobs() + 1);
}

Status ApplyEnd(v1::StoredState& state, v1::StoredJob& job, const v1::LogEntry& entry) {
  if (job.has_end()) return InternalError("job {} ends twice", entry.job_end().job_id());
  *job.mutable_end() = entry.job_end();
  job.clear_finished();
  job.set_end_time_ms(entry.time_ms());
  job.set_end_number(NextEndNumber(state));
  DropOldEnds(state);
  return Ok();
}

// The job that an entry is about; empty for those about none.
std::string JobOf(const v1::LogEntry& entry) {
  switch (entry.kind_case()) {
    case v1::LogEntry::kSplits:
      return entry.splits().job_id();
    case v1::LogEntry::kAttempt:
      return entry.attempt().job_id();
    case v1::LogEntry::kCheckpoint:
      return entry.checkpoint().job_id();
    case v1::LogEntry::kJobEnd:
      return entry.job_end().job_id();
    case v1::LogEntry::kCancel:
      return entry.cancel().job_id();
    case v1::LogEntry::kTasksFinished:
      return entry.tasks_finished().job_id();
    case v1::LogEntry::kStop:
      return entry.stop().job_id();
    default:
      return {};
  }
}

Status ApplyToJob(v1::StoredState& state, const v1::LogEntry& entry) {
  v1::StoredJob* const job = FindStoredJob(state, JobOf(entry));
  if (job == nullptr) return InternalError("there is no job {} that it could be of", JobOf(entry));
  switch (entry.kind_case()) {
    case v1::LogEntry::kSplits:
      return ApplySplits(*job, entry.splits());
    case v1::LogEntry::kAttempt:
      return ApplyAttempt(*job, entry.attempt());
    case v1::LogEntry::kCheckpoint:
      return ApplyCheckpoint(*job, entry.checkpoint());
    case v1::LogEntry::kCancel:
      return ApplyCancel(*job);
    case v1::LogEntry::kTasksFinished:
      return ApplyTasksFinished(*job, entry.tasks_finished());
    case v1::LogEntry::kStop:
      return ApplyStop(*job, entry.stop());
    default:
      return ApplyEnd(state, *job, entry);
  }
}

}  // namespace

int32_t NumbersTaken(const v1::AttemptEntry& entry) {
  // Entries of before there were regions take one.
  return entry.restarted().empty() ? std::max(entry.regions(), 1) : entry.restarted_size();
}

v1::StoredJob* FindStoredJob(v1::StoredState& state, const std::string& job_id) {
  for (v1::StoredJob& job : *state.mutable_jobs()) {
    if (job.submission().job_id() == job_id) return &job;
  }
  return nullptr;
}

Status Apply(v1::StoredState& state, const v1::LogEntry& entry) {
  if (entry.format_version() != kLogEntryVersion) {
    return UserError(
        "its format version is {} and this version of Watershed reads {}: start the "
        "version that wrote it, or a later one",
        entry.format_version(), kLogEntryVersion);
  }
  if (entry.has_leader()) return ApplyLeader(state, entry);
  if (entry.has_snapshot()) {
    state = entry.snapshot();
    return Ok();
  }
  if (entry.leader_epoch() != state.leader_epoch()) {
    return InternalError("it is of leader epoch {} although {} leads", entry.leader_epoch(),
                         state.leader_epoch());
  }
  switch (entry.kind_case()) {
    case v1::LogEntry::kLease:
      return Ok();
    case v1::LogEntry::kSubmission:
      return ApplySubmission(state, entry);
    case v1::LogEntry::KIND_NOT_SET:
      return UserError(
          "it is of a kind that this version of Watershed does not know: start the "
          "version that wrote it, or a later one");
    default:
      return ApplyToJob(state, entry);
  }
}

}  // namespace watershed
