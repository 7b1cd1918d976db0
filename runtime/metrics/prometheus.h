// Serves a process's metrics to Prometheus: GET /metrics on a port of its own (Flink's
// metrics.reporter.prom.port).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/metrics/metrics.h"
#include "runtime/types/result.h"

namespace watershed {

// Ports named by "9249", "9249-9260", "9249,9300-9310", in that order; 0 stands for any free port.
Result<std::vector<int>> ParsePortRange(std::string_view range);

class PrometheusExporter {
 public:
  // Binds the first port of `ports` that is free. `registry` outlives the exporter. A user error
  // for a malformed range; an external one that names address and ports when none could be bound.
  static Result<std::unique_ptr<PrometheusExporter>> Start(const MetricRegistry& registry,
                                                           const std::string& bind_address,
                                                           std::string_view ports);
  // Stops serving; a scrape under way is finished first.
  ~PrometheusExporter();

  // The port bound.
  int port() const { return port_; }

 private:
  class Collector;
  class Server;
  PrometheusExporter();

  std::shared_ptr<Collector> collector_;
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

}  // namespace watershed
