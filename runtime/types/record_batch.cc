#include "runtime/types/record_batch.h"

#include <cassert>

namespace watershed {

int64_t RecordBatch::byte_size() const {
  int64_t total = row_kinds_ ? static_cast<int64_t>(row_kinds_->size()) : 0;
  for (const ColumnPtr& column : columns_) total += column->byte_size();
  return total;
}

BatchBuilder::BatchBuilder(SchemaPtr schema) : schema_(std::move(schema)) {
  columns_.reserve(static_cast<size_t>(schema_->num_fields()));
  for (const Field& field : schema_->fields()) {
    columns_.push_back(std::make_shared<Column>(field.type));
  }
}

int64_t BatchBuilder::byte_size() const {
  int64_t total = 0;
  for (const auto& column : columns_) total += column->byte_size();
  return total;
}

RecordBatch BatchBuilder::Finish() {
  std::vector<ColumnPtr> finished;
  finished.reserve(columns_.size());
  for (auto& column : columns_) {
    assert(column->size() == num_rows_);
    // The next batch is likely to be as large as this one.
    auto next = std::make_shared<Column>(column->type());
    next->Reserve(num_rows_, static_cast<int64_t>(column->bytes().size()));
    finished.push_back(std::move(column));
    column = std::move(next);
  }
  const int64_t rows = num_rows_;
  num_rows_ = 0;
  return RecordBatch(schema_, std::move(finished), rows);
}

RecordBatch Take(const RecordBatch& batch, std::span<const int32_t> rows) {
  std::vector<ColumnPtr> columns;
  columns.reserve(static_cast<size_t>(batch.num_columns()));
  for (const ColumnPtr& from : batch.columns()) {
    auto column = std::make_shared<Column>(from->type());
    column->AppendRows(*from, rows);
    columns.push_back(std::move(column));
  }
  RecordBatch taken(batch.schema(), std::move(columns), static_cast<int64_t>(rows.size()));
  if (batch.row_kinds()) {
    auto kinds = std::make_shared<std::vector<RowKind>>();
    kinds->reserve(rows.size());
    for (const int32_t row : rows) kinds->push_back((*batch.row_kinds())[static_cast<size_t>(row)]);
    taken.set_row_kinds(std::move(kinds));
  }
  return taken;
}

}  // namespace watershed
