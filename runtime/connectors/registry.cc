#include "runtime/connectors/registry.h"

#include <map>
#include <utility>

#include "runtime/connectors/blackhole/sink.h"
#include "runtime/connectors/connector.h"
#include "runtime/connectors/datagen/source.h"
#include "runtime/connectors/filesystem/sink.h"
#include "runtime/connectors/kafka/enumerator.h"
#include "runtime/connectors/kafka/sink.h"
#include "runtime/connectors/kafka/source.h"
#include "runtime/connectors/postgres/sink.h"
#include "runtime/connectors/print/sink.h"
#include "runtime/formats/format.h"
#include "watershed/v1/types.pb.h"

namespace watershed {
namespace {

OptionMap OptionsOf(const v1::Connector& connector) {
  return {connector.options().begin(), connector.options().end()};
}

}  // namespace

Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(const v1::Connector& connector,
                                                             const ConnectorContext& context) {
  if (connector.name() == "datagen") return MakeDatagenEnumerator(OptionsOf(connector), context);
  if (connector.name() == "kafka") return MakeKafkaEnumerator(OptionsOf(connector), context);
  return UserError("there is no source connector '{}'", connector.name());
}

Result<std::unique_ptr<Source>> MakeSource(const v1::Connector& connector, SchemaPtr schema,
                                           const ConnectorContext& context) {
  if (connector.name() == "datagen") {
    return MakeDatagenSource(OptionsOf(connector), std::move(schema), context);
  }
  if (connector.name() == "kafka") return MakeKafkaSource(OptionsOf(connector), context);
  return UserError("there is no source connector '{}'", connector.name());
}

Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector& connector, SchemaPtr schema,
                                       std::unique_ptr<Encoder> encoder,
                                       const ConnectorContext& context) {
  if (connector.name() == "blackhole") return MakeBlackholeSink(context);
  if (connector.name() == "filesystem") {
    return MakeFilesystemSink(OptionsOf(connector), std::move(encoder), context);
  }
  if (connector.name() == "kafka") {
    if (encoder == nullptr) return MakeKafkaRecordSink(OptionsOf(connector), *schema, context);
    return MakeKafkaSink(OptionsOf(connector), std::move(encoder), context);
  }
  if (connector.name() == "postgres") {
    return MakePostgresSink(OptionsOf(connector), std::move(schema), context);
  }
  if (connector.name() == "print") return MakePrintSink(OptionsOf(connector), context);
  return UserError("there is no sink connector '{}'", connector.name());
}

}  // namespace watershed
