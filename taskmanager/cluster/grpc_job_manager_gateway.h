// JobManagerGateway over gRPC's callback API. `pending` must be closed before what the callbacks
// refer to goes away.
#pragma once

#include <memory>
#include <string>

#include "runtime/rpc/pending_calls.h"
#include "taskmanager/cluster/job_manager_gateway.h"

namespace watershed {

// `address` is host:port of the JobManager.
std::shared_ptr<JobManagerGateway> MakeGrpcJobManagerGateway(const std::string& address,
                                                             std::shared_ptr<PendingCalls> pending);

}  // namespace watershed
