// Everything a TaskManager process is made of, started and stopped in one place. main and tests use
// it.
#pragma once

#include <memory>
#include <string>

#include "runtime/config/config.h"
#include "runtime/engine/connector_factory.h"
#include "runtime/metrics/metrics.h"
#include "runtime/process/server_process.h"
#include "runtime/types/result.h"

namespace watershed {

// Stop, which the destructor calls, ends all tasks, tells the JobManager, closes and removes the
// temporary files, within seconds. Ports: "rpc", "metrics".
class TaskManagerProcess : public ServerProcess {
 public:
  // Listening when it returns; registers at the JobManager in the background, for as long as it
  // takes. `connectors` outlives the process. A user error names the option whose port is taken.
  static Result<std::unique_ptr<TaskManagerProcess>> Start(
      const Config& config, const ConnectorFactory& connectors = BuiltInConnectors());

  // As if the process had been killed: connections break, nobody is told. For tests.
  virtual void Abandon() = 0;

  virtual const std::string& id() const = 0;
  virtual MetricRegistry& metrics() = 0;
};

}  // namespace watershed
