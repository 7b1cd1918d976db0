// Appends rows to a PostgreSQL table by COPY, one transaction an epoch. The table needs no key.
//
// Write encodes and validates (types, lengths, NUL, NOT NULL), so that a prepared segment can be
// committed whenever the checkpoint is durable. There is no table of progress yet: Fence finds no
// markers, and a restored segment is committed again. A COMMIT whose answer was lost is settled by
// its transaction id as long as task and server live; if the server was restarted meanwhile, the
// epoch is written again.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

Result<std::unique_ptr<Sink>> MakePostgresSink(const OptionMap& options, SchemaPtr schema,
                                               const ConnectorContext& context);

}  // namespace watershed
