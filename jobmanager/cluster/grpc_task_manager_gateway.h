// TaskManagerGateway over gRPC's callback API. `pending` must be closed before what `done`
// callbacks refer to goes away.
#pragma once

#include <memory>

#include "jobmanager/cluster/task_manager_gateway.h"
#include "runtime/rpc/pending_calls.h"

namespace watershed {

TaskManagerGatewayFactory MakeGrpcTaskManagerGateways(std::shared_ptr<PendingCalls> pending);

}  // namespace watershed
