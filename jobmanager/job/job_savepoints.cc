// What a JobMaster does when it is asked for a checkpoint, for a savepoint, or to stop with one.
// (DECISIONS.md, "Savepoints and stops".)
#include <algorithm>

#include "jobmanager/job/job_master.h"
#include "runtime/status/job_status.h"
#include "runtime/storage/object_storage.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kStopAgainAfter{1000};

}  // namespace

Status JobMaster::CheckMayBeAsked() const {
  if (ended()) return UserError("job {} has ended: it is {}", id_.hex, NameOf(state()));
  if (checkpoints_ == nullptr) {
    return UserError("this cluster takes no checkpoints: {}", kSetCheckpointDirectory);
  }
  return Ok();
}

Status JobMaster::RequestCheckpoint(const std::string& operation_id,
                                    const std::string& savepoint_directory) {
  const auto kind =
      savepoint_directory.empty() ? v1::Operation::CHECKPOINT : v1::Operation::SAVEPOINT;
  WS_ASSIGN_OR_RETURN(const bool has_begun, operations_.HasBegun(operation_id, kind));
  if (has_begun) return Ok();
  WS_RETURN_IF_ERROR(CheckMayBeAsked());
  if (state() != v1::RUNNING) {
    return UserError("job {} is {}; a checkpoint can be taken while it is RUNNING", id_.hex,
                     NameOf(state()));
  }
  if (!TakesCheckpoints()) {
    return UserError(
        "job {} takes no checkpoints, so its sinks publish by themselves: give it "
        "'checkpointing: {{ interval: … }}'",
        id_.hex);
  }
  if (IsToStop()) return UserError("job {} is being stopped with a savepoint", id_.hex);
  operations_.Begin(operation_id, kind);
  checkpoints_->Request({.operation_id = operation_id, .savepoint_directory = savepoint_directory});
  return Ok();
}

Status JobMaster::RequestStop(const std::string& operation_id, const std::string& directory,
                              bool drain) {
  WS_ASSIGN_OR_RETURN(const bool has_begun,
                      operations_.HasBegun(operation_id, v1::Operation::STOP));
  if (has_begun) return Ok();
  WS_RETURN_IF_ERROR(CheckMayBeAsked());
  if (cancel_requested_ || cancel_is_being_stored_) {
    return UserError("job {} is being cancelled", id_.hex);
  }
  if (IsToStop() || stop_is_being_stored_) {
    return UserError("job {} is being stopped already", id_.hex);
  }
  if (state() == v1::RUNNING && !TakesCheckpoints()) {
    return UserError(
        "job {} takes no checkpoints: give it 'checkpointing: {{ interval: … }}', or cancel it",
        id_.hex);
  }
  operations_.Begin(operation_id, v1::Operation::STOP);
  v1::StopEntry stop;
  stop.set_job_id(id_.hex);
  stop.set_operation_id(operation_id);
  stop.set_directory(directory);
  stop.set_drain(drain);
  stop_is_being_stored_ = true;
  v1::LogEntry entry;
  *entry.mutable_stop() = stop;
  Store(std::move(entry), [stop](JobMaster& job) {
    job.stop_is_being_stored_ = false;
    job.stop_ = stop;
    job.Touch();
    if (job.state() == v1::RUNNING) job.RequestStopCheckpoint();
  });
  return Ok();
}

bool JobMaster::IsToStop() const {
  return !stop_.operation_id().empty() && stop_.given_up().empty();
}

bool JobMaster::IsOfTheStop(const v1::CheckpointRef& checkpoint) const {
  return IsToStop() && checkpoint.operation_id() == stop_.operation_id();
}

const v1::CheckpointRef* JobMaster::newest_checkpoint() const {
  const bool has_any = checkpoints_ != nullptr && !checkpoints_->retained().empty();
  return has_any ? &checkpoints_->retained().back() : nullptr;
}

bool JobMaster::IsStopped() const {
  return newest_checkpoint() != nullptr && IsOfTheStop(*newest_checkpoint());
}

