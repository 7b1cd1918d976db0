#include "runtime/connectors/kafka/row_encoder.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/connectors/kafka/record_headers.h"
#include "runtime/types/dead_letter.h"

namespace watershed {
namespace {

constexpr int kValue = 0;
constexpr int kKey = 1;
constexpr int kFirstHeader = 2;

bool IsHeaderType(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kBytes || kind == TypeKind::kInt32 ||
         kind == TypeKind::kInt64;
}

void Clear(KafkaPayloads& payloads) {
  payloads.bytes.clear();
  payloads.offsets.assign(1, 0);
  payloads.nulls.clear();
}

void CopyBytes(const Column& column, KafkaPayloads& out) {
  Clear(out);
  out.nulls.resize(static_cast<size_t>(column.size()));
  for (int64_t row = 0; row < column.size(); ++row) {
    out.nulls[static_cast<size_t>(row)] = column.IsNull(row);
    if (!column.IsNull(row)) out.bytes.append(column.String(row));
    out.offsets.push_back(out.bytes.size());
  }
}

void AppendHeader(const Field& field, const Column& column, int64_t row, std::string& out) {
  const auto at = static_cast<size_t>(row);
  switch (field.type.kind) {
    case TypeKind::kInt32:
      return AppendKafkaHeader(field.name, fmt::to_string(column.Int32s()[at]), out);
    case TypeKind::kInt64:
      return AppendKafkaHeader(field.name, fmt::to_string(column.Int64s()[at]), out);
    default:
      return AppendKafkaHeader(field.name, column.String(row), out);
  }
}

std::string_view PayloadOf(const KafkaPayloads& payloads, size_t row) {
  return payloads.IsNull(row) ? std::string_view() : payloads.at(row);
}

}  // namespace

Result<KafkaRowEncoder> KafkaRowEncoder::Make(std::unique_ptr<Encoder> encoder,
                                              const std::vector<std::string>& key_fields) {
  KafkaRowEncoder made;
  made.value_encoder_ = std::move(encoder);
  if (!key_fields.empty()) {
    auto keys = made.value_encoder_->OfColumns(key_fields);
    if (!keys) return tl::make_unexpected(std::move(keys).error().Within("key.fields"));
    made.key_encoder_ = std::move(*keys);
  }
  return made;
}

Result<KafkaRowEncoder> KafkaRowEncoder::OfRecords(const Schema& schema) {
  const auto is_bytes = [&](int index, std::string_view name) {
    return schema.num_fields() > index && schema.field(index).name == name &&
           schema.field(index).type.kind == TypeKind::kBytes;
  };
  bool fits = is_bytes(kValue, kRecordValueColumn) && is_bytes(kKey, kRecordKeyColumn) &&
              schema.num_fields() > kFirstHeader;
  for (int i = kFirstHeader; fits && i < schema.num_fields(); ++i) {
    fits = IsHeaderType(schema.field(i).type.kind);
  }
  if (!fits)
    return UserError(
        "a kafka sink without a format writes records as they are: columns value and key of bytes, "
        "and headers");
  KafkaRowEncoder made;
  made.are_records_ = true;
  return made;
}

Status KafkaRowEncoder::Encode(const RecordBatch& batch) {
  if (are_records_) {
    EncodeRecords(batch);
    return Ok();
  }
  WS_RETURN_IF_ERROR(value_encoder_->Encode(batch, values_.bytes, values_.offsets));
  if (key_encoder_ == nullptr) return Ok();
  return key_encoder_->Encode(batch, keys_.bytes, keys_.offsets);
}

void KafkaRowEncoder::EncodeRecords(const RecordBatch& batch) {
  CopyBytes(batch.column(kValue), values_);
  CopyBytes(batch.column(kKey), keys_);
  Clear(headers_);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    for (int i = kFirstHeader; i < batch.num_columns(); ++i) {
      AppendHeader(batch.schema()->field(i), batch.column(i), row, headers_.bytes);
    }
    headers_.offsets.push_back(headers_.bytes.size());
  }
}

KafkaRow KafkaRowEncoder::row(size_t index) const {
  KafkaRow row{.value = PayloadOf(values_, index)};
  if (keys() != nullptr) {
    row.has_key = !keys_.IsNull(index);
    row.key = PayloadOf(keys_, index);
  }
  if (are_records_) row.headers = headers_.at(index);
  return row;
}

size_t KafkaRowEncoder::row_bytes(size_t index) const {
  return values_.size_of(index) + (keys() != nullptr ? keys_.size_of(index) : 0) +
         (are_records_ ? headers_.size_of(index) : 0);
}

}  // namespace watershed
