// Connectors whose source hands out what a test says, row by row, and stays open: a known run.
// Sinks are the built-in ones.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "runtime/engine/connector_factory.h"

namespace watershed {

// What the source's only split (topic "scripted", partition 0) hands out next. Thread-safe.
class SourceScript {
 public:
  void Add(std::string host, int64_t event_time_ms);
  void SetLag(int64_t lag_records);

 private:
  friend class ScriptedSource;
  std::mutex mutex_;
  std::deque<std::pair<std::string, int64_t>> rows_;
  int64_t lag_records_ = 0;
};

// Every source, whatever its connector's name, reads the script; its columns must be host (STRING)
// and event_time (TIMESTAMP), in any order. The script outlives the factory and its sources.
class ScriptedConnectors : public ConnectorFactory {
 public:
  explicit ScriptedConnectors(SourceScript* script) : script_(script) {}
  Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector& connector, const ConnectorContext& context) const override;
  Result<std::unique_ptr<Source>> MakeSource(const v1::Connector& connector, SchemaPtr schema,
                                             const ConnectorContext& context) const override;
  Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector& connector, SchemaPtr schema,
                                         std::unique_ptr<Encoder> encoder,
                                         const ConnectorContext& context) const override;

 private:
  SourceScript* script_;
};

}  // namespace watershed
