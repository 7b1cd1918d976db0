// Makes decoders and encoders from the plan. A new format is one pair of files, one line in
// format_options.cc and one here.
#pragma once

#include <memory>

#include "runtime/formats/format.h"
#include "runtime/types/result.h"

namespace watershed {

namespace v1 {
class Format;
}

// `schema` is that of the rows wanted or written; how each of its columns is found in the payload
// is said by `format.columns`, by default under the column's own name. A user error for an unknown
// format or option value, and for a timestamp pattern that is not supported.
Result<std::unique_ptr<Decoder>> MakeDecoder(const v1::Format& format, SchemaPtr schema);
Result<std::unique_ptr<Encoder>> MakeEncoder(const v1::Format& format, SchemaPtr schema);

}  // namespace watershed
