// The TaskManager's way to call its JobManager, one of several there may be; a simulation puts its
// own in the place of gRPC's.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "runtime/types/result.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// Calls return at once; what is given runs later, once, on any thread, also when the JobManager is
// gone. An error is retryable when nobody knows whether the JobManager heard of the call.
class JobManagerGateway {
 public:
  template <typename Response>
  using Answer = std::function<void(Result<Response>)>;

  virtual ~JobManagerGateway() = default;
  // Whom calls go to, for messages: "JobManager at 127.0.0.1:6123".
  virtual std::string peer() const { return "JobManager"; }
  // They go to another one from now on. False: there is none.
  virtual bool TryAnother() { return false; }
  // Waits for a JobManager that is not there yet, if it is the only one.
  virtual void Register(const v1::RegisterTaskManagerRequest& request,
                        Answer<v1::RegisterTaskManagerResponse> done) = 0;
  // Keeps a call open: `ended` runs when the JobManager, its process or the connection ends, or
  // after Detach.
  virtual void Attach(const v1::AttachRequest& request, std::function<void()> ended) = 0;
  virtual void Detach() = 0;
  // Given up after `deadline`.
  virtual void Heartbeat(const v1::HeartbeatRequest& request, std::chrono::milliseconds deadline,
                         Answer<v1::HeartbeatResponse> done) = 0;
  virtual void UpdateTasks(const v1::UpdateTasksRequest& request,
                           Answer<v1::UpdateTasksResponse> done) = 0;
  virtual void ReportCheckpoint(const v1::ReportCheckpointRequest& request,
                                Answer<v1::ReportCheckpointResponse> done) = 0;
};

}  // namespace watershed
