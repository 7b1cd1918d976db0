// JSON objects to rows, reading only the wanted fields (simdjson On-Demand).
//
// What is malformed: what fails simdjson's structural pass (UTF-8 of the whole document, closed
// strings, no control characters in them) and what is not exactly one complete object. Fields
// nobody asked for are only skipped over, unless `strict`: then the whole document is validated
// first.
//
// What a wanted field becomes:
//   missing, null       NULL; an error for the event time and for columns marked not-null
//   string column       text unescaped; numbers and booleans as they are written; an object or
//                       array as its text, from bracket to bracket
//   int, bigint         an integer, or a string that holds one, spaces around it ignored; an error
//                       when it has a fraction or an exponent or does not fit
//   double              a number, or a string that holds one; NaN and infinities are errors
//   bool                true, false, or a string that holds one of them
//   timestamp           text by the column's pattern, or an integer when it has an epoch unit
//   bytes               base64
// A name that occurs twice: the last one wins, as with Jackson. A surrogate without its partner
// becomes '?', as in Flink.
#pragma once

#include <memory>
#include <vector>

#include "runtime/formats/format.h"
#include "runtime/formats/payload_field.h"

namespace watershed {

// `fields` has one entry per column of the schema.
std::unique_ptr<Decoder> MakeJsonDecoder(SchemaPtr schema, std::vector<PayloadField> fields,
                                         bool strict);

}  // namespace watershed
