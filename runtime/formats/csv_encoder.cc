#include "runtime/formats/csv_encoder.h"

#include <utility>

namespace watershed {
namespace {

class CsvEncoder final : public Encoder {
 public:
  CsvEncoder(std::vector<PayloadField> fields, CsvStyle style)
      : fields_(std::move(fields)),
        style_(std::move(style)),
        special_{style_.delimiter, style_.quote, '\n', '\r'} {}

  Status Encode(const RecordBatch& batch, std::string& bytes,
                std::vector<size_t>& offsets) override {
    bytes.clear();
    offsets.assign(1, 0);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        if (i > 0) bytes.push_back(style_.delimiter);
        const Column& column = batch.column(static_cast<int>(i));
        if (column.IsNull(row)) {
          bytes += style_.null_literal;
          continue;
        }
        text_.clear();
        WS_RETURN_IF_ERROR(AppendText(column, row, fields_[i], text_));
        AppendField(bytes);
      }
      offsets.push_back(bytes.size());
    }
    return Ok();
  }

  std::string_view file_extension() const override { return "csv"; }

 private:
  void AppendField(std::string& bytes) const {
    const bool is_quoted = text_.empty() || text_ == style_.null_literal ||
                           text_.find_first_of(special_) != text_.npos;
    if (!is_quoted) {
      bytes += text_;
      return;
    }
    bytes.push_back(style_.quote);
    for (const char c : text_) {
      if (c == style_.quote) bytes.push_back(c);
      bytes.push_back(c);
    }
    bytes.push_back(style_.quote);
  }

  const std::vector<PayloadField> fields_;
  const CsvStyle style_;
  const std::string special_;
  std::string text_;  // of one value
};

}  // namespace

std::unique_ptr<Encoder> MakeCsvEncoder(std::vector<PayloadField> fields, CsvStyle style) {
  return std::make_unique<CsvEncoder>(std::move(fields), std::move(style));
}

}  // namespace watershed
