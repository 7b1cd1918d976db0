// Small batches of (key, event time) for tests, and back.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/types/stream_element.h"

namespace watershed {

using KeyAndTime = std::pair<std::string, int64_t>;

inline SchemaPtr KeyTimeSchema() {
  static const auto schema = std::make_shared<const Schema>(
      std::vector<Field>{{"key", {TypeKind::kString}}, {"time", {TypeKind::kTimestampMs}}}, 1);
  return schema;
}

inline RecordBatch Rows(const std::vector<KeyAndTime>& rows) {
  BatchBuilder builder(KeyTimeSchema());
  for (const auto& [key, time_ms] : rows) {
    builder.column(0).AppendString(key);
    builder.column(1).AppendInt64(time_ms);
    builder.FinishRow();
  }
  return builder.Finish();
}

inline std::vector<KeyAndTime> FromRows(const RecordBatch& batch) {
  std::vector<KeyAndTime> rows;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    rows.emplace_back(batch.column(0).String(i), batch.column(1).Int64s()[static_cast<size_t>(i)]);
  }
  return rows;
}

// "rows:a@1,b@2", "watermark:5", "idle", "active", "barrier:7", "end".
inline std::string Describe(const StreamElement& element) {
  if (const auto* batch = std::get_if<RecordBatch>(&element)) {
    std::string text = "rows:";
    for (const auto& [key, time_ms] : FromRows(*batch)) {
      if (text.back() != ':') text += ",";
      text += key + "@" + std::to_string(time_ms);
    }
    return text;
  }
  if (const auto* watermark = std::get_if<Watermark>(&element)) {
    return watermark->time_ms == kMaxWatermarkMs
               ? "watermark:max"
               : "watermark:" + std::to_string(watermark->time_ms);
  }
  if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    return status->idle ? "idle" : "active";
  }
  if (const auto* barrier = std::get_if<Barrier>(&element)) {
    return "barrier:" + std::to_string(barrier->checkpoint_id.value);
  }
  return "end";
}

}  // namespace watershed
