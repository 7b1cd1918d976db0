// Where tasks get their connectors from: the registry, or a test's own.
#pragma once

#include <memory>

#include "runtime/connectors/registry.h"
#include "runtime/formats/format.h"

namespace watershed {

// Thread-safe. The functions are those of connectors/registry.h.
class ConnectorFactory {
 public:
  virtual ~ConnectorFactory() = default;
  virtual Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector& connector, const ConnectorContext& context) const = 0;
  virtual Result<std::unique_ptr<Source>> MakeSource(const v1::Connector& connector,
                                                     SchemaPtr schema,
                                                     const ConnectorContext& context) const = 0;
  virtual Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector& connector, SchemaPtr schema,
                                                 std::unique_ptr<Encoder> encoder,
                                                 const ConnectorContext& context) const = 0;
};

// Those built in: what every process uses unless a test says otherwise. Lives for ever.
const ConnectorFactory& BuiltInConnectors();

}  // namespace watershed
