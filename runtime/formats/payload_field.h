// How one column of the schema looks in a payload, whatever the format.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/formats/timestamp_codec.h"
#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

struct PayloadField {
  std::string name;                        // in the payload
  TimestampCodec timestamp = EpochTime{};  // timestamp columns only
};

void AppendInt(int64_t value, std::string& out);
// Appends a value that is not NULL as text, as it is: strings unescaped, BYTES in base64, a
// timestamp by the field's codec. A user error that names the field for a timestamp that the codec
// cannot write.
Status AppendText(const Column& column, int64_t row, const PayloadField& field, std::string& out);

}  // namespace watershed
