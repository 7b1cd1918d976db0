// A window aggregate of the plan, checked against its schemas and free of protobuf.
#pragma once

#include <string>
#include <vector>

#include "runtime/operators/aggregates.h"
#include "runtime/types/result.h"
#include "runtime/types/schema.h"

namespace watershed {

namespace v1 {
class WindowAggregate;
}

// What the input's rows are.
enum class WindowInput : uint8_t {
  kRows,      // values, with an event time
  kPartials,  // of a LocalWindowAggregate
};

struct WindowSpec {
  bool session = false;
  int64_t size_ms = 0, offset_ms = 0;  // tumbling
  int64_t gap_ms = 0;                  // session
  std::vector<int> key_columns;        // of the input
  std::vector<DataType> key_types;
  Aggregates aggregates;
  bool emits_start = false, emits_end = false;
  bool late_to_side_output = false;
  // Firing: keys taken at a time, and rows collected before a batch leaves. Tests make them small.
  int64_t fire_slice_keys = 1024;
  int64_t emit_rows = 4096;
  // Columns: keys, window start and end if emitted, then one per aggregate.
  SchemaPtr output;
  // Keys, window and aggregates in words: a snapshot of another description does not fit.
  std::string description;
};

// Errors say which column or type does not fit.
Result<WindowSpec> MakeWindowSpec(const v1::WindowAggregate& aggregate, WindowInput kind,
                                  const Schema& input, SchemaPtr output);
// For the local part, whose output is PartialAggregateSchema(aggregate, input).
Result<WindowSpec> MakeLocalWindowSpec(const v1::WindowAggregate& aggregate, const Schema& input);

}  // namespace watershed
