#include "tests/support/rows.h"

#include <fmt/format.h>

namespace watershed::test {
namespace {

void AppendCell(const Cell& cell, Column& column) {
  if (std::holds_alternative<std::nullptr_t>(cell)) return column.AppendNull();
  switch (column.type().kind) {
    case TypeKind::kBool:
      return column.AppendBool(std::get<int64_t>(cell) != 0);
    case TypeKind::kInt32:
      return column.AppendInt32(static_cast<int32_t>(std::get<int64_t>(cell)));
    case TypeKind::kInt64:
    case TypeKind::kTimestampMs:
      return column.AppendInt64(std::get<int64_t>(cell));
    case TypeKind::kDouble:
      return column.AppendDouble(std::get<double>(cell));
    case TypeKind::kString:
    case TypeKind::kBytes:
      return column.AppendString(std::get<std::string>(cell));
  }
}

std::string CellAsText(const Column& column, int64_t row) {
  if (column.IsNull(row)) return "NULL";
  const auto at = static_cast<size_t>(row);
  switch (column.type().kind) {
    case TypeKind::kBool:
      return column.Bools()[at] != 0 ? "true" : "false";
    case TypeKind::kInt32:
      return fmt::format("{}", column.Int32s()[at]);
    case TypeKind::kInt64:
    case TypeKind::kTimestampMs:
      return fmt::format("{}", column.Int64s()[at]);
    case TypeKind::kDouble:
      return fmt::format("{}", column.Doubles()[at]);
    case TypeKind::kString:
    case TypeKind::kBytes:
      return std::string(column.String(row));
  }
  return {};
}

}  // namespace

RecordBatch MakeBatch(const SchemaPtr& schema, const std::vector<Row>& rows) {
  BatchBuilder builder(schema);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) AppendCell(row[i], builder.column(static_cast<int>(i)));
    builder.FinishRow();
  }
  return builder.Finish();
}

std::vector<std::string> RowsAsText(const RecordBatch& batch) {
  std::vector<std::string> rows;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    std::string text;
    for (int column = 0; column < batch.num_columns(); ++column) {
      if (column > 0) text += '|';
      text += CellAsText(batch.column(column), row);
    }
    rows.push_back(std::move(text));
  }
  return rows;
}

}  // namespace watershed::test
