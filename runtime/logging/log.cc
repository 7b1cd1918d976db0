#include "runtime/logging/log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>

#include "runtime/logging/line_format.h"
#include "runtime/logging/log_control.h"

namespace watershed {
namespace {

thread_local LogFields current_fields;

constexpr std::string_view kLevelNames[] = {"trace", "debug", "info", "warn", "error"};

int64_t MillisecondsOf(const spdlog::details::log_msg& message) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(message.time.time_since_epoch())
      .count();
}

// Runs on the logging thread (the sink is synchronous), so it may read the thread's fields.
class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(const LogSettings& settings) : settings_(settings) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& destination) override {
    LogRecord record;
    record.time_ms = MillisecondsOf(message);
    record.level = static_cast<LogLevel>(message.level);
    record.process = settings_.process;
    record.fields = &current_fields;
    record.message = std::string_view(message.payload.data(), message.payload.size());
    const std::string line =
        settings_.format == LogFormat::kJson ? FormatJsonLine(record) : FormatTextLine(record);
    destination.append(line.data(), line.data() + line.size());
    destination.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(settings_);
  }

 private:
  LogSettings settings_;
};

static_assert(static_cast<int>(LogLevel::kWarn) == SPDLOG_LEVEL_WARN);
static_assert(static_cast<int>(LogLevel::kError) == SPDLOG_LEVEL_ERROR);

constexpr size_t kBufferBytes = 1 << 20;  // until log.memory.size says otherwise

// Keeps lines for whoever asks (LogService). On the logging thread, like the formatter.
class BufferSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    LogLineEntry line;
    line.time_ms = MillisecondsOf(message);
    line.level = static_cast<LogLevel>(message.level);
    line.fields = current_fields;
    line.message.assign(message.payload.data(), message.payload.size());
    ProcessLog().Append(std::move(line));
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

std::mutex settings_mutex;
std::atomic<LogLevel> least_level{LogLevel::kInfo};
LogSettings& Settings() {  // under settings_mutex
  static auto* settings = new LogSettings();
  return *settings;
}

// None of it is ever destroyed: threads of libraries may log while the process ends.
struct Loggers {
  std::shared_ptr<spdlog::sinks::dist_sink_mt> files =
      std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger logger{
      "watershed",
      {std::make_shared<spdlog::sinks::stderr_sink_mt>(), std::make_shared<BufferSink>(), files}};
  Loggers() {
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);  // lines are few
    logger.set_formatter(std::make_unique<LineFormatter>(LogSettings{}));
  }
};
Loggers& TheLoggers() {
  static auto* loggers = new Loggers();
  return *loggers;
}

}  // namespace

std::string_view NameOf(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

std::optional<LogLevel> FindLogLevel(std::string_view name) {
  const auto found = std::find(std::begin(kLevelNames), std::end(kLevelNames), name);
  if (found == std::end(kLevelNames)) return std::nullopt;
  return static_cast<LogLevel>(found - std::begin(kLevelNames));
}

LogLevel ParseLogLevel(std::string_view name) {
  return FindLogLevel(name).value_or(LogLevel::kInfo);
}

void InitializeLogging(const LogSettings& settings) {
  const std::lock_guard lock(settings_mutex);
  Settings() = settings;
  TheLoggers().logger.set_formatter(std::make_unique<LineFormatter>(settings));
  SetLogLevel(settings.level);
}

void NameLogProcess(std::string name) {
  const std::lock_guard lock(settings_mutex);
  Settings().process = std::move(name);
  TheLoggers().logger.set_formatter(std::make_unique<LineFormatter>(Settings()));
}

std::string LogProcessName() {
  const std::lock_guard lock(settings_mutex);
  return Settings().process;
}

LogLevel CurrentLogLevel() { return least_level.load(std::memory_order_relaxed); }
void SetLogLevel(LogLevel level) { least_level.store(level, std::memory_order_relaxed); }

LogBuffer& ProcessLog() {
  static auto* buffer = new LogBuffer(kBufferBytes);
  return *buffer;
}

Status LogToFile(const LogFileSettings& settings) {
  const std::lock_guard lock(settings_mutex);
  try {
    auto file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        settings.path, static_cast<size_t>(settings.max_bytes),
        static_cast<size_t>(settings.max_count - 1));
    file->set_formatter(std::make_unique<LineFormatter>(Settings()));
    TheLoggers().files->add_sink(std::move(file));
  } catch (const std::exception& error) {  // spdlog's, or the file system's
    return UserError("log.file {} cannot be written: {}", settings.path, error.what());
  }
  return Ok();
}

ScopedLogFields::ScopedLogFields(LogFields fields) : previous_(current_fields) {
  if (!fields.job.empty()) current_fields.job = std::move(fields.job);
  if (fields.attempt >= 0) current_fields.attempt = fields.attempt;
  if (!fields.vertex.empty()) current_fields.vertex = std::move(fields.vertex);
  if (fields.subtask >= 0) current_fields.subtask = fields.subtask;
}

ScopedLogFields::~ScopedLogFields() { current_fields = std::move(previous_); }

bool LogEnabled(LogLevel level) { return level >= CurrentLogLevel(); }

void LogLine(LogLevel level, std::string_view message) {
  TheLoggers().logger.log(static_cast<spdlog::level::level_enum>(level),
                          spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace watershed
