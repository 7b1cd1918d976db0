#include "jobmanager/rest/rest_operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "jobmanager/rest/request_body.h"
#include "jobmanager/rest/rest_responses.h"
#include "watershed/v1/control.pb.h"

namespace watershed {
namespace {

using v1::Operation;

HttpResponse BadBody(const Error& error) {
  return ErrorResponse(400, fmt::format("Bad request: {}.", error.message));
}

// Somebody may ask in the very moment in which the JobManager stops.
HttpResponse NotFound(const Error& error) {
  return ErrorResponse(error.retryable ? 503 : 404, error.message);
}

JobManagerView::OperationDone AnswerAccepted(HttpResponder respond, int accepted,
                                             v1::JobState state) {
  return [=, respond = std::move(respond)](const Result<std::string>& id) {
    if (id) return respond(JsonResponse({{"request-id", *id}}, accepted));
    const int refused = state == v1::RUNNING ? 400 : 409;
    const bool is_users = id.error().domain == ErrorDomain::kUser;
    respond(ErrorResponse(is_users ? refused : 500, id.error().message));
  };
}

// Calls `begin` with the job's id and what answers when it has been asked for, or answers by
// itself.
template <typename Begin>
void WithJob(const JobManagerView& jobs, const std::string& id_text, const HttpResponder& respond,
             const Begin& begin) {
  const std::optional<std::string> id = ParseHexId(id_text);
  if (!id) return respond(BadId(id_text, "a job id"));
  const Result<v1::JobDetails> job = jobs.FindJob(*id);
  if (!job) return respond(job.error().retryable ? NotFound(job.error()) : UnknownJob(*id));
  const Status begun =
      begin(*id, AnswerAccepted(respond, /*accepted=*/202, job->summary().state()));
  if (!begun) respond(BadBody(begun.error()));
}

// Savepoints have one format, so that any is right.
Status CheckFormat(const RequestBody& body) {
  WS_RETURN_IF_ERROR(body.OneOf("formatType", {"CANONICAL", "NATIVE"}));
  return Ok();
}

Status AskSavepoint(JobManagerView& jobs, const std::string& job_id, const std::string& text,
                    JobManagerView::OperationDone done) {
  WS_ASSIGN_OR_RETURN(
      const RequestBody body,
      RequestBody::Parse(text, {"target-directory", "cancel-job", "formatType", "triggerId"}));
  WS_RETURN_IF_ERROR(CheckFormat(body));
  WS_ASSIGN_OR_RETURN(const std::string directory, body.Text("target-directory"));
  WS_ASSIGN_OR_RETURN(const std::string operation_id, body.HexId("triggerId"));
  WS_ASSIGN_OR_RETURN(const bool then_cancel, body.Flag("cancel-job"));
  if (then_cancel) {
    // A stop: the same savepoint, but nothing comes between it and the end.
    v1::StopWithSavepointRequest request;
    request.set_job_id(job_id);
    request.set_directory(directory);
    request.set_operation_id(operation_id);
    jobs.StopWithSavepoint(request, std::move(done));
    return Ok();
  }
  v1::TriggerSavepointRequest request;
  request.set_job_id(job_id);
  request.set_directory(directory);
  request.set_operation_id(operation_id);
  jobs.TriggerSavepoint(request, std::move(done));
  return Ok();
}

Status AskStop(JobManagerView& jobs, const std::string& job_id, const std::string& text,
               JobManagerView::OperationDone done) {
  WS_ASSIGN_OR_RETURN(
      const RequestBody body,
      RequestBody::Parse(text, {"targetDirectory", "drain", "formatType", "triggerId"}));
  WS_RETURN_IF_ERROR(CheckFormat(body));
  v1::StopWithSavepointRequest request;
  request.set_job_id(job_id);
  WS_ASSIGN_OR_RETURN(*request.mutable_directory(), body.Text("targetDirectory"));
  WS_ASSIGN_OR_RETURN(*request.mutable_operation_id(), body.HexId("triggerId"));
  WS_ASSIGN_OR_RETURN(const bool drain, body.Flag("drain"));
  request.set_drain(drain);
  jobs.StopWithSavepoint(request, std::move(done));
  return Ok();
}

Status AskCheckpoint(JobManagerView& jobs, const std::string& job_id, const std::string& text,
                     JobManagerView::OperationDone done) {
  WS_ASSIGN_OR_RETURN(const RequestBody body,
                      RequestBody::Parse(text, {"checkpointType", "triggerId"}));
  WS_ASSIGN_OR_RETURN(const std::string type,
                      body.OneOf("checkpointType", {"CONFIGURED", "FULL", "INCREMENTAL"}));
  if (type == "FULL") {
    return UserError(
        "a checkpoint of type FULL cannot be asked for: checkpoints share files with earlier ones; "
        "a savepoint has all its files to itself");
  }
  v1::RequestCheckpointRequest request;
  request.set_job_id(job_id);
  WS_ASSIGN_OR_RETURN(*request.mutable_operation_id(), body.HexId("triggerId"));
  jobs.RequestCheckpoint(request, std::move(done));
  return Ok();
}

// `shown`: what is to be said of a completed one.
template <typename Shown>
HttpResponse StatusOf(const JobManagerView& jobs, const std::string& job_id,
                      const std::string& operation_text,
                      std::initializer_list<Operation::Kind> kinds, const Shown& shown) {
  const std::optional<std::string> id = ParseHexId(operation_text);
  if (!id) return BadId(operation_text, "a trigger id");
  v1::GetOperationRequest request;
  request.set_job_id(job_id);
  request.set_operation_id(*id);
  const Result<v1::Operation> operation = jobs.FindOperation(request);
  if (!operation) return NotFound(operation.error());
  if (std::ranges::find(kinds, operation->kind()) == kinds.end()) {
    return ErrorResponse(404, fmt::format("Operation {} is a {}, and not asked for here.", *id,
                                          Operation::Kind_Name(operation->kind())));
  }
  if (operation->status() == v1::Operation::OPERATION_FAILED) {
    return ErrorResponse(500, operation->failure());
  }
  const bool is_done = operation->status() == v1::Operation::OPERATION_COMPLETED;
  return JsonResponse({{"status", {{"id", is_done ? "COMPLETED" : "IN_PROGRESS"}}},
                       {"operation", is_done ? shown(*operation) : Json()}});
}

template <typename Shown>
HttpResponse StatusOfJobs(const JobManagerView& jobs, const std::string& job_text,
                          const std::string& operation_text,
                          std::initializer_list<Operation::Kind> kinds, const Shown& shown) {
  const std::optional<std::string> id = ParseHexId(job_text);
  if (!id) return BadId(job_text, "a job id");
  const Result<v1::JobDetails> job = jobs.FindJob(*id);
  if (!job) return job.error().retryable ? NotFound(job.error()) : UnknownJob(*id);
  return StatusOf(jobs, *id, operation_text, kinds, shown);
}

}  // namespace

void BeginSavepoint(JobManagerView& jobs, const std::string& job_id, const std::string& body,
                    const HttpResponder& respond) {
  WithJob(jobs, job_id, respond, [&](const std::string& id, JobManagerView::OperationDone done) {
    return AskSavepoint(jobs, id, body, std::move(done));
  });
}

void BeginStop(JobManagerView& jobs, const std::string& job_id, const std::string& body,
               const HttpResponder& respond) {
  WithJob(jobs, job_id, respond, [&](const std::string& id, JobManagerView::OperationDone done) {
    return AskStop(jobs, id, body, std::move(done));
  });
}

void BeginCheckpoint(JobManagerView& jobs, const std::string& job_id, const std::string& body,
                     const HttpResponder& respond) {
  WithJob(jobs, job_id, respond, [&](const std::string& id, JobManagerView::OperationDone done) {
    return AskCheckpoint(jobs, id, body, std::move(done));
  });
}

void BeginDisposal(JobManagerView& jobs, const std::string& body, const HttpResponder& respond) {
  const Result<RequestBody> parsed = RequestBody::Parse(body, {"savepoint-path"});
  if (!parsed) return respond(BadBody(parsed.error()));
  const Result<std::string> path = parsed->Text("savepoint-path");
  if (!path) return respond(BadBody(path.error()));
  if (path->empty()) {
    return respond(ErrorResponse(400, "Bad request: the field 'savepoint-path' is missing."));
  }
  v1::DisposeSavepointRequest request;
  request.set_path(*path);
  jobs.DisposeSavepoint(request, AnswerAccepted(respond, /*accepted=*/200, v1::RUNNING));
}

HttpResponse SavepointStatus(const JobManagerView& jobs, const std::string& job_id,
                             const std::string& operation_id) {
  return StatusOfJobs(jobs, job_id, operation_id, {Operation::SAVEPOINT, Operation::STOP},
                      [](const v1::Operation& done) -> Json {
                        return {{"location", done.path()}};
                      });
}

HttpResponse CheckpointStatus(const JobManagerView& jobs, const std::string& job_id,
                              const std::string& operation_id) {
  return StatusOfJobs(jobs, job_id, operation_id, {Operation::CHECKPOINT},
                      [](const v1::Operation& done) -> Json {
                        return {{"checkpointId", done.checkpoint_id()}};
                      });
}

HttpResponse DisposalStatus(const JobManagerView& jobs, const std::string& operation_id) {
  return StatusOf(jobs, /*job_id=*/"", operation_id, {Operation::DISPOSAL},
                  [](const v1::Operation&) { return Json::object(); });
}

}  // namespace watershed
