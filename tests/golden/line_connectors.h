// The connectors of the golden suite: a source `lines` that reads a case's input, partition by
// partition, and a sink `collect` that keeps the rows of committed epochs.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/connectors/connector.h"
#include "runtime/engine/connector_factory.h"
#include "tests/golden/golden_case.h"

namespace watershed::golden {

// What the compiler is told of them.
std::span<const ConnectorSpec> LineConnectorSpecs();

// Shared by the connectors of one run. Thread-safe.
class Board {
 public:
  explicit Board(const GoldenCase& golden) : golden_(golden) {}

  const std::vector<Lines>& input(const std::string& source) const;
  void AddRows(const std::string& sink, const std::string& json_lines);
  std::map<std::string, Lines> TakeRows();

  // A subtask without a partition ends before the others begin: the order in which their watermarks
  // are merged downstream, and so what is late, is then the same in every run.
  void OnSourceClosed();
  void AwaitClosedSources(int count);

 private:
  const GoldenCase& golden_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Lines> rows_;
  int closed_sources_ = 0;
};

struct LineConnectorOptions {
  int records_per_poll = 1;
  // Subtasks without a partition that those with one wait for.
  int idle_subtasks = 0;
};

std::unique_ptr<ConnectorFactory> MakeLineConnectors(Board* board, LineConnectorOptions options);

}  // namespace watershed::golden
