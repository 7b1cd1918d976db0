#include "tests/support/text_rows.h"

#include <memory>

namespace watershed::test {

Status TextEncoder::Encode(const RecordBatch& batch, std::string& bytes,
                           std::vector<size_t>& offsets) {
  bytes.clear();
  offsets.assign(1, 0);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    bytes += batch.column(0).String(row);
    offsets.push_back(bytes.size());
  }
  return Ok();
}

RecordBatch TextRows(const std::vector<std::string>& texts) {
  BatchBuilder builder(std::make_shared<Schema>(std::vector<Field>{{"text", {TypeKind::kString}}}));
  for (const std::string& text : texts) {
    builder.column(0).AppendString(text);
    builder.FinishRow();
  }
  return builder.Finish();
}

RecordBatch NumberedRows(int first, int count) {
  std::vector<std::string> texts;
  for (int i = first; i < first + count; ++i) texts.push_back("row " + std::to_string(i));
  return TextRows(texts);
}

}  // namespace watershed::test
