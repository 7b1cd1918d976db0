// Window aggregates for tests: plan messages, operators made from them, and random input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/operators/window_spec.h"
#include "tests/support/operator_harness.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed::test {

// ip string, host string, t timestamp (event time), i int, l bigint, d double: all but t nullable.
SchemaPtr EventSchema();

v1::WindowAggregate SessionBy(std::vector<std::string> keys, int64_t gap_ms);
v1::WindowAggregate TumbleBy(std::vector<std::string> keys, int64_t size_ms, int64_t offset_ms = 0);
// Appends a call; `column` empty for COUNT(*). The output column is "a0", "a1", …
void AddCall(v1::WindowAggregate& aggregate, v1::AggregateCall::Function function,
             const std::string& column = "");
void AddEveryCall(v1::WindowAggregate& aggregate);

// The output of `aggregate` over EventSchema(): keys, "s", "e", a0, a1, …
SchemaPtr OutputSchemaOf(const v1::WindowAggregate& aggregate);

// Operators over EventSchema() that fire in slices of a few keys. The first is WindowAggregateExec,
// the second the pair of LocalWindowAggregate and GlobalWindowAggregate.
OperatorCase SingleCase(const v1::WindowAggregate& aggregate);
OperatorCase LocalGlobalCase(const v1::WindowAggregate& aggregate);

}  // namespace watershed::test
