// What may be asked of running jobs, and of savepoints, over REST: checkpoints, savepoints, stops,
// disposals. As in Flink each is asked for with a POST, answered with {"request-id": …} once it has
// been accepted, and then polled with a GET:
//   {"status": {"id": "IN_PROGRESS" | "COMPLETED"}, "operation": null | {…}}
// The client may choose the id (triggerId), so that asking again is asking once. One that has
// failed is 500 with {"errors": […]}: Flink's own `failure-cause` is a serialized Java object,
// without which its clients wait for ever.
#pragma once

#include <string>

#include "jobmanager/job/job_view.h"
#include "jobmanager/rest/http.h"

namespace watershed {

// Each answers once: 202 (a disposal: 200, as in Flink) or an error: 400 for a body or an id that
// makes no sense and for what cannot be done, 404 for an unknown job, 409 while the job is not
// RUNNING.
void BeginSavepoint(JobManagerView& jobs, const std::string& job_id, const std::string& body,
                    const HttpResponder& respond);
void BeginStop(JobManagerView& jobs, const std::string& job_id, const std::string& body,
               const HttpResponder& respond);
void BeginCheckpoint(JobManagerView& jobs, const std::string& job_id, const std::string& body,
                     const HttpResponder& respond);
void BeginDisposal(JobManagerView& jobs, const std::string& body, const HttpResponder& respond);

// 404 for an unknown job or operation, or one of another kind.
HttpResponse SavepointStatus(const JobManagerView& jobs, const std::string& job_id,
                             const std::string& operation_id);  // of stops too
HttpResponse CheckpointStatus(const JobManagerView& jobs, const std::string& job_id,
                              const std::string& operation_id);
HttpResponse DisposalStatus(const JobManagerView& jobs, const std::string& operation_id);

}  // namespace watershed
