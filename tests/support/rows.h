// Rows for tests: literals to batches, batches to text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/types/record_batch.h"

namespace watershed::test {

// nullptr is NULL; a whole number fits int, bigint and timestamp columns, bool too.
using Cell = std::variant<std::nullptr_t, int64_t, double, std::string>;
using Row = std::vector<Cell>;

// Precondition: the cells fit the schema's columns.
RecordBatch MakeBatch(const SchemaPtr& schema, const std::vector<Row>& rows);

// "a|1|NULL|2.5" per row; timestamps as milliseconds.
std::vector<std::string> RowsAsText(const RecordBatch& batch);

}  // namespace watershed::test
