// Rows exactly once: an epoch is in the checkpoint before it is in the topic, and goes there with a
// marker in the same transaction. No transaction is open while an epoch fills, so none can time out
// with rows in it, and readers of committed records wait for none.
#pragma once

#include <memory>

#include "runtime/connectors/kafka/options.h"
#include "runtime/connectors/kafka/row_encoder.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

std::unique_ptr<Sink> MakeTransactionalKafkaSink(KafkaSinkOptions options, KafkaRowEncoder encoder,
                                                 const ConnectorContext& context);

}  // namespace watershed
