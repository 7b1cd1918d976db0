// logs, log-level: what the cluster's processes log, through the JobManager.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "runtime/config/units.h"
#include "runtime/logging/line_format.h"
#include "runtime/status/job_status.h"
#include "watershed/v1/log.pb.h"
#include "wsctl/commands/await.h"
#include "wsctl/commands/commands.h"
#include "wsctl/commands/processes.h"
#include "wsctl/job_reference.h"
#include "wsctl/output.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kFollowInterval{300};

struct Line {
  std::string process;  // as it calls itself
  v1::LogLine line;
};

// Reads on where it stopped, in each process.
class LogReader {
 public:
  LogReader(const CommandContext& context, JobClient& client, v1::ReadLogRequest wanted)
      : context_(context), client_(client), wanted_(std::move(wanted)) {}

  // What is new in these processes, by time. The first look takes no more than `last` lines.
  std::vector<Line> Next(const std::vector<std::string>& processes) {
    std::vector<Line> lines;
    for (const std::string& process : processes) ReadOn(process, lines);
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
      return a.line.time_ms() < b.line.time_ms();
    });
    const auto last = static_cast<size_t>(wanted_.last());
    if (is_first_ && wanted_.has_last() && lines.size() > last) {
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(last));
    }
    is_first_ = false;
    return lines;
  }

  // The last look could not read all of them.
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  struct Cursor {
    int64_t from = 0;
    int64_t instance = 0;
  };

  void ReadOn(const std::string& process, std::vector<Line>& lines) {
    Cursor& cursor = cursors_[process];
    for (bool more = true; more;) {
      v1::ReadLogRequest request = wanted_;
      request.set_task_manager_id(process);
      request.set_from(cursor.from);
      if (cursor.from > 0) request.clear_last();
      const Outcome<v1::ReadLogResponse> response = client_.ReadLog(request);
      if (!response) return Complain(process, response.error());
      failing_.erase(process);
      if (cursor.instance != 0 && cursor.instance != response->instance()) {
        cursor = {0, response->instance()};  // it has started again: from its beginning
        continue;
      }
      if (response->missed() > 0) {
        *context_.console.err << fmt::format(
            "{}: {} lines before these are no longer held (log.memory.size); its log.file may have "
            "them\n",
            response->process(), response->missed());
      }
      for (const v1::LogLine& line : response->lines())
        lines.push_back({response->process(), line});
      cursor = {response->next(), response->instance()};
      more = response->more();
    }
  }

  // Once, until it can be read again.
  void Complain(const std::string& process, const Failure& failure) {
    failure_ = failure;
    if (!failing_.insert(process).second) return;
    *context_.console.err << fmt::format(
        "warning: the log of {} cannot be read: {}\n",
        process.empty() ? "the JobManager" : "TaskManager " + process, Printable(failure.message));
  }

  const CommandContext& context_;
  JobClient& client_;
  const v1::ReadLogRequest wanted_;
  std::map<std::string, Cursor> cursors_;
  std::set<std::string> failing_;
  std::optional<Failure> failure_;
  bool is_first_ = true;
};

void Print(const CommandContext& context, const std::vector<Line>& lines) {
  std::ostream& out = *context.console.out;
  for (const Line& each : lines) {
    const LogFields fields{.job = each.line.job_id(),
                           .attempt = each.line.attempt(),
                           .vertex = each.line.vertex(),
                           .subtask = each.line.subtask()};
    const LogRecord record{each.line.time_ms(), static_cast<LogLevel>(each.line.level()),
                           each.process, &fields, each.line.message()};
    switch (context.options.output) {
      case OutputFormat::kJson:
        out << FormatJsonLine(record) << '\n';
        break;
      case OutputFormat::kYaml:
        out << "---\n" << ToYaml(Json::parse(FormatJsonLine(record)));
        break;
      case OutputFormat::kName:
        out << each.process << '\n';
        break;
      default:
        out << Printable(FormatTextLine(record)) << '\n';
    }
  }
  out.flush();
}

