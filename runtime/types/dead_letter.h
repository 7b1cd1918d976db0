// Records that a source could not use, as rows of a side output of its own: what they were, why,
// and where from. A sink writes them as they are (kafka/row_encoder.h): `value` and `key` in bytes,
// null where they were null, and each other column as a header of the record, under the column's
// name.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/types/schema.h"

namespace watershed {

// The side output of the source.
inline constexpr std::string_view kDeadLetterOutput = "dead-letters";

// The bytes of a record, in the schema of every stream of records as they are.
inline constexpr std::string_view kRecordValueColumn = "value";
inline constexpr std::string_view kRecordKeyColumn = "key";

// In the order of the columns.
enum class DeadLetterColumn : uint8_t {
  kValue,
  kKey,
  kMessage,      // what is wrong with it
  kTopic,        // where it was read
  kPartition,    // int
  kOffset,       // bigint
  kTimestampMs,  // bigint: the record's own
  kSource,       // the operator id
};

const SchemaPtr& DeadLetterSchema();

}  // namespace watershed
