#include "runtime/logging/log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "runtime/logging/line_format.h"

namespace watershed {
namespace {

thread_local LogFields current_fields;

// Runs on the logging thread (the sink is synchronous), so it may read the thread's fields.
class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(const LogSettings& settings) : settings_(settings) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& destination) override {
    LogRecord record;
    record.time_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(message.time.time_since_epoch())
            .count();
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

std::mutex logger_mutex;
std::atomic<LogLevel> least_level{LogLevel::kInfo};

// Never destroyed: threads of libraries may log while the process ends.
spdlog::logger& Logger() {
  static spdlog::logger* logger = [] {
    auto* created =
        new spdlog::logger("watershed", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_level(spdlog::level::trace);
    created->set_formatter(std::make_unique<LineFormatter>(LogSettings{}));
    return created;
  }();
  return *logger;
}

}  // namespace

LogLevel ParseLogLevel(std::string_view name) {
  if (name == "trace") return LogLevel::kTrace;
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

void InitializeLogging(const LogSettings& settings) {
  const std::lock_guard lock(logger_mutex);
  Logger().set_formatter(std::make_unique<LineFormatter>(settings));
  least_level.store(settings.level, std::memory_order_relaxed);
}

ScopedLogFields::ScopedLogFields(LogFields fields) : previous_(current_fields) {
  if (!fields.job.empty()) current_fields.job = std::move(fields.job);
  if (fields.attempt >= 0) current_fields.attempt = fields.attempt;
  if (!fields.vertex.empty()) current_fields.vertex = std::move(fields.vertex);
  if (fields.subtask >= 0) current_fields.subtask = fields.subtask;
}

ScopedLogFields::~ScopedLogFields() { current_fields = std::move(previous_); }

bool LogEnabled(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void LogLine(LogLevel level, std::string_view message) {
  Logger().log(static_cast<spdlog::level::level_enum>(level),
               spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace watershed
