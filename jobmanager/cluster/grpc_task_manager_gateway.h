// TaskManagerGateway over gRPC's callback API.
#pragma once

#include "jobmanager/cluster/task_manager_gateway.h"

namespace watershed {

TaskManagerGatewayFactory MakeGrpcTaskManagerGateways();

}  // namespace watershed
