#include "runtime/rpc/rpc_error.h"

namespace watershed {

namespace {

constexpr const char* kApplication = "application";

}  // namespace

bool IsFromApplication(const grpc::Status& status) {
  return status.error_details() == kApplication;
}

grpc::Status ToRpcStatus(const Error& error) {
  switch (error.domain) {
    case ErrorDomain::kUser:
      return {grpc::StatusCode::INVALID_ARGUMENT, error.message};
    case ErrorDomain::kExternal:
      // The details tell our own answer from one that the transport made up.
      return {error.retryable ? grpc::StatusCode::UNAVAILABLE : grpc::StatusCode::ABORTED,
              error.message, kApplication};
    case ErrorDomain::kInternal:
      break;
  }
  return {grpc::StatusCode::INTERNAL, error.message, kApplication};
}

Error FromRpcStatus(const grpc::Status& status, const std::string& peer) {
  const bool from_application = IsFromApplication(status);
  const std::string message = from_application
                                  ? status.error_message()
                                  : fmt::format("{}: {}", peer, status.error_message());
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
      return {ErrorDomain::kUser, false, status.error_message()};
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return {ErrorDomain::kExternal, true, message};
    case grpc::StatusCode::ABORTED:
      return {ErrorDomain::kExternal, false, message};
    default:
      return {ErrorDomain::kInternal, false, message};
  }
}

Status StatusFromRpc(const grpc::Status& status, const std::string& peer) {
  if (status.ok()) return Ok();
  return tl::make_unexpected(FromRpcStatus(status, peer));
}

}  // namespace watershed
