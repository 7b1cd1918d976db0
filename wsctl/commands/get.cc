#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "runtime/job/nearest_name.h"
#include "runtime/status/job_status.h"
#include "wsctl/commands/await.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_json.h"
#include "wsctl/job_reference.h"
#include "wsctl/job_text.h"
#include "wsctl/listings.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kWatchInterval{500};

enum class Kind : uint8_t { kJobs, kJob, kCheckpoints, kVertices, kSubtasks, kTaskManagers };
constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"jobs", Kind::kJobs},
    {"job", Kind::kJob},
    {"checkpoints", Kind::kCheckpoints},
    {"checkpoint", Kind::kCheckpoints},
    {"vertices", Kind::kVertices},
    {"subtasks", Kind::kSubtasks},
    {"taskmanagers", Kind::kTaskManagers},
    {"taskmanager", Kind::kTaskManagers},
};

struct Target {
  Kind kind = Kind::kJobs;
  std::string name;  // a job's or a TaskManager's, as typed; may be empty
};

Outcome<Target> TargetOf(const GetOptions& options) {
  for (const auto& [word, kind] : kKinds) {
    if (options.kind != word) continue;
    if (kind == Kind::kJobs && !options.name.empty()) return Target{Kind::kJob, options.name};
    if (options.name.empty() && kind != Kind::kJobs && kind != Kind::kTaskManagers) {
      return Fail(ExitCode::kUsage, fmt::format("JOB is required: wsctl get {} JOB", word));
    }
    return Target{kind, options.name};
  }
  if (options.kind.empty()) {
    return Fail(ExitCode::kUsage,
                "KIND or JOB is required, such as jobs, taskmanagers or a job's name\n"
                "More: wsctl get --help");
  }
  if (options.name.empty()) return Target{Kind::kJob, options.kind};
  std::vector<std::string_view> words;
  for (const auto& [word, kind] : kKinds) words.push_back(word);
  return Fail(ExitCode::kUsage, fmt::format("there is no kind '{}'{}\nMore: wsctl get --help",
                                            options.kind, Suggestion(options.kind, words)));
}

Outcome<std::vector<v1::TaskManagerDetails>> FindTaskManagers(JobClient& client,
                                                              const std::string& name) {
  WS_ASSIGN_OR_RETURN(std::vector<v1::TaskManagerDetails> all, client.TaskManagers());
  if (name.empty()) return all;
  WS_ASSIGN_OR_RETURN(const v1::TaskManagerDetails found, ResolveTaskManager(name, all));
  return std::vector<v1::TaskManagerDetails>{found};
}

// What was asked for, asked again at every look of a watch.
class Query {
 public:
  Query(const CommandContext& context, JobClient& client, Target target, bool all)
      : context_(context), client_(client), target_(std::move(target)), all_(all) {}

  // Which job is meant is decided once.
  Outcome<void> Resolve() {
    if (target_.name.empty() || target_.kind == Kind::kTaskManagers) return {};
    WS_ASSIGN_OR_RETURN(job_id_, FindJobId(client_, target_.name));
    return {};
  }

  Outcome<Listing> Rows() {
    const int64_t now_ms = context_.clock->NowMs();
    if (target_.kind == Kind::kJobs) {
      WS_ASSIGN_OR_RETURN(const std::vector<v1::JobSummary> jobs, client_.List(all_));
      return ListJobs(jobs, all_, now_ms);
    }
    if (target_.kind == Kind::kTaskManagers) {
      WS_ASSIGN_OR_RETURN(const auto task_managers, FindTaskManagers(client_, target_.name));
      Listing listing = ListTaskManagers(task_managers);
      if (!target_.name.empty()) listing.json = listing.rows.front().json;
      return listing;
    }
    WS_ASSIGN_OR_RETURN(const v1::JobDetails job, client_.Get(job_id_));
    switch (target_.kind) {
      case Kind::kCheckpoints:
        return ListCheckpoints(job);
      case Kind::kVertices:
        return ListVertices(job);
      case Kind::kSubtasks:
        return ListSubtasks(job);
      default:
        return ListJob(job, now_ms);
    }
  }

  // One job is a page, not a line.
  Outcome<Answer> Once() {
    if (target_.kind != Kind::kJob) {
      WS_ASSIGN_OR_RETURN(const Listing listing, Rows());
      return AnswerOf(listing);
    }
    WS_ASSIGN_OR_RETURN(v1::JobDetails job, client_.Get(job_id_));
    const int64_t now_ms = context_.clock->NowMs();
    Answer answer{.json = JobDetailsToJson(job, now_ms), .names = {job_id_}};
    answer.text = [job = std::move(job), now_ms](std::ostream& out, bool wide) {
      PrintJob(out, job, now_ms, wide);
    };
    return answer;
  }

 private:
  const CommandContext& context_;
  JobClient& client_;
  const Target target_;
  const bool all_;
  std::string job_id_;
};

Outcome<void> Watch(const CommandContext& context, JobClient& client, Query& query) {
  const Interrupts interrupts(context);
  ListingChanges changes(context);
  while (!interrupts.came()) {
    WS_ASSIGN_OR_RETURN(const Listing now,
                        UnlessWatchedOut(client, Persist(client, [&] { return query.Rows(); })));
    changes.Print(now);
    if (!*context.console.out) return {};
    if (context.console.IsUnread()) return Fail(ExitCode::kReaderGone, "");
    if (now.is_over) {
      return now.failure ? Outcome<void>(tl::make_unexpected(*now.failure)) : Outcome<void>();
    }
    if (std::chrono::steady_clock::now() + kWatchInterval >= client.deadline()) {
      return WatchedOut(client);
    }
    interrupts.SleepFor(kWatchInterval);
  }
  return {};
}

}  // namespace

Outcome<void> GetCommand(const CommandContext& context, const GetOptions& options) {
  WS_ASSIGN_OR_RETURN(Target target, TargetOf(options));
  WS_ASSIGN_OR_RETURN(auto client,
                      ClientFor(context, options.watch ? kNoTimeout : kDefaultTimeout));
  Query query(context, *client, std::move(target), options.all);
  WS_RETURN_IF_ERROR(query.Resolve());
  if (options.watch) return Watch(context, *client, query);
  WS_ASSIGN_OR_RETURN(const Answer answer, query.Once());
  Print(context, answer);
  return {};
}

Outcome<void> CandidatesCommand(const CommandContext& context, const std::string& kind) {
  constexpr std::chrono::milliseconds kPatience{1000};  // of somebody who pressed Tab
  auto client = JobClient::Create(context.options.jobmanager, kPatience);
  if (!client) return {};
  if (kind == "taskmanagers") {
    const auto task_managers = (*client)->TaskManagers();
    if (!task_managers) return {};
    for (const auto& each : *task_managers) *context.console.out << each.task_manager_id() << '\n';
    return {};
  }
  const auto jobs = (*client)->List(/*include_ended=*/kind != "running-jobs");
  if (!jobs) return {};
  std::set<std::string> names;
  for (const v1::JobSummary& job : *jobs) {
    // What a shell would take apart is not offered.
    const bool is_one_word = job.name().find_first_of(" \t\n'\"\\$`:") == std::string::npos;
    if (is_one_word && names.insert(job.name()).second) *context.console.out << job.name() << '\n';
  }
  for (const v1::JobSummary& job : *jobs) *context.console.out << job.job_id() << '\n';
  return {};
}

}  // namespace watershed
