// Writes rows to a topic with an idempotent producer, at least once.
//
// Rows go to the client at once; an epoch's commit waits until the brokers have acknowledged all of
// it. So a reader sees rows before the epoch ends, and after a restart sees some of them twice:
// exactly-once delivery by transactions comes with checkpoints. Rows have no key and are spread
// over the partitions.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

class Encoder;

Result<std::unique_ptr<Sink>> MakeKafkaSink(const OptionMap& options,
                                            std::unique_ptr<Encoder> encoder,
                                            const ConnectorContext& context);

}  // namespace watershed
