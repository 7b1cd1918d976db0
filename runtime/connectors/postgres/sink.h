// Appends rows to a PostgreSQL table by COPY, one transaction an epoch. The table needs no key.
//
// Write encodes and validates (types, lengths, NUL, NOT NULL), so that a prepared segment can be
// committed whenever the checkpoint is durable. Until checkpoints come there is no table of
// progress: Fence finds no markers, and a segment whose commit has an unknown outcome is settled by
// the transaction's id, as long as this task lives.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

Result<std::unique_ptr<Sink>> MakePostgresSink(const OptionMap& options, SchemaPtr schema,
                                               const ConnectorContext& context);

}  // namespace watershed
