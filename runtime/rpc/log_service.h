// LogService of log.proto: what this process has logged, and how much it logs.
#pragma once

#include <string>

#include "watershed/v1/log.grpc.pb.h"

namespace watershed {

// Answers for this process, whatever TaskManager the request names. Holds no thread: lines are in
// memory.
class LogServiceHandler : public v1::LogService::CallbackService {
 public:
  LogServiceHandler();
  grpc::ServerUnaryReactor* ReadLog(grpc::CallbackServerContext* context,
                                    const v1::ReadLogRequest* request,
                                    v1::ReadLogResponse* response) override;
  grpc::ServerUnaryReactor* LogLevel(grpc::CallbackServerContext* context,
                                     const v1::LogLevelRequest* request,
                                     v1::LogLevelResponse* response) override;

 private:
  const int64_t instance_;
};

}  // namespace watershed
