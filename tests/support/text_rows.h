// Rows of one text, for sinks whose payload is that text.
#pragma once

#include <string>
#include <vector>

#include "runtime/formats/format.h"
#include "runtime/types/record_batch.h"

namespace watershed::test {

// The first column's text is the payload.
class TextEncoder final : public Encoder {
 public:
  Status Encode(const RecordBatch& batch, std::string& bytes,
                std::vector<size_t>& offsets) override;
};

RecordBatch TextRows(const std::vector<std::string>& texts);

// "row <first>", "row <first + 1>", …
RecordBatch NumberedRows(int first, int count);

}  // namespace watershed::test
