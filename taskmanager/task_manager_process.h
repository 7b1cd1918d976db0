// Everything a TaskManager process is made of, started and stopped in one place. main and tests use
// it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/config/config.h"
#include "runtime/engine/connector_factory.h"
#include "runtime/metrics/metrics.h"
#include "runtime/types/result.h"

namespace watershed {

class TaskManagerProcess {
 public:
  // Listening when it returns; registers at the JobManager in the background, for as long as it
  // takes. `connectors` outlives the process. A user error names the option whose port is taken.
  static Result<std::unique_ptr<TaskManagerProcess>> Start(
      const Config& config, const ConnectorFactory& connectors = BuiltInConnectors());
  virtual ~TaskManagerProcess() = default;  // Stop

  // Ends all tasks, tells the JobManager, closes and removes the temporary files. Within seconds.
  virtual void Stop() = 0;
  // As if the process had been killed: connections break, nobody is told. For tests.
  virtual void Abandon() = 0;

  virtual const std::string& id() const = 0;
  virtual std::map<std::string, int> ports() const = 0;  // "rpc", "metrics"
  virtual MetricRegistry& metrics() = 0;
  // "rpc 127.0.0.1:41233, metrics http://…"
  virtual std::string Listening() const = 0;
};

}  // namespace watershed
