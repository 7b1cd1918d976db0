// Values of records, and their keys if the job file asks for some.
#pragma once

#include <memory>
#include <string>
#include <utility>
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

  Status Encode(const RecordBatch& batch) {
    WS_RETURN_IF_ERROR(value_encoder_->Encode(batch, values_.bytes, values_.offsets));
    if (key_encoder_ == nullptr) return Ok();
    return key_encoder_->Encode(batch, keys_.bytes, keys_.offsets);
  }

  // Of the last batch; `keys` is null where there are none.
  const KafkaPayloads& values() const { return values_; }
  const KafkaPayloads* keys() const { return key_encoder_ != nullptr ? &keys_ : nullptr; }

 private:
  std::unique_ptr<Encoder> value_encoder_;
  std::unique_ptr<Encoder> key_encoder_;
  KafkaPayloads values_;
  KafkaPayloads keys_;
};

}  // namespace watershed
