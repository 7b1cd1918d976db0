// The REST API: a table of routes over the JobManager's interface. Knows no socket, so tests
// call it directly; http_server.h serves it.
#pragma once

#include <memory>

#include "jobmanager/job/job_view.h"
#include "jobmanager/rest/http.h"
#include "jobmanager/rest/json_views.h"
#include "runtime/types/clock.h"

namespace watershed {

// Every route at /x and /v1/x, in Flink's shapes; beside them the web page at /. Errors are
// {"errors":["…"]}: 400 for a parameter that makes no sense, 404 for an unknown path, job or
// TaskManager, 405 (with Allow) for a method that the path does not take, 409 for what a job's
// state does not allow. What takes a while is in rest_operations.h.
class RestApi {
 public:
  // `jobs` and `clock` must outlive the API.
  RestApi(JobManagerView* jobs, const Clock* clock, BuildInfo build);
  ~RestApi();

  // Thread-safe; does not block. An exception inside becomes a 500 without details. `respond` may
  // outlive the API.
  void Handle(const HttpRequest& request, const HttpResponder& respond) const;

 private:
  struct Route;
  struct Match;
  void Dispatch(const HttpRequest& request, const HttpResponder& respond) const;

  JobManagerView* jobs_;
  const Clock* clock_;
  BuildInfo build_;
};

}  // namespace watershed
