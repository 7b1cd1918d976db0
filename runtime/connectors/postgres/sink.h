// Appends rows to a PostgreSQL table by COPY, one transaction an epoch.
//
// Write encodes and validates (types, lengths, NUL, NOT NULL), so that a prepared segment can be
// committed whenever the checkpoint is durable. Exactly-once needs no key of the table: the marker
// of the last epoch is in the same transaction as its rows (progress_table.h), so a COMMIT whose
// answer was lost is settled by reading it, also after a crash of server or task. The other
// deliveries write at once: at-least-once appends, upsert replaces rows by their primary key
// (upsert.h).
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

Result<std::unique_ptr<Sink>> MakePostgresSink(const OptionMap& options, SchemaPtr schema,
                                               const ConnectorContext& context);

}  // namespace watershed
