// The built-in connectors, with what a test wants to see or to go wrong.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "runtime/engine/connector_factory.h"

namespace watershed {

// Sinks called "blackhole" keep the rows' first column by text and sum up the last (a count);
// datagen is the real one. Thread-safe.
class ScriptedConnectors final : public ConnectorFactory {
 public:
  // The next discoveries fail like this, one after another.
  void FailDiscovery(Error error);
  // Every sink of this subtask fails at its first row.
  void FailSink(int32_t subtask, Error error);
  int64_t rows_counted() const;  // the sum of all counts that sinks have seen
  void WaitForClosedSinks(int count);

  Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector& connector, const ConnectorContext& context) const override;
  Result<std::unique_ptr<Source>> MakeSource(const v1::Connector& connector, SchemaPtr schema,
                                             const ConnectorContext& context) const override;
  Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector& connector, SchemaPtr schema,
                                         std::unique_ptr<Encoder> encoder,
                                         const ConnectorContext& context) const override;

 private:
  class CountingSink;
  mutable std::mutex mutex_;
  mutable std::deque<Error> discovery_failures_;
  std::map<int32_t, Error> sink_failures_;
  mutable int64_t rows_counted_ = 0;
  mutable int closed_sinks_ = 0;
  mutable std::condition_variable sink_closed_;
};

}  // namespace watershed
