// Pre-aggregation of tumbling windows before the exchange: LocalWindowAggregate of the plan. Holds
// partials in a bounded table, which Flush empties before every watermark and barrier, so that it
// has no state of its own; judges nothing as late (the global part does, by the partials' row
// counts).
#pragma once

#include <memory>

#include "runtime/operators/operator.h"
#include "runtime/operators/window_spec.h"

namespace watershed {

// `spec` from MakeLocalWindowSpec.
std::unique_ptr<Operator> MakeLocalWindowAggregate(WindowSpec spec);

}  // namespace watershed
