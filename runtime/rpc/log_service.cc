#include "runtime/rpc/log_service.h"

#include <algorithm>
#include <random>

#include "runtime/logging/log_control.h"

namespace watershed {
namespace {

constexpr int32_t kChunkBytesMax = 1 << 20;  // well below what gRPC's clients take by default

LogQuery QueryOf(const v1::ReadLogRequest& request) {
  LogQuery query;
  query.from = request.from();
  query.job = request.job_id();
  query.vertex = request.vertex();
  query.since_ms = request.since_ms();
  query.least = static_cast<watershed::LogLevel>(
      std::clamp<int32_t>(request.least_level(), 0, static_cast<int32_t>(LogLevel::kError)));
  if (request.has_subtask()) query.subtask = request.subtask();
  if (request.has_last()) query.last = static_cast<size_t>(std::max(0, request.last()));
  if (request.max_bytes() > 0) {
    query.max_bytes = static_cast<size_t>(std::min(request.max_bytes(), kChunkBytesMax));
  }
  return query;
}

v1::LogLine ToProto(LogLineEntry line) {
  v1::LogLine proto;
  proto.set_number(line.number);
  proto.set_time_ms(line.time_ms);
  proto.set_level(static_cast<int32_t>(line.level));
  proto.set_job_id(std::move(line.fields.job));
  proto.set_attempt(line.fields.attempt);
  proto.set_vertex(std::move(line.fields.vertex));
  proto.set_subtask(line.fields.subtask);
  proto.set_message(std::move(line.message));
  return proto;
}

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const grpc::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

}  // namespace

LogServiceHandler::LogServiceHandler()
    : instance_(static_cast<int64_t>(std::random_device()()) + 1) {}

grpc::ServerUnaryReactor* LogServiceHandler::ReadLog(grpc::CallbackServerContext* context,
                                                     const v1::ReadLogRequest* request,
                                                     v1::ReadLogResponse* response) {
  LogChunk chunk = ProcessLog().Read(QueryOf(*request));
  response->set_process(LogProcessName());
  response->set_instance(instance_);
  response->set_next(chunk.next);
  response->set_more(chunk.more);
  response->set_missed(chunk.missed);
  for (LogLineEntry& line : chunk.lines) *response->add_lines() = ToProto(std::move(line));
  return Answer(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* LogServiceHandler::LogLevel(grpc::CallbackServerContext* context,
                                                      const v1::LogLevelRequest* request,
                                                      v1::LogLevelResponse* response) {
  if (!request->level().empty()) {
    const auto level = FindLogLevel(request->level());
    if (!level) {
      return Answer(context,
                    {grpc::StatusCode::INVALID_ARGUMENT,
                     fmt::format("there is no log level '{}'; expected trace, debug, info, "
                                 "warn or error",
                                 request->level())});
    }
    const auto before = CurrentLogLevel();
    SetLogLevel(*level);
    if (before != *level) {
      // Also where the new level would hide it: a log that falls silent says why.
      LogLine(watershed::LogLevel::kWarn,
              fmt::format("log level is {} now, it was {}", NameOf(*level), NameOf(before)));
    }
  }
  response->set_process(LogProcessName());
  response->set_level(std::string(NameOf(CurrentLogLevel())));
  return Answer(context, grpc::Status::OK);
}

}  // namespace watershed
