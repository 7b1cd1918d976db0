#include "jobmanager/rest/rest_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "jobmanager/rest/rest_operations.h"
#include "jobmanager/rest/rest_responses.h"
#include "jobmanager/rest/web_page.h"
#include "runtime/status/job_status.h"

namespace watershed {

// What a handler gets: the path's parameters in their order, the query, and the body as sent.
struct RestApi::Match {
  std::vector<std::string> parameters;
  std::vector<std::pair<std::string, std::string>> query;
  const std::string& body;
};

namespace {

HttpResponse PageResponse(const WebAsset& asset) {
  return {.content_type = std::string(asset.content_type),
          .body = std::string(asset.content),
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; script-src 'self'; style-src 'self'; "
                       "connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                       "form-action 'none'; frame-ancestors 'none'"}}};
}

// What `view` makes of a job, or why there is none.
template <typename View>
HttpResponse WithJob(const JobManagerView& jobs, std::string_view id_text, int64_t now_ms,
                     const View& view) {
  const std::optional<std::string> id = ParseHexId(id_text);
  if (!id) return BadId(id_text, "a job id");
  const Result<v1::JobDetails> job = jobs.FindJob(*id);
  return job ? JsonResponse(view(*job, now_ms)) : UnknownJob(*id);
}

// What `view` makes of a job's checkpoint, or why there is none.
template <typename View>
HttpResponse WithCheckpoint(const JobManagerView& jobs, const std::string& job_text,
                            const std::string& checkpoint_text, const View& view) {
  const std::optional<std::string> id = ParseHexId(job_text);
  if (!id) return BadId(job_text, "a job id");
  int64_t number = 0;
  const char* end = checkpoint_text.data() + checkpoint_text.size();
  const auto parsed = std::from_chars(checkpoint_text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return ErrorResponse(
        400, fmt::format("Bad request: '{}' is not the number of a checkpoint.", checkpoint_text));
  }
  const Result<v1::JobDetails> job = jobs.FindJob(*id);
  if (!job) return UnknownJob(*id);
  const auto checkpoint = jobs.FindCheckpoint(*id, CheckpointId{number});
  if (!checkpoint) {
    return ErrorResponse(
        404, fmt::format("Could not find checkpointing statistics for checkpoint {}.", number));
  }
  return view(*job, *checkpoint);
}

HttpResponse CheckpointSubtasks(const v1::JobDetails& job, const v1::CheckpointDetails& checkpoint,
                                const std::string& vertex_id) {
  for (const v1::Vertex& vertex : job.plan().vertices()) {
    if (vertex.id() != vertex_id) continue;
    if (checkpoint.summary().subtasks() == 0) break;  // an earlier JobManager's
    return JsonResponse(CheckpointSubtasksJson(checkpoint, vertex));
  }
  return ErrorResponse(404, fmt::format("There is no statistic for task {}.", vertex_id));
}

HttpResponse TaskManagerDetails(const JobManagerView& jobs, std::string_view id) {
  for (const TaskManagerView& worker : jobs.TaskManagers()) {
    if (worker.id == id) return JsonResponse(TaskManagerDetailsJson(worker));
  }
  return ErrorResponse(404, fmt::format("TaskManager {} not found", id));
}

HttpResponse Cancel(JobManagerView& jobs, std::string_view id_text) {
  std::optional<std::string> id = ParseHexId(id_text);
  if (!id) return BadId(id_text, "a job id");
  Result<v1::JobDetails> job = jobs.FindJob(*id);
  if (!job) return UnknownJob(*id);
  v1::JobState state = job->summary().state();
  if (state == v1::FINISHED || state == v1::FAILED) {
    return ErrorResponse(
        409, fmt::format("Job {} can no longer be cancelled: it is {}.", *id, NameOf(state)));
  }
  if (Status status = jobs.RequestCancel(*id); !status) {
    return ErrorResponse(500, status.error().message);
  }
  return JsonResponse(Json::object(), 202);
}

// PATCH /jobs/:id?mode=cancel; without a mode Flink cancels too.
HttpResponse Terminate(JobManagerView& jobs, std::string_view id,
                       std::span<const std::pair<std::string, std::string>> query) {
  for (const auto& [name, value] : query) {
    if (name != "mode" || value == "cancel") continue;
    return ErrorResponse(
        400, fmt::format("Bad request: mode '{}' is not supported; expected 'cancel'.", value));
  }
  return Cancel(jobs, id);
}

}  // namespace

// One line of the table. A segment ":x" of the path takes any text and becomes a Match's parameter.
struct RestApi::Route {
  std::string_view method;
  std::string_view path;
  // One of the two: what answers at once, or later.
  HttpResponse (*handle)(const RestApi& api, const Match& match);
  void (*begin)(const RestApi& api, const Match& match, const HttpResponder& respond) = nullptr;

