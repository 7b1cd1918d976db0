// Counts rows and throws them away. The smallest sink: the example to copy (see ../ADDING.md).
#pragma once

#include <memory>

#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

std::unique_ptr<Sink> MakeBlackholeSink(const ConnectorContext& context);

}  // namespace watershed
