// How a JobMaster moves its tasks: a checkpoint, then a restart elsewhere that is no failure. From
// a TaskManager that was asked to end, or onto more slots. Only the rows read after that checkpoint
// are read again.
#include <algorithm>

#include "jobmanager/job/job_master.h"

namespace watershed {

void JobMaster::OnTaskManagerLeaving(const std::string& task_manager_id) {
  if (ended() || std::find(slots_.begin(), slots_.end(), task_manager_id) == slots_.end()) return;
  const ScopedLogFields fields({.job = id_.hex, .attempt = attempt_.value});
  if (deployments_.empty() && state() == v1::CREATED) {
    ReleaseSlots();
    return Advance();
  }
  if (state() != v1::RUNNING || TasksOn(task_manager_id) == 0 || move_) return;
  if (!TakesCheckpoints()) {
    // No different from a TaskManager that is lost, but known at once.
    Fail(fmt::format("TaskManager {} is shutting down", task_manager_id));
    return Advance();
  }
  if (IsToStop()) return;  // its tasks end anyway
  RequestMove(fmt::format("TaskManager {} is leaving", task_manager_id), /*grows=*/false);
}

void JobMaster::RequestMove(std::string reason, bool grows) {
  LogInfo("{}: a checkpoint, then its tasks move", reason);
  move_ = {
      .operation_id = fmt::format("move-{}-{}", attempt_.value, services_.clock->Steady().count()),
      .reason = std::move(reason),
      .grows = grows};
  checkpoints_->Request({.operation_id = move_->operation_id, .savepoint_directory = ""});
}

void JobMaster::OnMoveAnswer(const Result<v1::CheckpointRef>& outcome) {
  const Move move = *std::exchange(move_, std::nullopt);
  // A TaskManager that leaves asks again; slots that are free are looked at again.
  if (move.grows) runs_since_ = services_.clock->Steady();
  if (!outcome) {  // which its checkpoints show
    return LogWarn("{}, and its tasks stay for now: {}", move.reason, outcome.error().message);
  }
  if (move.grows && CountFree(services_.cluster->free_slots()) == 0) {
    return LogInfo("{}, but they are taken by now: its tasks stay", move.reason);
  }
  has_waited_ = move.grows;
  RestartWithoutFailure(
      fmt::format("{}: its tasks move with checkpoint {}", move.reason, outcome->checkpoint_id()));
  Advance();
}

}  // namespace watershed
