// Everything a JobManager process is made of, started and stopped in one place. main and tests use
// it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "jobmanager/job/job_view.h"
#include "runtime/config/config.h"
#include "runtime/metrics/metrics.h"
#include "runtime/process/server_process.h"
#include "runtime/types/result.h"

namespace watershed {

struct JobManagerRole {
  // Called, from another thread and at most once, when this process can lead no longer: it has to
  // end.
  std::function<void()> on_fatal = {};
  // Leads only as the successor of this leader epoch (leadership/standby.h); else a retryable
  // error. Nothing: whoever led before.
  std::optional<int64_t> successor_of = std::nullopt;
};

// Stop, which the destructor calls, ends the servers, then the jobs' event loop; TaskManagers
// notice and look for a JobManager again. Ports: "rpc", "rest", "metrics".
class JobManagerProcess : public ServerProcess {
 public:
  // Listening when it returns, with the jobs of an earlier JobManager on the same store. A user
  // error names the option whose port is taken.
  static Result<std::unique_ptr<JobManagerProcess>> Start(const Config& config,
                                                          JobManagerRole role = {});

  virtual JobManagerView& view() = 0;
  // Called on the event loop after jobs or TaskManagers have changed; must return at once and must
  // not call the view.
  virtual void SetOnChange(std::function<void()> on_change) = 0;
  virtual MetricRegistry& metrics() = 0;
};

}  // namespace watershed
