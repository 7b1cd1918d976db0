// Structured log lines on stderr: time, level, process, then job, attempt, vertex and subtask where
// they are known, then the message. Text or one JSON object a line. Thread-safe.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace watershed {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogFormat : uint8_t { kText, kJson };

struct LogSettings {
  std::string process = "watershed";  // "jobmanager", "taskmanager 127.0.0.1:41234"
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

// "info" -> kInfo; anything else unknown is kInfo (options are validated before).
LogLevel ParseLogLevel(std::string_view name);

// Once at the start of a process, and again when its name becomes known. Without it lines go to
// stderr as text at level info.
void InitializeLogging(const LogSettings& settings);

// What a line is about; empty or negative fields are left out.
struct LogFields {
  std::string job;
  int attempt = -1;
  std::string vertex;
  int subtask = -1;
};

// Every line logged on this thread carries these fields until the scope ends; scopes nest, and an
// inner one replaces the outer one's fields where it sets them.
class ScopedLogFields {
 public:
  explicit ScopedLogFields(LogFields fields);
  ~ScopedLogFields();
  ScopedLogFields(const ScopedLogFields&) = delete;
  ScopedLogFields& operator=(const ScopedLogFields&) = delete;

 private:
  LogFields previous_;
};

bool LogEnabled(LogLevel level);
void LogLine(LogLevel level, std::string_view message);

template <typename... Args>
void Log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(level)) LogLine(level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kDebug, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kInfo, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogWarn(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kWarn, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kError, format, std::forward<Args>(args)...);
}

}  // namespace watershed
