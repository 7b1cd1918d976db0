// Lists a topic's partitions with the offsets to begin and, when bounded, to end at.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/source.h"

namespace watershed {

// Asks the brokers once, for at most half a minute. Errors name the cause (refused connection,
// unknown host, TLS, SASL, missing topic) and are retryable where the cause may pass. "Up to now"
// is the last stable offset with isolation.level read_committed, so that an open transaction cannot
// hold up the end.
Result<std::unique_ptr<SplitEnumerator>> MakeKafkaEnumerator(const OptionMap& options,
                                                             const ConnectorContext& context);

}  // namespace watershed
