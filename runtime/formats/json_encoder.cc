#include "runtime/formats/json_encoder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <numeric>
#include <utility>

#include "runtime/formats/base64.h"
#include "runtime/formats/json_text.h"

namespace watershed {
namespace {

void AppendInt(int64_t value, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

class JsonEncoder final : public Encoder {
 public:
  // Field i is made of column columns[i].
  JsonEncoder(SchemaPtr schema, std::vector<JsonField> fields, std::vector<int> columns)
      : schema_(std::move(schema)), fields_(std::move(fields)), columns_(std::move(columns)) {
    assert(fields_.size() == columns_.size());
    for (const JsonField& field : fields_) {
      std::string prefix(prefixes_.empty() ? "{" : ",");
      AppendJsonString(field.name, prefix);
      prefixes_.push_back(prefix + ":");
    }
  }

  Status Encode(const RecordBatch& batch, std::string& bytes,
                std::vector<size_t>& offsets) override {
    bytes.clear();
    offsets.clear();
    offsets.push_back(0);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        bytes += prefixes_[i];
        const Column& column = batch.column(columns_[i]);
        if (column.IsNull(row)) {
          bytes += "null";
        } else {
          WS_RETURN_IF_ERROR(AppendValue(column, row, fields_[i], bytes));
        }
      }
      bytes += fields_.empty() ? "{}" : "}";
      offsets.push_back(bytes.size());
    }
    return Ok();
  }

  Result<std::unique_ptr<Encoder>> OfColumns(std::span<const std::string> names) const override {
    std::vector<JsonField> fields;
    std::vector<int> columns;
    for (const std::string& name : names) {
      const auto at = std::ranges::find_if(
          columns_, [&](int column) { return schema_->field(column).name == name; });
      if (at == columns_.end()) {
        std::vector<std::string_view> known;
        known.reserve(columns_.size());
        for (const int column : columns_) known.push_back(schema_->field(column).name);
        return UserError("there is no column '{}'; there are {}", name, fmt::join(known, ", "));
      }
      fields.push_back(fields_[static_cast<size_t>(at - columns_.begin())]);
      columns.push_back(*at);
    }
    return std::make_unique<JsonEncoder>(schema_, std::move(fields), std::move(columns));
  }

 private:
  static Status AppendValue(const Column& column, int64_t row, const JsonField& field,
                            std::string& out) {
    const auto at = static_cast<size_t>(row);
    switch (column.type().kind) {
      case TypeKind::kString:
        AppendJsonString(column.String(row), out);
        break;
      case TypeKind::kTimestampMs:
        return AppendTimestamp(column.Int64s()[at], field, out);
      case TypeKind::kInt64:
        AppendInt(column.Int64s()[at], out);
        break;
      case TypeKind::kInt32:
        AppendInt(column.Int32s()[at], out);
        break;
      case TypeKind::kDouble:
        AppendJsonDouble(column.Doubles()[at], out);
        break;
      case TypeKind::kBool:
        out += column.Bools()[at] != 0 ? "true" : "false";
        break;
      case TypeKind::kBytes:
        out += '"';
        AppendBase64(column.String(row), out);
        out += '"';
        break;
    }
    return Ok();
  }

  static Status AppendTimestamp(TimestampMs time_ms, const JsonField& field, std::string& out) {
    if (const auto* pattern = std::get_if<TimestampPattern>(&field.timestamp)) {
      out += '"';
      if (!pattern->Append(time_ms, out)) {
        return UserError(
            "field '{}': {} ms since 1970 lies outside the years 0001 to 9999 that '{}' "
            "can write; give the column an epoch unit",
            field.name, time_ms, pattern->text());
      }
      out += '"';
      return Ok();
    }
    const auto value = std::get<EpochTime>(field.timestamp).FromMs(time_ms);
    if (!value) {
      return UserError("field '{}': {} ms since 1970 does not fit into {}", field.name, time_ms,
                       std::get<EpochTime>(field.timestamp).text());
    }
    AppendInt(*value, out);
    return Ok();
  }

  const SchemaPtr schema_;
  const std::vector<JsonField> fields_;
  const std::vector<int> columns_;
  std::vector<std::string> prefixes_;  // {"a":  ,"b":  …
};

}  // namespace

std::unique_ptr<Encoder> MakeJsonEncoder(SchemaPtr schema, std::vector<JsonField> fields) {
  std::vector<int> columns(fields.size());
  std::iota(columns.begin(), columns.end(), 0);
  return std::make_unique<JsonEncoder>(std::move(schema), std::move(fields), std::move(columns));
}

}  // namespace watershed