Outcome<v1::ReadLogRequest> RequestFor(const CommandContext& context, JobClient& client,
                                       const LogsOptions& options) {
  v1::ReadLogRequest request;
  if (!options.job.empty()) {
    WS_ASSIGN_OR_RETURN(*request.mutable_job_id(), FindJobId(client, options.job));
  }
  request.set_vertex(options.vertex);
  if (options.subtask >= 0) request.set_subtask(options.subtask);
  if (options.tail >= 0) request.set_last(options.tail);
  if (!options.level.empty()) {
    request.set_least_level(static_cast<int>(ParseLogLevel(options.level)));
  }
  if (!options.since.empty()) {
    const auto since = ParseDuration(options.since);
    if (!since) return Fail(ExitCode::kUsage, "--since: " + since.error().message);
    request.set_since_ms(context.clock->NowMs() - since->count());
  }
  return request;
}

// A job that has ended, or is no longer remembered, logs no more. Without a job: never.
Outcome<bool> HasEnded(JobClient& client, const std::string& job_id) {
  if (job_id.empty()) return false;
  const auto job = Persist(client, [&] { return client.Get(job_id); });
  if (job) return IsEnded(job->summary().state());
  if (job.error().code == ExitCode::kFailed) return true;
  return tl::make_unexpected(job.error());
}

}  // namespace

Outcome<void> LogsCommand(const CommandContext& context, const LogsOptions& options) {
  WS_ASSIGN_OR_RETURN(auto client,
                      ClientFor(context, options.follow ? kNoTimeout : kDefaultTimeout));
  WS_ASSIGN_OR_RETURN(v1::ReadLogRequest request, RequestFor(context, *client, options));
  const Interrupts interrupts(context);
  const std::string job_id = options.follow ? request.job_id() : "";  // whose end is waited for
  LogReader reader(context, *client, std::move(request));
  while (!interrupts.came()) {
    // Looked at before the lines: those of its end are read then.
    WS_ASSIGN_OR_RETURN(const bool is_over, UnlessWatchedOut(*client, HasEnded(*client, job_id)));
    // Asked for at every look: TaskManagers come and go.
    WS_ASSIGN_OR_RETURN(const std::vector<std::string> processes,
                        UnlessWatchedOut(*client, Persist(*client, [&] {
                          return SelectProcesses(*client, options.process);
                        })));
    Print(context, reader.Next(processes));
    if (!*context.console.out) return {};  // whoever read has gone
    if (!options.follow || is_over) break;
    // Asked, as nothing may be written for long.
    if (context.console.IsUnread()) return Fail(ExitCode::kReaderGone, "");
    if (std::chrono::steady_clock::now() + kFollowInterval >= client->deadline()) {
      return WatchedOut(*client);
    }
    interrupts.SleepFor(kFollowInterval);
  }
  if (!options.follow && reader.failure()) {
    return Fail(reader.failure()->code, "not all logs could be read");
  }
  return {};
}

Outcome<void> LogLevelCommand(const CommandContext& context, const std::string& level,
                              const std::string& process) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(const auto processes, SelectProcesses(*client, process));
  Answer answer{.json = {{"levels", Json::array()}}};
  Table table({{"PROCESS"}, {"LEVEL"}});
  for (const std::string& each : processes) {
    v1::LogLevelRequest request;
    request.set_task_manager_id(each);
    request.set_level(level);
    WS_ASSIGN_OR_RETURN(const v1::LogLevelResponse response, client->LogLevel(request));
    answer.json["levels"].push_back({{"process", response.process()}, {"level", response.level()}});
    answer.names.push_back(response.level());
    table.AddRow({response.process(), response.level()});
  }
  answer.text = [&](std::ostream& out, bool) { table.Print(out); };
  Print(context, answer);
  return {};
}

}  // namespace watershed
