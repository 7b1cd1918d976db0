// Everything a JobManager process is made of, started and stopped in one place. main and tests use
// it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "jobmanager/job/job_view.h"
#include "runtime/config/config.h"
#include "runtime/metrics/metrics.h"
#include "runtime/types/result.h"

namespace watershed {

class JobManagerProcess {
 public:
  // Listening when it returns. A user error names the option whose port is taken.
  static Result<std::unique_ptr<JobManagerProcess>> Start(const Config& config);
  virtual ~JobManagerProcess() = default;  // Stop

  // Ends the servers, then the jobs' event loop. TaskManagers notice and look for a JobManager
  // again.
  virtual void Stop() = 0;

  virtual std::map<std::string, int> ports() const = 0;  // "rpc", "rest", "metrics"
  virtual JobManagerView& view() = 0;
  // Called on the event loop after jobs or TaskManagers have changed; must return at once and must
  // not call the view.
  virtual void SetOnChange(std::function<void()> on_change) = 0;
  virtual MetricRegistry& metrics() = 0;
  // "rpc 127.0.0.1:6123, REST http://127.0.0.1:8081, metrics http://…"
  virtual std::string Listening() const = 0;
};

}  // namespace watershed
