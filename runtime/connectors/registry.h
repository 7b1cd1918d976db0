// Makes connectors from the plan. Only the engine links this (and with it the client libraries).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/connectors/sink.h"
#include "runtime/connectors/source.h"
#include "runtime/metrics/metrics.h"
#include "runtime/types/clock.h"

namespace watershed {

class MemoryAccount;
namespace v1 {
class Connector;
class Format;
}  // namespace v1

// What a connector may use of its surroundings.
struct ConnectorContext {
  std::string job_name;
  JobId job;
  std::string operator_id;
  SubtaskIndex subtask;
  int32_t parallelism = 1;
  const Clock* clock = nullptr;
  MetricGroup* metrics = nullptr;   // labelled; outlives the connector
  std::string temporary_directory;  // its own, exists
  // What it may keep in memory of rows fetched ahead (a source) or not sent yet (a sink); 0: what
  // it thinks right. A source counts it in `memory`, which may be null.
  int64_t memory_bytes = 0;
  MemoryAccount* memory = nullptr;
  // Whether the attempt of the job that the connector belongs to is still the one that should run.
  // An error: nobody knows. Blocks; for the thread of a sink's commits. Null: it is.
  std::function<Result<bool>()> is_current = nullptr;
};

Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(const v1::Connector& connector,
                                                             const ConnectorContext& context);
// `schema` is that of the rows wanted: sources of typed rows (datagen) make exactly these columns.
Result<std::unique_ptr<Source>> MakeSource(const v1::Connector& connector, SchemaPtr schema,
                                           const ConnectorContext& context);
// `schema` is that of the rows written; `format` matters for connectors whose payloads are bytes:
// the engine passes the encoder that belongs to it.
class Encoder;
Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector& connector, SchemaPtr schema,
                                       std::unique_ptr<Encoder> encoder,
                                       const ConnectorContext& context);

}  // namespace watershed
