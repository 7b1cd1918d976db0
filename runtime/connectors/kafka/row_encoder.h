// Values of records, their keys if the job file asks for some, and headers where rows are records
// as they are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/connectors/kafka/segment.h"
#include "runtime/formats/format.h"
#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

// One thread.
class KafkaRowEncoder {
 public:
  // `key_fields`: columns; empty: records have no key.
  static Result<KafkaRowEncoder> Make(std::unique_ptr<Encoder> encoder,
                                      const std::vector<std::string>& key_fields);
  // Rows are records as they are: columns `value` and `key` in bytes, null where they are to be
  // null; every other column is a header under its name, its value as text. A user error if the
  // schema is no such.
  static Result<KafkaRowEncoder> OfRecords(const Schema& schema);

  Status Encode(const RecordBatch& batch);

  // Of the last batch; `keys` and `headers` are null where there are none.
  const KafkaPayloads& values() const { return values_; }
  const KafkaPayloads* keys() const {
    return key_encoder_ != nullptr || are_records_ ? &keys_ : nullptr;
  }
  const KafkaPayloads* headers() const { return are_records_ ? &headers_ : nullptr; }
  // Views, until the next batch.
  KafkaRow row(size_t index) const;
  // Of value, key and headers.
  size_t row_bytes(size_t index) const;

 private:
  KafkaRowEncoder() = default;
  void EncodeRecords(const RecordBatch& batch);

  std::unique_ptr<Encoder> value_encoder_;
  std::unique_ptr<Encoder> key_encoder_;
  bool are_records_ = false;
  KafkaPayloads values_;
  KafkaPayloads keys_;
  KafkaPayloads headers_;
};

}  // namespace watershed
