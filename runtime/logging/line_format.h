// How one log line looks. Pure, so that tests need no logger.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/logging/log.h"

namespace watershed {

struct LogRecord {
  int64_t time_ms = 0;  // since the epoch, shown in UTC
  LogLevel level = LogLevel::kInfo;
  std::string_view process;
  const LogFields* fields = nullptr;
  std::string_view message;
};

// Without the line's end. A text message keeps its newlines; JSON escapes them.
std::string FormatTextLine(const LogRecord& record);
std::string FormatJsonLine(const LogRecord& record);

}  // namespace watershed
