#include "taskmanager/cluster/checkpoint_reports.h"

#include <chrono>
#include <utility>

#include "runtime/logging/log.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kRetry{200};

}  // namespace

void CheckpointReports::Add(v1::ReportCheckpointRequest report) {
  const uint64_t id = ++last_id_;
  waiting_[id].report = std::move(report);
  Send(id);
}

void CheckpointReports::OnRegistered(const std::string& task_manager_id, LeaderEpoch epoch) {
  registered_ = true;
  task_manager_id_ = task_manager_id;
  leader_epoch_ = epoch;
  for (const auto& [id, waiting] : waiting_) Send(id);
}

void CheckpointReports::Send(uint64_t id) {
  const auto found = waiting_.find(id);
  if (!registered_ || found == waiting_.end() || found->second.under_way) return;
  Waiting& waiting = found->second;
  waiting.under_way = true;
  waiting.report.set_task_manager_id(task_manager_id_);
  waiting.report.set_leader_epoch(leader_epoch_.value);
  gateway_->ReportCheckpoint(waiting.report,
                             [executor = executor_, weak = weak_from_this(), id](auto answer) {
                               executor->Post([weak, id, answer = std::move(answer)] {
                                 if (const auto self = weak.lock()) self->OnAnswer(id, answer);
                               });
                             });
}

void CheckpointReports::OnAnswer(uint64_t id, const Result<v1::ReportCheckpointResponse>& answer) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  found->second.under_way = false;
  if (answer || !answer.error().retryable) {
    if (!answer) {
      const v1::ReportCheckpointRequest& report = found->second.report;
      LogWarn("checkpoint {} of job {} attempt {}: the report of {} subtask {} was refused: {}",
              report.checkpoint_id(), report.job_id(), report.attempt(), report.vertex_id(),
              report.subtask(), answer.error().message);
    }
    waiting_.erase(found);
    return;
  }
  // The same again, after the next registration if this one has ended.
  executor_->PostAfter(kRetry, [weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->Send(id);
  });
}

}  // namespace watershed