  bool PathMatches(std::span<const std::string> segments,
                   std::vector<std::string>& parameters) const {
    parameters.clear();
    std::string_view rest = path.substr(1);
    for (const std::string& segment : segments) {
      if (rest.empty()) return false;
      std::string_view expected = rest.substr(0, rest.find('/'));
      rest = expected.size() == rest.size() ? "" : rest.substr(expected.size() + 1);
      if (expected.front() == ':') {
        parameters.push_back(segment);
      } else if (expected != segment) {
        return false;
      }
    }
    return rest.empty();
  }

  static const Route kTable[];
};

// The first match wins, so /jobs/overview stands before /jobs/:jobid.
const RestApi::Route RestApi::Route::kTable[] = {
    {"GET", "/", [](const RestApi&, const Match&) { return PageResponse(IndexHtml()); }},
    {"GET", "/app.js", [](const RestApi&, const Match&) { return PageResponse(AppJs()); }},
    {"GET", "/style.css", [](const RestApi&, const Match&) { return PageResponse(StyleCss()); }},
    {"GET", "/config",
     [](const RestApi& api, const Match&) { return JsonResponse(ConfigJson(api.build_)); }},
    {"GET", "/overview",
     [](const RestApi& api, const Match&) {
       return JsonResponse(OverviewJson(api.jobs_->Jobs(), api.jobs_->TaskManagers(), api.build_));
     }},
    {"GET", "/jobs",
     [](const RestApi& api, const Match&) { return JsonResponse(JobIdsJson(api.jobs_->Jobs())); }},
    {"GET", "/jobs/overview",
     [](const RestApi& api, const Match&) {
       return JsonResponse(JobsOverviewJson(api.jobs_->Jobs(), api.clock_->NowMs()));
     }},
    {"GET", "/jobs/:jobid",
     [](const RestApi& api, const Match& match) {
       return WithJob(*api.jobs_, match.parameters[0], api.clock_->NowMs(), JobDetailsJson);
     }},
    {"GET", "/jobs/:jobid/checkpoints",
     [](const RestApi& api, const Match& match) {
       return WithJob(*api.jobs_, match.parameters[0], api.clock_->NowMs(), CheckpointsJson);
     }},
    {"GET", "/jobs/:jobid/checkpoints/config",
     [](const RestApi& api, const Match& match) {
       return WithJob(*api.jobs_, match.parameters[0], 0,
                      [](const v1::JobDetails& job, int64_t) { return CheckpointConfigJson(job); });
     }},
    {"GET", "/jobs/:jobid/checkpoints/details/:checkpointid",
     [](const RestApi& api, const Match& match) {
       return WithCheckpoint(
           *api.jobs_, match.parameters[0], match.parameters[1],
           [&](const auto& job, const auto& checkpoint) {
             return JsonResponse(CheckpointDetailsJson(job, checkpoint, api.clock_->NowMs()));
           });
     }},
    {"GET", "/jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid",
     [](const RestApi& api, const Match& match) {
       return WithCheckpoint(*api.jobs_, match.parameters[0], match.parameters[1],
                             [&](const auto& job, const auto& checkpoint) {
                               return CheckpointSubtasks(job, checkpoint, match.parameters[2]);
                             });
     }},
    {"POST", "/jobs/:jobid/checkpoints", nullptr,
     [](const RestApi& api, const Match& match, const HttpResponder& respond) {
       BeginCheckpoint(*api.jobs_, match.parameters[0], match.body, respond);
     }},
    {"GET", "/jobs/:jobid/checkpoints/:triggerid",
     [](const RestApi& api, const Match& match) {
       return CheckpointStatus(*api.jobs_, match.parameters[0], match.parameters[1]);
     }},
    {"POST", "/jobs/:jobid/savepoints", nullptr,
     [](const RestApi& api, const Match& match, const HttpResponder& respond) {
       BeginSavepoint(*api.jobs_, match.parameters[0], match.body, respond);
     }},
    {"GET", "/jobs/:jobid/savepoints/:triggerid",
     [](const RestApi& api, const Match& match) {
       return SavepointStatus(*api.jobs_, match.parameters[0], match.parameters[1]);
     }},
    {"POST", "/jobs/:jobid/stop", nullptr,
     [](const RestApi& api, const Match& match, const HttpResponder& respond) {
       BeginStop(*api.jobs_, match.parameters[0], match.body, respond);
     }},
    {"POST", "/savepoint-disposal", nullptr,
     [](const RestApi& api, const Match& match, const HttpResponder& respond) {
       BeginDisposal(*api.jobs_, match.body, respond);
     }},
    {"GET", "/savepoint-disposal/:triggerid",
     [](const RestApi& api,
        const Match& match) { return DisposalStatus(*api.jobs_, match.parameters[0]); }},
    {"PATCH", "/jobs/:jobid",
     [](const RestApi& api,
        const Match& match) { return Terminate(*api.jobs_, match.parameters[0], match.query); }},
    {"GET", "/jobs/:jobid/yarn-cancel",
     [](const RestApi& api,
        const Match& match) { return Cancel(*api.jobs_, match.parameters[0]); }},
    {"GET", "/taskmanagers",
     [](const RestApi& api,
        const Match&) { return JsonResponse(TaskManagersJson(api.jobs_->TaskManagers())); }},
    {"GET", "/taskmanagers/:taskmanagerid",
     [](const RestApi& api,
        const Match& match) { return TaskManagerDetails(*api.jobs_, match.parameters[0]); }},
};

RestApi::RestApi(JobManagerView* jobs, const Clock* clock, BuildInfo build)
    : jobs_(jobs), clock_(clock), build_(build) {}

RestApi::~RestApi() = default;

void RestApi::Handle(const HttpRequest& request, const HttpResponder& respond) const {
  try {
    Dispatch(request, respond);
  } catch (const std::exception&) {
    respond(ErrorResponse(500, "Internal server error."));
  }
}

void RestApi::Dispatch(const HttpRequest& request, const HttpResponder& respond) const {
  RequestTarget target;
  if (!ParseTarget(request.target, target)) {
    return respond(ErrorResponse(400, "Bad request: the target is not a valid path."));
  }
  std::span<const std::string> segments = target.segments;
  if (!segments.empty() && segments.front() == "v1") segments = segments.subspan(1);
  // HEAD is GET whose body the server leaves out.
  std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  Match match{.parameters = {}, .query = std::move(target.query), .body = request.body};
  std::string allowed;
  for (const Route& route : Route::kTable) {
    if (!route.PathMatches(segments, match.parameters)) continue;
    if (route.method == method) {
      if (route.begin != nullptr) return route.begin(*this, match, respond);
      return respond(route.handle(*this, match));
    }
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method;
  }
  if (allowed.empty()) {
    return respond(ErrorResponse(404, fmt::format("Not found: {}", request.target)));
  }
  HttpResponse response = ErrorResponse(
      405, fmt::format("Method {} is not allowed here; allowed: {}.", request.method, allowed));
  response.headers.emplace_back("Allow", allowed);
  respond(std::move(response));
}

}  // namespace watershed
