// The unit in which rows move: a schema and one column per field, all of the same length.
// Columns are shared and immutable, so projecting, branching and passing a local edge copy nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "runtime/types/column.h"
#include "runtime/types/schema.h"

namespace watershed {

// What a row does to the result it belongs to (Flink's RowKind).
enum class RowKind : uint8_t { kInsert = 0, kUpdateBefore = 1, kUpdateAfter = 2, kDelete = 3 };

class RecordBatch {
 public:
  RecordBatch() = default;
  RecordBatch(SchemaPtr schema, std::vector<ColumnPtr> columns, int64_t num_rows)
      : schema_(std::move(schema)), columns_(std::move(columns)), num_rows_(num_rows) {}

  const SchemaPtr& schema() const { return schema_; }
  int64_t num_rows() const { return num_rows_; }
  int num_columns() const { return static_cast<int>(columns_.size()); }
  const Column& column(int index) const { return *columns_[static_cast<size_t>(index)]; }
  const ColumnPtr& column_ptr(int index) const { return columns_[static_cast<size_t>(index)]; }
  const std::vector<ColumnPtr>& columns() const { return columns_; }

  // Absent means that every row is an insert.
  const std::shared_ptr<const std::vector<RowKind>>& row_kinds() const { return row_kinds_; }
  void set_row_kinds(std::shared_ptr<const std::vector<RowKind>> kinds) {
    row_kinds_ = std::move(kinds);
  }

  // Event times of all rows. Precondition: the schema has an event-time column.
  std::span<const int64_t> EventTimes() const {
    return column(*schema_->event_time_index()).Int64s();
  }
  int64_t byte_size() const;

 private:
  SchemaPtr schema_;
  std::vector<ColumnPtr> columns_;
  int64_t num_rows_ = 0;
  std::shared_ptr<const std::vector<RowKind>> row_kinds_;
};

// Collects rows column by column, then hands them out as an immutable batch. One thread.
class BatchBuilder {
 public:
  explicit BatchBuilder(SchemaPtr schema);

  // Append exactly one value to every column, then call FinishRow().
  Column& column(int index) { return *columns_[static_cast<size_t>(index)]; }
  void FinishRow() { ++num_rows_; }
  void FinishRows(int64_t count) { num_rows_ += count; }
  int64_t num_rows() const { return num_rows_; }
  const SchemaPtr& schema() const { return schema_; }
  int64_t byte_size() const;
  // The rows so far; the builder is empty again.
  RecordBatch Finish();

 private:
  SchemaPtr schema_;
  std::vector<std::shared_ptr<Column>> columns_;
  int64_t num_rows_ = 0;
};

// rows[i] of `batch`, in that order.
RecordBatch Take(const RecordBatch& batch, std::span<const int32_t> rows);

}  // namespace watershed
