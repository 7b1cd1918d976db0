// What a running process may change about its log, and where its lines go besides stderr.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/logging/log.h"
#include "runtime/logging/log_buffer.h"
#include "runtime/types/result.h"

namespace watershed {

// Of this process. All thread-safe.
LogLevel CurrentLogLevel();
void SetLogLevel(LogLevel level);
void NameLogProcess(std::string name);  // from now on; see LogSettings
std::string LogProcessName();
LogBuffer& ProcessLog();  // every line since its start, as far as it holds them

struct LogFileSettings {
  std::string path;
  int64_t max_bytes = 10 << 20;
  int64_t max_count = 5;  // files, the one that is written included
};
// Lines go to this file too, which is renamed to NAME.1.EXT when it is full, that to NAME.2.EXT and
// so on. A user error when it cannot be written. Once, after InitializeLogging.
Status LogToFile(const LogFileSettings& settings);

std::string_view NameOf(LogLevel level);  // "info"
std::optional<LogLevel> FindLogLevel(std::string_view name);

}  // namespace watershed
