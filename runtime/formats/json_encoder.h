// Rows to JSON objects, one a payload, fields in the schema's order. NULL is written as null, BYTES
// as base64, timestamps by each column's codec.
#pragma once

#include <memory>
#include <vector>

#include "runtime/formats/json_decoder.h"

namespace watershed {

// `fields` has one entry per column of the schema.
std::unique_ptr<Encoder> MakeJsonEncoder(SchemaPtr schema, std::vector<PayloadField> fields);

}  // namespace watershed
