// Makes rows at a set rate. Rows are numbered; shard i of n makes the numbers that leave the
// remainder i, so the rows of all shards together do not depend on how many there are.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/source.h"

namespace watershed {

// One shard a subtask, named "shard-2-of-4" (counted from 1).
Result<std::unique_ptr<SplitEnumerator>> MakeDatagenEnumerator(const OptionMap& options,
                                                               const ConnectorContext& context);
Result<std::unique_ptr<Source>> MakeDatagenSource(const OptionMap& options, SchemaPtr schema,
                                                  const ConnectorContext& context);

}  // namespace watershed
