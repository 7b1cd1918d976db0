// The JobManager's services as wsctl sees them. gRPC stays in job_client.cc.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "watershed/v1/control.pb.h"
#include "watershed/v1/log.pb.h"
#include "wsctl/exit_code.h"

namespace watershed {

// Every call blocks until it is answered or the client's deadline, which counts from its creation,
// has passed. Failures: kUnreachable when no JobManager could be reached, kTimedOut when one was
// connected but did not answer in time, kUsage when it refused a submitted job as wrong, else
// kFailed.
class JobClient {
 public:
  // `address` is host:port, or several with commas between them, of which the first that takes a
  // connection is used; anything else is a failure kUsage. Connects at the first call.
  static Outcome<std::unique_ptr<JobClient>> Create(const std::string& address,
                                                    std::chrono::milliseconds timeout);
  ~JobClient();

  Outcome<v1::SubmitJobResponse> Submit(const v1::SubmitJobRequest& request);
  Outcome<std::vector<v1::JobSummary>> List(bool include_ended);
  Outcome<v1::JobDetails> Get(const std::string& job_id);
  Outcome<void> Cancel(const std::string& job_id);
  Outcome<v1::GetVersionResponse> Version();
  // Asked for when they return; Operation tells how it stands.
  Outcome<void> TriggerSavepoint(const v1::TriggerSavepointRequest& request);
  Outcome<void> RequestCheckpoint(const v1::RequestCheckpointRequest& request);
  Outcome<void> StopWithSavepoint(const v1::StopWithSavepointRequest& request);
  Outcome<v1::Operation> Operation(const std::string& job_id, const std::string& operation_id);
  Outcome<void> DisposeSavepoint(const std::string& path);
  Outcome<std::vector<v1::TaskManagerDetails>> TaskManagers();
  Outcome<v1::ReadLogResponse> ReadLog(const v1::ReadLogRequest& request);
  Outcome<v1::LogLevelResponse> LogLevel(const v1::LogLevelRequest& request);

  std::chrono::steady_clock::time_point deadline() const;
  std::chrono::milliseconds timeout() const;  // from the client's creation to its deadline
  const std::string& address() const;

 private:
  struct Impl;
  explicit JobClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace watershed
