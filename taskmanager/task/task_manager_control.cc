#include "taskmanager/task/task_manager_control.h"

#include <algorithm>
#include <utility>

#include "runtime/engine/split_proto.h"
#include "runtime/logging/log.h"

namespace watershed {
namespace {

SourceStop FromProto(v1::SourceStop stop) {
  if (stop == v1::SUSPEND) return SourceStop::kSuspend;
  return stop == v1::DRAIN ? SourceStop::kDrain : SourceStop::kGoOn;
}

Status NotHere(const std::string& job, int32_t attempt) {
  return InternalError("attempt {} of job {} does not run here", attempt, job);
}

}  // namespace

void TaskManagerControl::ObserveLeader(LeaderEpoch epoch) {
  if (epoch <= leader_epoch_) return;
  if (leader_epoch_.value != 0) {
    LogInfo("leader epoch {} follows {}", epoch.value, leader_epoch_.value);
  }
  leader_epoch_ = epoch;
}

void TaskManagerControl::OnRegistered(LeaderEpoch epoch, bool without_log) {
  if (without_log) leader_epoch_ = std::min(leader_epoch_, epoch);
  ObserveLeader(epoch);
}

Status TaskManagerControl::CheckLeader(int64_t epoch) {
  if (LeaderEpoch{epoch} < leader_epoch_) {
    return InternalError("leader epoch {} is stale: it is {}", epoch, leader_epoch_.value);
  }
  ObserveLeader(LeaderEpoch{epoch});
  return Ok();
}

void TaskManagerControl::DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                                        v1::DiscoverSplitsResponse& response,
                                        std::function<void(Status)> done) {
  if (const Status leader = CheckLeader(request.leader_epoch()); !leader) return done(leader);
  parts_.discovery->Run(
      [this, &request, &response, done = std::move(done)] { done(Discover(request, response)); });
}

Status TaskManagerControl::Discover(const v1::DiscoverSplitsRequest& request,
                                    v1::DiscoverSplitsResponse& response) const {
  const ScopedLogFields fields({.job = request.job_id()});
  MetricGroup metrics(parts_.metrics, {});
  ConnectorContext context;
  context.job_name = request.job_name();
  context.operator_id = request.node_id();
  context.parallelism = request.parallelism();
  context.clock = parts_.clock;
  context.metrics = &metrics;
  context.temporary_directory = parts_.temporary_directory;
  WS_ASSIGN_OR_RETURN(const auto enumerator, parts_.connectors->MakeSplitEnumerator(
                                                 request.source().connector(), context));
  WS_ASSIGN_OR_RETURN(const std::vector<SourceSplit> splits, enumerator->Discover());
  for (const SourceSplit& split : splits) *response.add_splits() = ToProto(split);
  return Ok();
}

void TaskManagerControl::DeployTasks(const v1::DeployTasksRequest& request,
                                     std::function<void(Status)> done) {
  if (const Status leader = CheckLeader(request.leader_epoch()); !leader) return done(leader);
  if (!request.has_checkpoints()) return done(parts_.tasks->Deploy(request, {}));
  parts_.snapshot_io->Run([this, &request, done = std::move(done)] {
    Result<CheckpointStorages> storages = OpenCheckpointStorages(request, parts_.open_storage);
    if (!storages) return done(tl::make_unexpected(std::move(storages).error()));
    parts_.executor->Post([this, &request, done, storages = std::move(*storages)] {
      // Another leader, or a cancel, may have come meanwhile.
      const Status leader = CheckLeader(request.leader_epoch());
      done(leader ? parts_.tasks->Deploy(request, storages) : leader);
    });
  });
}

Status TaskManagerControl::CancelTasks(const v1::CancelTasksRequest& request,
                                       v1::CancelTasksResponse& response) {
  WS_RETURN_IF_ERROR(CheckLeader(request.leader_epoch()));
  const JobId job{request.job_id()};
  const Attempt attempt{request.attempt()};
  parts_.tasks->RefuseBelow(job, OldestAttempt(attempt, request.oldest_attempt()));
  for (v1::TaskId& task : parts_.tasks->Cancel(job, attempt)) {
    *response.add_live() = std::move(task);
  }
  return Ok();
}

Status TaskManagerControl::TriggerCheckpoint(const v1::TriggerCheckpointRequest& request) {
  WS_RETURN_IF_ERROR(CheckLeader(request.leader_epoch()));
  const Barrier barrier{CheckpointId{request.checkpoint_id()}, request.trigger_time_ms(),
                        request.is_savepoint()};
  const bool runs = parts_.tasks->TriggerCheckpoint(
      JobId{request.job_id()}, Attempt{request.attempt()}, barrier, FromProto(request.stop()));
  return runs ? Ok() : NotHere(request.job_id(), request.attempt());
}

Status TaskManagerControl::NotifyCheckpoint(const v1::NotifyCheckpointRequest& request) {
  WS_RETURN_IF_ERROR(CheckLeader(request.leader_epoch()));
  const bool runs = parts_.tasks->NotifyCheckpoint(request);
  return runs ? Ok() : NotHere(request.job_id(), request.attempt());
}

}  // namespace watershed
