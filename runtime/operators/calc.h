// Projection: picks and reorders columns, sharing them with the input. The smallest operator: the
// example to copy (ADDING.md).
#pragma once

#include <memory>
#include <vector>

#include "runtime/operators/operator.h"

namespace watershed {

// Output column i is input column columns[i]. Fails by name when the schemas do not fit.
Result<std::unique_ptr<Operator>> MakeCalc(std::vector<int> columns, const Schema& input,
                                           SchemaPtr output);

}  // namespace watershed
