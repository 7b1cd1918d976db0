// metrics, top: what jobs do per second.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/config/units.h"
#include "runtime/status/job_status.h"
#include "wsctl/commands/await.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_json.h"
#include "wsctl/job_rates.h"
#include "wsctl/job_reference.h"
#include "wsctl/listings.h"
#include "wsctl/output.h"
#include "wsctl/terminal.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

// Counters come with heartbeats, once a second by default: two of them at least.
constexpr std::chrono::milliseconds kInterval{2500};
constexpr std::chrono::milliseconds kTwoHeartbeats{2000};

struct JobFigures {
  v1::JobDetails job;
  std::vector<VertexRates> vertices;
};

// Looks at jobs, and at each look says what they did since the last.
class FigureReader {
 public:
  FigureReader(const CommandContext& context, JobClient& client, std::string job_id)
      : context_(context), client_(client), job_id_(std::move(job_id)) {}

  Outcome<std::vector<JobFigures>> Look() {
    std::vector<std::string> ids;
    if (job_id_.empty()) {
      WS_ASSIGN_OR_RETURN(const auto jobs, client_.List(false));
      for (const v1::JobSummary& job : jobs) ids.push_back(job.job_id());
    } else {
      ids.push_back(job_id_);
    }
    std::vector<JobFigures> all;
    std::map<std::string, v1::JobDetails> seen;
    for (const std::string& id : ids) {
      WS_ASSIGN_OR_RETURN(v1::JobDetails job, client_.Get(id));
      const int64_t now_ms = context_.clock->NowMs();
      all.push_back({job, RatesOf(last_[id], job, now_ms)});
      seen[id] = std::move(job);
    }
    last_ = std::move(seen);
    return all;
  }

 private:
  const CommandContext& context_;
  JobClient& client_;
  const std::string job_id_;  // empty: all that have not ended
  std::map<std::string, v1::JobDetails> last_;
};

Json ToJson(const std::vector<JobFigures>& figures) {
  Json jobs = Json::array();
  for (const JobFigures& each : figures) {
    Json vertices = Json::array();
    for (const VertexRates& rates : each.vertices) vertices.push_back(ToJson(rates));
    const v1::JobSummary& job = each.job.summary();
    jobs.push_back(
        {{"job-id", job.job_id()},
         {"name", job.name()},
         {"state", NameOf(job.state())},
         {"restarts", each.job.restarts()},
         {"latest-completed", each.job.has_checkpoints()
                                  ? CheckpointToJson(each.job.checkpoints().latest_completed())
                                  : Json()},
         {"vertices", std::move(vertices)}});
  }
  return {{"jobs", std::move(jobs)}};
}

std::string CheckpointText(const v1::JobDetails& job, int64_t now_ms) {
  if (!job.has_checkpoints()) return "takes no checkpoints";
  const v1::CheckpointSummary& last = job.checkpoints().latest_completed();
  if (last.id() == 0) return "no checkpoint yet";
  return fmt::format(
      "checkpoint {} {} ago, took {}, {}", last.id(), HumanDuration(now_ms - last.end_time_ms()),
      HumanDuration(last.end_time_ms() - last.trigger_time_ms()), HumanBytes(last.state_bytes()));
}

void PrintVertices(std::ostream& out, const std::vector<VertexRates>& vertices, bool wide) {
  constexpr Align kRight = Align::kRight;
  std::vector<Table::Column> columns = {{"  VERTEX"},
                                        {"STATE"},
                                        {"IN/S", kRight},
                                        {"OUT/S", kRight},
                                        {"BUSY", kRight},
                                        {"BACKPRESSURED", kRight},
                                        {"WATERMARK LAG", kRight},
                                        {"LAG", kRight},
                                        {"LATE", kRight}};
  if (wide) {
    for (const char* title : {"BYTES IN/S", "BYTES OUT/S", "IN", "OUT", "SKIPPED"}) {
      columns.push_back({title, kRight});
    }
  }
  Table table(std::move(columns));
  for (const VertexRates& each : vertices) {
    std::vector<std::string> cells = {fmt::format("  {} x{}", each.vertex, each.parallelism),
                                      each.state,
                                      RateText(each.records_in_per_second),
                                      RateText(each.records_out_per_second),
                                      PercentText(each.busy),
                                      PercentText(each.backpressured),
                                      HumanDuration(each.watermark_lag_ms),
                                      CountText(each.source_lag_records),
                                      CountText(each.late_records)};
    if (wide) {
      for (std::string cell : {RateText(each.bytes_in_per_second),
                               RateText(each.bytes_out_per_second), CountText(each.records_in),
                               CountText(each.records_out), CountText(each.skipped_records)}) {
        cells.push_back(std::move(cell));
      }
    }
    table.AddRow(std::move(cells));
  }
  table.Print(out);
}

void PrintFigures(std::ostream& out, const std::vector<JobFigures>& figures, int64_t now_ms,
                  bool wide) {
  if (figures.empty()) out << "No running jobs.\n";
  for (const JobFigures& each : figures) {
    const v1::JobSummary& job = each.job.summary();
    out << fmt::format("{}  {}  {}, {}/{} tasks, {} restarts, {}\n", Printable(job.name()),
                       job.job_id(), NameOf(job.state()), job.tasks_running(), job.tasks_total(),
                       each.job.restarts(), CheckpointText(each.job, now_ms));
    if (!job.status_reason().empty()) out << "  " << Printable(job.status_reason()) << '\n';
    PrintVertices(out, each.vertices, wide);
  }
}

