// Types of window aggregates, needed by the planner as well as the operators: pure functions, no state.
#pragma once

#include <optional>

#include "runtime/types/result.h"
#include "runtime/types/schema.h"

namespace watershed {

namespace v1 {
class WindowAggregate;
}

// Result type of `function` (v1::AggregateCall::Function) over a column, Flink's rules: COUNT is bigint;
// SUM, MIN, MAX and AVG keep their input's type (AVG of integers truncates, SUM wraps). A user error for
// a type that the function does not take.
Result<DataType> AggregateOutputType(int function, std::optional<DataType> input);

// Rows between the local and the global part: the key columns, "$window_end" (timestamp), "$rows"
// (bigint), then the partial accumulators.
Result<Schema> PartialAggregateSchema(const v1::WindowAggregate& aggregate, const Schema& input);

}  // namespace watershed
