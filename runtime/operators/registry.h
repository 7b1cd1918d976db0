// Makes operators from plan nodes. A new operator is one pair of files and one line here
// (ADDING.md).
#pragma once

#include <memory>

#include "runtime/operators/operator.h"

namespace watershed {

namespace v1 {
class PlanNode;
}

// Fails by name for a node kind that is no operator (sources, watermarks and sinks are the
// engine's).
Result<std::unique_ptr<Operator>> MakeOperator(const v1::PlanNode& node);

}  // namespace watershed
