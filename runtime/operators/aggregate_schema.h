// Types of window aggregates, needed by the planner as well as the operators: pure functions, no
// state.
#pragma once

#include <optional>
#include <string>

#include "runtime/types/result.h"
#include "runtime/types/schema.h"

namespace watershed {

namespace v1 {
class WindowAggregate;
}

// The name of a v1::AggregateCall::Function in job files: "count", "sum", …
std::string AggregateName(int function);

// Result type of `function` (v1::AggregateCall::Function) over a column, Flink's rules: COUNT is
// bigint; SUM, MIN, MAX and AVG keep their input's type (AVG of integers truncates, SUM wraps). A
// user error for a type that the function does not take: SUM and AVG take int, bigint and double,
// MIN and MAX also timestamp, COUNT any.
Result<DataType> AggregateOutputType(int function, std::optional<DataType> input);

// Rows between the local and the global part: the key columns, "$window_end" (timestamp), "$rows"
// (bigint), then the partial accumulators of each aggregate i: none for COUNT(*), "$agg<i>" for
// COUNT, SUM, MIN and MAX (NULL where no value was seen), "$agg<i>_sum" and "$agg<i>_count" for
// AVG. Sums of integers are bigint. There is no event-time column. A user error for a column that
// is not there.
Result<Schema> PartialAggregateSchema(const v1::WindowAggregate& aggregate, const Schema& input);

}  // namespace watershed
