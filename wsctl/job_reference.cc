#include "wsctl/job_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "runtime/job/nearest_name.h"
#include "runtime/status/job_status.h"
#include "wsctl/job_client.h"

namespace watershed {
namespace {

constexpr size_t kCandidatesShown = 5;

using Candidates = std::vector<const v1::JobSummary*>;

template <typename Predicate>
Candidates Select(std::span<const v1::JobSummary> jobs, Predicate predicate) {
  Candidates result;
  for (const v1::JobSummary& job : jobs) {
    if (predicate(job)) result.push_back(&job);
  }
  return result;
}

std::string Describe(const Candidates& candidates) {
  std::string text;
  for (size_t i = 0; i < candidates.size() && i < kCandidatesShown; ++i) {
    const v1::JobSummary& job = *candidates[i];
    text += fmt::format("\n  {}  {}  {}", job.job_id(), NameOf(job.state()), job.name());
  }
  if (candidates.size() > kCandidatesShown) {
    text += fmt::format("\n  and {} more", candidates.size() - kCandidatesShown);
  }
  return text;
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

std::string Lowercase(std::string_view hex) {
  std::string result(hex);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

Outcome<std::string> ResolveJob(std::string_view reference, std::span<const v1::JobSummary> jobs,
                                JobPurpose purpose) {
  std::string prefix = IsHex(reference) ? Lowercase(reference) : std::string();
  for (const v1::JobSummary& job : jobs) {
    if (job.job_id() == prefix) return job.job_id();
  }
  Candidates found =
      Select(jobs, [&](const v1::JobSummary& job) { return job.name() == reference; });
  if (found.size() > 1) {
    Candidates alive = Select(jobs, [&](const v1::JobSummary& job) {
      return job.name() == reference && !IsEnded(job.state());
    });
    if (alive.empty() && purpose == JobPurpose::kLook) return found.front()->job_id();
    if (alive.empty()) {
      return Fail(ExitCode::kFailed, fmt::format("there is no running job '{}'; ended ones:{}",
                                                 reference, Describe(found)));
    }
    found = alive;
  }
  if (found.empty() && !prefix.empty()) {
    found =
        Select(jobs, [&](const v1::JobSummary& job) { return job.job_id().starts_with(prefix); });
  }
  if (found.size() == 1) return found.front()->job_id();
  if (found.size() > 1) {
    return Fail(ExitCode::kFailed,
                fmt::format("'{}' is the name or the beginning of the id of {} jobs:{}", reference,
                            found.size(), Describe(found)));
  }
  if (jobs.empty()) {
    return Fail(ExitCode::kFailed,
                fmt::format("there is no job '{}': the JobManager has no jobs", reference));
  }
  std::vector<std::string_view> names;
  for (const v1::JobSummary& job : jobs) names.push_back(job.name());
  const std::string_view nearest = NearestName(reference, names);
  Candidates all = Select(jobs, [](const v1::JobSummary&) { return true; });
  return Fail(ExitCode::kFailed,
              fmt::format("there is no job '{}'{}; there are:{}", reference,
                          nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest),
                          Describe(all)));
}

Outcome<std::string> FindJobId(JobClient& client, const std::string& reference,
                               JobPurpose purpose) {
  WS_ASSIGN_OR_RETURN(std::vector<v1::JobSummary> jobs, client.List(true));
  return ResolveJob(reference, jobs, purpose);
}

Outcome<v1::TaskManagerDetails> ResolveTaskManager(
    std::string_view reference, std::span<const v1::TaskManagerDetails> task_managers) {
  const v1::TaskManagerDetails* found = nullptr;
  std::vector<std::string_view> ids;
  for (const v1::TaskManagerDetails& each : task_managers) {
    if (each.task_manager_id() == reference) return each;
    ids.push_back(each.task_manager_id());
    if (!each.task_manager_id().starts_with(reference)) continue;
    if (found != nullptr) {
      return Fail(ExitCode::kFailed,
                  fmt::format("several TaskManagers' ids begin with '{}': {} and {}", reference,
                              found->task_manager_id(), each.task_manager_id()));
    }
    found = &each;
  }
  if (found != nullptr) return *found;
  return Fail(ExitCode::kFailed,
              fmt::format("there is no TaskManager '{}'{}", reference,
                          ids.empty() ? ": none has registered" : Suggestion(reference, ids)));
}

}  // namespace watershed
