// How a JobMaster takes its tasks from a TaskManager that was asked to end: a checkpoint, then a
// restart elsewhere that is no failure. Only the rows read after that checkpoint are read again.
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
  if (state() != v1::RUNNING || TasksOn(task_manager_id) == 0 || !evacuation_id_.empty()) return;
  if (!TakesCheckpoints()) {
    // No different from a TaskManager that is lost, but known at once.
    Fail(fmt::format("TaskManager {} is shutting down", task_manager_id));
    return Advance();
  }
  if (IsToStop()) return;  // its tasks end anyway
  evacuation_reason_ = fmt::format("TaskManager {} is leaving", task_manager_id);
  evacuation_id_ =
      fmt::format("evacuation-{}-{}", attempt_.value, services_.clock->Steady().count());
  LogInfo("{}: a checkpoint, then its tasks move", evacuation_reason_);
  checkpoints_->Request({.operation_id = evacuation_id_, .savepoint_directory = ""});
}

void JobMaster::OnEvacuationAnswer(const Result<v1::CheckpointRef>& outcome) {
  evacuation_id_.clear();
  if (!outcome) {  // which its checkpoints show; the TaskManager asks again
    return LogWarn("{}, and its tasks stay for now: {}", evacuation_reason_,
                   outcome.error().message);
  }
  RestartWithoutFailure(fmt::format("{}: its tasks move with checkpoint {}", evacuation_reason_,
                                    outcome->checkpoint_id()));
  Advance();
}

}  // namespace watershed
