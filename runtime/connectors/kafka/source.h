// Reads partitions that the JobManager assigned, from explicit offsets; there is no group
// rebalancing.
//
// Every partition keeps a queue of its own, so that a paused partition simply is not read, a skewed
// one does not crowd out the others, and fetched records are never thrown away and fetched again.
//
// Records are read as far as `isolation.level` allows (read_committed unless the job file says
// otherwise). CRCs are not checked (`check.crcs` is librdkafka's default, false: TCP and the broker
// have checked them, and it costs 10 % of a consumer's CPU); the job file may turn it on.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/source.h"

namespace watershed {

Result<std::unique_ptr<Source>> MakeKafkaSource(const OptionMap& options,
                                                const ConnectorContext& context);

}  // namespace watershed
