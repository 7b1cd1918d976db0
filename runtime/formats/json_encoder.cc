#include "runtime/formats/json_encoder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "runtime/formats/json_text.h"

namespace watershed {
namespace {

class JsonEncoder final : public Encoder {
 public:
  // Field i is made of column columns[i].
  JsonEncoder(SchemaPtr schema, std::vector<PayloadField> fields, std::vector<int> columns)
      : schema_(std::move(schema)), fields_(std::move(fields)), columns_(std::move(columns)) {
    assert(fields_.size() == columns_.size());
    for (const PayloadField& field : fields_) {
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

  std::string_view file_extension() const override { return "json"; }

  Result<std::unique_ptr<Encoder>> OfColumns(std::span<const std::string> names) const override {
    std::vector<PayloadField> fields;
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
  // What JSON has no number or word for is text, which needs no escapes but for strings.
  static bool IsQuoted(const Column& column, int64_t row, const PayloadField& field) {
    switch (column.type().kind) {
      case TypeKind::kTimestampMs:
        return std::holds_alternative<TimestampPattern>(field.timestamp);
      case TypeKind::kDouble:
        return !std::isfinite(column.Doubles()[static_cast<size_t>(row)]);
      default:
        return column.type().kind == TypeKind::kBytes;
    }
  }

  static Status AppendValue(const Column& column, int64_t row, const PayloadField& field,
                            std::string& out) {
    if (column.type().kind == TypeKind::kString) {
      AppendJsonString(column.String(row), out);
      return Ok();
    }
    const bool is_quoted = IsQuoted(column, row, field);
    if (is_quoted) out += '"';
    WS_RETURN_IF_ERROR(AppendText(column, row, field, out));
    if (is_quoted) out += '"';
    return Ok();
  }

  const SchemaPtr schema_;
  const std::vector<PayloadField> fields_;
  const std::vector<int> columns_;
  std::vector<std::string> prefixes_;  // {"a":  ,"b":  …
};

}  // namespace

std::unique_ptr<Encoder> MakeJsonEncoder(SchemaPtr schema, std::vector<PayloadField> fields) {
  std::vector<int> columns(fields.size());
  std::iota(columns.begin(), columns.end(), 0);
  return std::make_unique<JsonEncoder>(std::move(schema), std::move(fields), std::move(columns));
}

}  // namespace watershed
