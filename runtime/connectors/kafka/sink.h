// Writes rows to a topic: exactly once by transactions (transactional_sink.h), or at least once.
// Rows without a key are spread over the partitions.
//
// At least once: an idempotent producer's client gets rows at once; an epoch's commit waits until
// the brokers have acknowledged all of it. So a reader sees rows before the epoch ends, and after a
// restart sees some of them twice.
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
// Of rows that are records as they are (row_encoder.h); `schema` is theirs.
Result<std::unique_ptr<Sink>> MakeKafkaRecordSink(const OptionMap& options, const Schema& schema,
                                                  const ConnectorContext& context);

}  // namespace watershed