void JobMaster::RequestStopCheckpoint(std::chrono::nanoseconds not_before) {
  if (!IsToStop()) return;
  if (!TakesCheckpoints()) return GiveUpStop("the job takes no checkpoints");
  checkpoints_->Request({.operation_id = stop_.operation_id(),
                         .savepoint_directory = stop_.directory(),
                         .stop = stop_.drain() ? v1::DRAIN : v1::SUSPEND,
                         .not_before = not_before});
}

void JobMaster::GiveUpStop(const std::string& reason) {
  LogWarn("the stop is given up: {}", reason);
  stop_.set_given_up(reason);
  v1::LogEntry entry;
  *entry.mutable_stop() = stop_;
  // Not told before: until then the next JobManager would carry it out.
  Store(std::move(entry), [operation = stop_.operation_id(), reason](JobMaster& job) {
    job.operations_.Fail(operation, reason);
    job.Touch();
  });
  // Windows have fired that should not have.
  if (stop_.drain()) RestartWithoutFailure("it could not be drained: " + reason);
  Touch();
}

// A drain whose savepoint had been complete when the tasks were lost: to give it up would let a job
// go on whose windows have all fired. So it is asked for again, before any other, until it is
// complete or the job is cancelled.
void JobMaster::OnStopCheckpointFailed(const std::string& reason) {
  if (!stop_.drain() || !IsStopped()) return GiveUpStop(reason);
  LogWarn("drained, but its last output is not committed: {}; trying again in {} ms", reason,
          kStopAgainAfter.count());
  RequestStopCheckpoint(services_.clock->Steady() + kStopAgainAfter);
}

void JobMaster::OnCheckpointAnswer(const CheckpointRequest& request,
                                   const Result<v1::CheckpointRef>& outcome) {
  if (move_ && request.operation_id == move_->operation_id) return OnMoveAnswer(outcome);
  const bool is_of_the_stop = IsToStop() && request.operation_id == stop_.operation_id();
  if (!outcome) {
    if (!is_of_the_stop) return operations_.Fail(request.operation_id, outcome.error().message);
    OnStopCheckpointFailed(outcome.error().message);
    return Advance();
  }
  if (is_of_the_stop) return DiscardFormerSavepoints(*outcome);
  const std::string& savepoint = outcome->savepoint_path();
  operations_.Complete(request.operation_id, outcome->checkpoint_id(),
                       savepoint.empty()
                           ? CheckpointPath(checkpoints_->manifests()->directory(), *outcome)
                           : savepoint);
}

// The tasks were lost before all had committed, and the next attempt was stopped again.
void JobMaster::DiscardFormerSavepoints(const v1::CheckpointRef& newest) {
  for (const v1::CheckpointRef& former : checkpoints_->retained()) {
    if (IsOfTheStop(former) && former.checkpoint_id() < newest.checkpoint_id()) {
      checkpoints_->manifests()->DiscardSavepoint(former.savepoint_path());
    }
  }
}

bool JobMaster::BeginsWith(const std::string& directory) const {
  if (newest_checkpoint() != nullptr || !submission_.has_restore_from()) return false;
  const Result<std::string> own = DirectoryOfUri(submission_.restore_directory());
  const Result<std::string> named = DirectoryOfUri(directory);
  return own && named && *own == *named;  // file:///a and /a are one
}

void JobMaster::EndOperations(v1::JobState end, const v1::CheckpointRef* last) {
  if (end == v1::FINISHED && last != nullptr && IsOfTheStop(*last)) {
    operations_.Complete(stop_.operation_id(), last->checkpoint_id(), last->savepoint_path());
  }
  operations_.FailOpen(
      fmt::format("the job is {}{}{}", NameOf(end), failure_.empty() ? "" : ": ", failure_),
      /*and_stops=*/true);
}

void JobMaster::RecoverOperations(const v1::StoredJob& stored) {
  stop_ = stored.stop();
  if (stop_.operation_id().empty()) return;
  operations_.Begin(stop_.operation_id(), v1::Operation::STOP);
  if (!stop_.given_up().empty()) operations_.Fail(stop_.operation_id(), stop_.given_up());
  if (!stored.has_end()) return;
  EndOperations(stored.end().state(),
                stored.checkpoints().empty() ? nullptr : &*stored.checkpoints().rbegin());
}

}  // namespace watershed