Answer AnswerOf(const CommandContext& context, const std::vector<JobFigures>& figures) {
  Answer answer{.json = ToJson(figures)};
  for (const JobFigures& each : figures) answer.names.push_back(each.job.summary().job_id());
  answer.text = [figures, now_ms = context.clock->NowMs()](std::ostream& out, bool wide) {
    PrintFigures(out, figures, now_ms, wide);
  };
  return answer;
}

Outcome<std::string> JobIdOrAll(JobClient& client, const std::string& job) {
  if (job.empty()) return std::string();
  return FindJobId(client, job);
}

void PrintMemory(std::ostream& out, const v1::TaskManagerDetails& task_manager) {
  out << fmt::format("TaskManager {}: {} resident of {}, {} of {} slots free\n",
                     Printable(task_manager.task_manager_id()),
                     HumanBytes(task_manager.resident_memory_bytes()),
                     HumanBytes(task_manager.process_memory_bytes()), task_manager.free_slots(),
                     task_manager.slots());
  Table table(
      {{"  MEMORY"}, {"USED", Align::kRight}, {"PEAK", Align::kRight}, {"LIMIT", Align::kRight}});
  for (const v1::MemoryShareUsage& share : task_manager.memory()) {
    table.AddRow({"  " + share.name(), HumanBytes(share.used_bytes()),
                  HumanBytes(share.peak_bytes()), HumanBytes(share.limit_bytes())});
  }
  table.Print(out);
}

Outcome<void> TaskManagerMetrics(const CommandContext& context, JobClient& client,
                                 const std::string& reference) {
  WS_ASSIGN_OR_RETURN(const auto task_managers, client.TaskManagers());
  WS_ASSIGN_OR_RETURN(const v1::TaskManagerDetails found,
                      ResolveTaskManager(reference, task_managers));
  Print(context, {.json = TaskManagerToJson(found),
                  .names = {found.task_manager_id()},
                  .text = [&](std::ostream& out, bool) { PrintMemory(out, found); }});
  return {};
}

// From the first look to the second, which must be answered before the client's deadline.
std::chrono::milliseconds IntervalWithin(const CommandContext& context, const JobClient& client) {
  constexpr std::chrono::milliseconds kAnswer{500};
  const auto left = std::max(std::chrono::milliseconds(0),
                             std::chrono::duration_cast<std::chrono::milliseconds>(
                                 client.deadline() - std::chrono::steady_clock::now()));
  const auto interval = std::min(kInterval, left - std::min(kAnswer, left / 4));
  if (interval < kTwoHeartbeats) {
    *context.console.err << fmt::format(
        "warning: --timeout {} leaves {} to see counters grow that come once a second: rates may "
        "be missing\n",
        FormatDuration(client.timeout()), FormatDuration(interval));
  }
  return interval;
}

// A screen of its own, which gives way to what was there. Lines are cut to its width.
class Screen {
 public:
  explicit Screen(const CommandContext& context)
      : environment_(context.environment), out_(*context.console.out) {
    out_ << "\x1b[?1049h\x1b[?25l";
  }
  ~Screen() { out_ << "\x1b[?25h\x1b[?1049l" << std::flush; }
  void Draw(const std::string& text) {
    out_ << "\x1b[H\x1b[J" << ClipLines(text, TerminalColumns(environment_)) << std::flush;
  }

 private:
  const Variables& environment_;
  std::ostream& out_;
};

}  // namespace

Outcome<void> MetricsCommand(const CommandContext& context, const std::string& job,
                             const std::string& task_manager) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  if (!task_manager.empty()) return TaskManagerMetrics(context, *client, task_manager);
  WS_ASSIGN_OR_RETURN(std::string job_id, JobIdOrAll(*client, job));
  FigureReader reader(context, *client, std::move(job_id));
  WS_RETURN_IF_ERROR(reader.Look());
  const Interrupts interrupts(context);
  if (!interrupts.SleepFor(IntervalWithin(context, *client))) return {};
  WS_ASSIGN_OR_RETURN(const auto figures, reader.Look());
  Print(context, AnswerOf(context, figures));
  return {};
}

Outcome<void> TopCommand(const CommandContext& context, const std::string& job, bool once) {
  if (once || !context.console.out_is_terminal || IsForPrograms(context.options.output)) {
    return MetricsCommand(context, job, "");
  }
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context, kNoTimeout));
  WS_ASSIGN_OR_RETURN(std::string job_id, JobIdOrAll(*client, job));
  FigureReader reader(context, *client, std::move(job_id));
  const Interrupts interrupts(context);
  Screen screen(context);
  const bool wide = context.options.output == OutputFormat::kWide;
  while (!interrupts.came()) {
    WS_ASSIGN_OR_RETURN(const auto figures,
                        UnlessWatchedOut(*client, Persist(*client, [&] { return reader.Look(); })));
    const int64_t now_ms = context.clock->NowMs();
    std::ostringstream text;
    text << fmt::format("wsctl top  {}  {}  Ctrl-C ends it\n\n", client->address(),
                        ShortTime(now_ms));
    PrintFigures(text, figures, now_ms, wide);
    screen.Draw(text.str());
    if (std::chrono::steady_clock::now() + kInterval >= client->deadline()) {
      return WatchedOut(*client);
    }
    interrupts.SleepFor(kInterval);
  }
  return {};
}

}  // namespace watershed
