// What the outside may read of a JobManager, and what it may ask for besides submitting: the
// interface between the JobManager's job and cluster state and its servers (rest/, rpc/,
// metrics).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

namespace v1 {
class CheckpointDetails;
class DisposeSavepointRequest;
class GetOperationRequest;
class JobDetails;
class JobSummary;
class Operation;
class RequestCheckpointRequest;
class StopWithSavepointRequest;
class TriggerSavepointRequest;
}  // namespace v1

// Slots of one TaskManager that one job holds.
struct AllocatedSlotsView {
  std::string job_id;
  int32_t slots = 0;
  int32_t assigned_tasks = 0;
};

// A part of a TaskManager's memory, by what it is for ("state", "sources", "network", …).
struct MemoryShareView {
  std::string name;
  int64_t limit_bytes = 0;
  int64_t used_bytes = 0;
  int64_t peak_bytes = 0;
};

struct TaskManagerView {
  std::string id;       // may contain ':' and '-'
  std::string address;  // host:port of its gRPC server
  int32_t slots = 0;
  int32_t free_slots = 0;
  int32_t cpu_cores = 0;
  int32_t pid = 0;
  int64_t physical_memory_bytes = 0;
  int64_t free_memory_bytes = 0;
  int64_t managed_memory_bytes = 0;
  int64_t process_memory_bytes = 0;   // the setting that bounds all of it
  int64_t resident_memory_bytes = 0;  // what the kernel says it has
  std::vector<MemoryShareView> memory;
  int64_t last_heartbeat_ms =
      0;  // wall clock, when the last heartbeat came; Flink's timeSinceLastHeartbeat
  std::vector<AllocatedSlotsView> allocated;
};

// Every call is thread-safe and returns a consistent copy without waiting for I/O: REST calls it on
// its server thread. Secrets in plans are redacted already.
class JobManagerView {
 public:
  virtual ~JobManagerView() = default;

  // Running and ended jobs, newest first.
  virtual std::vector<v1::JobSummary> Jobs() const = 0;
  // A user error when there is no such job. `job_id` is the whole id, 32 lowercase hex.
  virtual Result<v1::JobDetails> FindJob(std::string_view job_id) const = 0;
  // Of the last few. A user error when it, or the job, is not known (any more).
  virtual Result<v1::CheckpointDetails> FindCheckpoint(std::string_view job_id,
                                                       CheckpointId id) const = 0;
  virtual std::vector<TaskManagerView> TaskManagers() const = 0;

  // Asks for it and returns, before that is durable; a job that is cancelling already or has ended
  // is left as it is. A user error when there is no such job.
  virtual Status RequestCancel(std::string_view job_id) = 0;

  // What takes a while. `done` gets the operation's id, or why it was refused, on any thread; that
  // of a stop once the stop is durable. It is dropped uncalled when the JobManager ends meanwhile.
  using OperationDone = std::function<void(Result<std::string>)>;
  virtual void TriggerSavepoint(const v1::TriggerSavepointRequest& request, OperationDone done) = 0;
  virtual void StopWithSavepoint(const v1::StopWithSavepointRequest& request,
                                 OperationDone done) = 0;
  virtual void RequestCheckpoint(const v1::RequestCheckpointRequest& request,
                                 OperationDone done) = 0;
  virtual void DisposeSavepoint(const v1::DisposeSavepointRequest& request, OperationDone done) = 0;
  // How it stands. Disposals are no job's: their job id is empty. A user error when it is not
  // known.
  virtual Result<v1::Operation> FindOperation(const v1::GetOperationRequest& request) const = 0;
};

}  // namespace watershed
