// JobManagerGateway over gRPC's callback API. `pending` must be closed before what the callbacks
// refer to goes away.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/rpc/pending_calls.h"
#include "taskmanager/cluster/job_manager_gateway.h"

namespace watershed {

// `addresses`: host:port of each JobManager, at least one.
std::shared_ptr<JobManagerGateway> MakeGrpcJobManagerGateway(
    const std::vector<std::string>& addresses, std::shared_ptr<PendingCalls> pending);

}  // namespace watershed
