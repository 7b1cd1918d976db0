// Rows to CSV records as RFC 4180 has them, without the line's end, columns in the schema's order
// and without a header. A value is quoted if it has a delimiter, a quote or a line's end in it, if
// it is empty, or if it reads like NULL, which is written as the literal without quotes: so the two
// differ. BYTES are base64, timestamps written by each column's codec.
#pragma once

#include <memory>
#include <vector>

#include "runtime/formats/csv_style.h"
#include "runtime/formats/format.h"
#include "runtime/formats/payload_field.h"

namespace watershed {

// `fields` has one entry per column of the schema.
std::unique_ptr<Encoder> MakeCsvEncoder(std::vector<PayloadField> fields, CsvStyle style);

}  // namespace watershed
