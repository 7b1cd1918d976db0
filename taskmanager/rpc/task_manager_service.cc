#include "taskmanager/rpc/task_manager_service.h"

#include <utility>

#include "runtime/engine/split_proto.h"
#include "runtime/logging/log.h"
#include "runtime/rpc/rpc_error.h"
#include "runtime/rpc/unary_handler.h"

namespace watershed {

void TaskManagerServiceHandler::ObserveLeader(LeaderEpoch epoch) {
  if (epoch <= leader_epoch_) return;
  if (leader_epoch_.value != 0 && !parts_.tasks->idle()) {
    LogWarn("leader epoch {} follows {}: cancelling the tasks of the former leader", epoch.value,
            leader_epoch_.value);
    parts_.tasks->FailAll({ErrorDomain::kExternal, true, "another JobManager leads now"});
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
  return AnswerOn(parts_.executor, context, [this, request] {
    if (const grpc::Status leader = CheckLeader(request->leader_epoch()); !leader.ok()) {
      return leader;
    }
    return ToRpcStatus(parts_.tasks->Deploy(*request));
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
