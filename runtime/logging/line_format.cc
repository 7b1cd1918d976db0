#include "runtime/logging/line_format.h"

#include <fmt/chrono.h>

#include <ctime>
#include <nlohmann/json.hpp>

namespace watershed {
namespace {

constexpr std::string_view kLevelNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};

std::string_view LevelName(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

std::string FormatTime(int64_t time_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<time_t>(time_ms / 1000)), time_ms % 1000);
}

}  // namespace

std::string FormatTextLine(const LogRecord& record) {
  std::string line = fmt::format("{} {:5} {}", FormatTime(record.time_ms), LevelName(record.level),
                                 record.process);
  const LogFields& fields = *record.fields;
  if (!fields.job.empty()) line += " job=" + fields.job;
  if (fields.attempt >= 0) line += fmt::format(" attempt={}", fields.attempt);
  if (!fields.vertex.empty()) line += fmt::format(" vertex=\"{}\"", fields.vertex);
  if (fields.subtask >= 0) line += fmt::format(" subtask={}", fields.subtask);
  line += ": ";
  line += record.message;
  return line;
}

std::string FormatJsonLine(const LogRecord& record) {
  nlohmann::ordered_json line;
  line["time"] = FormatTime(record.time_ms);
  line["level"] = LevelName(record.level);
  line["process"] = record.process;
  const LogFields& fields = *record.fields;
  if (!fields.job.empty()) line["job"] = fields.job;
  if (fields.attempt >= 0) line["attempt"] = fields.attempt;
  if (!fields.vertex.empty()) line["vertex"] = fields.vertex;
  if (fields.subtask >= 0) line["subtask"] = fields.subtask;
  line["message"] = record.message;
  // Messages may quote payloads that are not UTF-8.
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace watershed
