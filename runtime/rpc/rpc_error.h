// Errors across gRPC: domain and retry hint survive the way there and back.
#pragma once

#include <grpcpp/support/status.h>

#include "runtime/types/result.h"

namespace watershed {

// user -> INVALID_ARGUMENT, transient -> UNAVAILABLE, external and final -> ABORTED, internal ->
// INTERNAL.
grpc::Status ToRpcStatus(const Error& error);
inline grpc::Status ToRpcStatus(const Status& status) {
  return status ? grpc::Status::OK : ToRpcStatus(status.error());
}

// What ToRpcStatus made, and not the transport. Of errors that are not the user's.
bool IsFromApplication(const grpc::Status& status);

// The inverse, for a call to `peer` ("JobManager at 127.0.0.1:6123"). A peer that cannot be reached
// is a transient external error that names it. NOT_FOUND is a user error, FAILED_PRECONDITION (a
// stale leader epoch or attempt) an internal one.
Error FromRpcStatus(const grpc::Status& status, const std::string& peer);
Status StatusFromRpc(const grpc::Status& status, const std::string& peer);

}  // namespace watershed
