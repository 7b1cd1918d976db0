// Batches to test the exchange with.
#pragma once

#include <memory>
#include <string>

#include "runtime/types/record_batch.h"

namespace watershed {

inline SchemaPtr AllTypesSchema() {
  return std::make_shared<const Schema>(std::vector<Field>{{"s", {TypeKind::kString}},
                                                           {"i", {TypeKind::kInt32}},
                                                           {"l", {TypeKind::kInt64}},
                                                           {"d", {TypeKind::kDouble}},
                                                           {"b", {TypeKind::kBool}},
                                                           {"t", {TypeKind::kTimestampMs}},
                                                           {"y", {TypeKind::kBytes}}},
                                        5);
}

// Rows first, first + 1, …; with nulls every column is null in some rows.
inline RecordBatch AllTypesRows(int64_t first, int64_t count, bool with_nulls = true) {
  BatchBuilder builder(AllTypesSchema());
  for (int64_t n = first; n < first + count; ++n) {
    for (int i = 0; i < 7; ++i) {
      Column& column = builder.column(i);
      if (with_nulls && (n + i) % 5 == 0) {
        column.AppendNull();
      } else if (column.type().is_variable_width()) {
        column.AppendString("value " + std::to_string(n * (i + 1)));
      } else if (column.type().kind == TypeKind::kInt32) {
        column.AppendInt32(static_cast<int32_t>(n));
      } else if (column.type().kind == TypeKind::kDouble) {
        column.AppendDouble(static_cast<double>(n) / 4);
      } else if (column.type().kind == TypeKind::kBool) {
        column.AppendBool(n % 2 == 0);
      } else {
        column.AppendInt64(n * 1000);
      }
    }
    builder.FinishRow();
  }
  return builder.Finish();
}

// A row as text, to compare batches by.
inline std::string RowText(const RecordBatch& batch, int64_t row) {
  std::string text;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const Column& column = batch.column(i);
    const auto at = static_cast<size_t>(row);
    if (i != 0) text += "|";
    if (column.IsNull(row)) {
      text += "NULL";
      continue;
    }
    switch (column.type().kind) {
      case TypeKind::kBool:
        text += column.Bools()[at] != 0 ? "true" : "false";
        break;
      case TypeKind::kInt32:
        text += std::to_string(column.Int32s()[at]);
        break;
      case TypeKind::kInt64:
      case TypeKind::kTimestampMs:
        text += std::to_string(column.Int64s()[at]);
        break;
      case TypeKind::kDouble:
        text += std::to_string(column.Doubles()[at]);
        break;
      case TypeKind::kString:
      case TypeKind::kBytes:
        text += column.String(row);
        break;
    }
  }
  if (batch.row_kinds()) {
    text += "|" + std::to_string(static_cast<int>((*batch.row_kinds())[static_cast<size_t>(row)]));
  }
  return text;
}

}  // namespace watershed
