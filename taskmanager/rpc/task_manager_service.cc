#include "taskmanager/rpc/task_manager_service.h"

#include <utility>

#include "runtime/engine/split_proto.h"
#include "runtime/logging/log.h"
#include "runtime/rpc/rpc_error.h"
#include "runtime/rpc/unary_handler.h"

namespace watershed {

namespace {

grpc::Status NotHere(const std::string& job, int32_t attempt) {
  return {grpc::StatusCode::FAILED_PRECONDITION,
          fmt::format("attempt {} of job {} does not run here", attempt, job)};
}

}  // namespace

void TaskManagerServiceHandler::ObserveLeader(LeaderEpoch epoch) {
  if (epoch <= leader_epoch_) return;
  if (leader_epoch_.value != 0) {
    LogInfo("leader epoch {} follows {}", epoch.value, leader_epoch_.value);
  }
  leader_epoch_ = epoch;
}

grpc::Status TaskManagerServiceHandler::CheckLeader(int64_t epoch) {
  if (LeaderEpoch{epoch} < leader_epoch_) {
    return {grpc::StatusCode::FAILED_PRECONDITION,
            fmt::format("leader epoch {} is stale: it is {}", epoch, leader_epoch_.value)};
  }
  ObserveLeader(LeaderEpoch{epoch});
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::DiscoverSplits(
    grpc::CallbackServerContext* context, const v1::DiscoverSplitsRequest* request,
    v1::DiscoverSplitsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();  // may be asked for only once
  auto answer = std::make_shared<UnaryAnswer>(reactor);
  parts_.executor->Post([this, request, response, answer] {
    if (const grpc::Status leader = CheckLeader(request->leader_epoch()); !leader.ok()) {
      answer->Finish(leader);
      return;
    }
    parts_.discovery->Run(
        [this, request, response, answer] { answer->Finish(Discover(*request, *response)); });
  });
  return reactor;
}

grpc::Status TaskManagerServiceHandler::Discover(const v1::DiscoverSplitsRequest& request,
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
  auto enumerator = parts_.connectors->MakeSplitEnumerator(request.source().connector(), context);
  if (!enumerator) return ToRpcStatus(enumerator.error());
  const auto splits = (*enumerator)->Discover();
  if (!splits) return ToRpcStatus(splits.error());
  for (const SourceSplit& split : *splits) *response.add_splits() = ToProto(split);
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::DeployTasks(
    grpc::CallbackServerContext* context, const v1::DeployTasksRequest* request,
    v1::DeployTasksResponse*) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();  // may be asked for only once
  auto answer = std::make_shared<UnaryAnswer>(reactor);
  parts_.executor->Post([this, request, answer] {
    if (const grpc::Status leader = CheckLeader(request->leader_epoch()); !leader.ok()) {
      answer->Finish(leader);
    } else if (request->has_checkpoints()) {
      parts_.snapshot_io->Run([this, request, answer] { OpenAndDeploy(*request, answer); });
    } else {
      answer->Finish(ToRpcStatus(parts_.tasks->Deploy(*request, {})));
    }
  });
  return reactor;
}

void TaskManagerServiceHandler::OpenAndDeploy(const v1::DeployTasksRequest& request,
                                              const std::shared_ptr<UnaryAnswer>& answer) {
  Result<CheckpointStorages> storages = OpenCheckpointStorages(request);
  if (!storages) {
    answer->Finish(ToRpcStatus(storages.error()));
    return;
  }
  parts_.executor->Post([this, &request, answer, storages = std::move(*storages)] {
    // Another leader, or a cancel, may have come meanwhile.
    const grpc::Status leader = CheckLeader(request.leader_epoch());
    answer->Finish(leader.ok() ? ToRpcStatus(parts_.tasks->Deploy(request, storages)) : leader);
  });
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::TriggerCheckpoint(
    grpc::CallbackServerContext* context, const v1::TriggerCheckpointRequest* request,
    v1::TriggerCheckpointResponse*) {
  return AnswerOn(parts_.executor, context, [this, request] {
    if (const grpc::Status leader = CheckLeader(request->leader_epoch()); !leader.ok()) {
      return leader;
    }
    const Barrier barrier{CheckpointId{request->checkpoint_id()}, request->trigger_time_ms(),
                          request->is_savepoint()};
    const bool runs = parts_.tasks->TriggerCheckpoint(JobId{request->job_id()},
                                                      Attempt{request->attempt()}, barrier);
    return runs ? grpc::Status::OK : NotHere(request->job_id(), request->attempt());
  });
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::NotifyCheckpoint(
    grpc::CallbackServerContext* context, const v1::NotifyCheckpointRequest* request,
    v1::NotifyCheckpointResponse*) {
  return AnswerOn(parts_.executor, context, [this, request] {
    if (const grpc::Status leader = CheckLeader(request->leader_epoch()); !leader.ok()) {
      return leader;
    }
    const bool runs = parts_.tasks->NotifyCheckpoint(*request);
    return runs ? grpc::Status::OK : NotHere(request->job_id(), request->attempt());
  });
}

grpc::ServerUnaryReactor* TaskManagerServiceHandler::CancelTasks(
    grpc::CallbackServerContext* context, const v1::CancelTasksRequest* request,
    v1::CancelTasksResponse* response) {
  return AnswerOn(parts_.executor, context, [this, request, response] {
    if (const grpc::Status leader = CheckLeader(request->leader_epoch()); !leader.ok()) {
      return leader;
    }
    for (v1::TaskId& task :
         parts_.tasks->Cancel(JobId{request->job_id()}, Attempt{request->attempt()})) {
      *response->add_live() = std::move(task);
    }
    return grpc::Status::OK;
  });
}

}  // namespace watershed
