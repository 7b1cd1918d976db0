// Everything a JobManager process is made of, started and stopped in one place. main and tests use
// it.
#pragma once

#include <functional>
#include <memory>

#include "jobmanager/job/job_view.h"
#include "runtime/config/config.h"
#include "runtime/metrics/metrics.h"
#include "runtime/process/server_process.h"
#include "runtime/types/result.h"

namespace watershed {

// Stop, which the destructor calls, ends the servers, then the jobs' event loop; TaskManagers
// notice and look for a JobManager again. Ports: "rpc", "rest", "metrics".
class JobManagerProcess : public ServerProcess {
 public:
  // Listening when it returns, with the jobs of an earlier JobManager on the same store. A user
  // error names the option whose port is taken. `on_fatal` is called, from another thread and at
  // most once, when this process can lead no longer: it has to end.
  static Result<std::unique_ptr<JobManagerProcess>> Start(const Config& config,
                                                          std::function<void()> on_fatal = {});

  virtual JobManagerView& view() = 0;
  // Called on the event loop after jobs or TaskManagers have changed; must return at once and must
  // not call the view.
  virtual void SetOnChange(std::function<void()> on_change) = 0;
  virtual MetricRegistry& metrics() = 0;
};

}  // namespace watershed
