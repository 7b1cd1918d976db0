#include "runtime/operators/calc.h"

#include <utility>

namespace watershed {
namespace {

class Calc final : public Operator {
 public:
  Calc(std::vector<int> columns, SchemaPtr output)
      : columns_(std::move(columns)), output_(std::move(output)) {}

  Status Process(int, const RecordBatch& batch, Output& output) override {
    std::vector<ColumnPtr> picked;
    picked.reserve(columns_.size());
    for (const int column : columns_) picked.push_back(batch.column_ptr(column));
    RecordBatch projected(output_, std::move(picked), batch.num_rows());
    projected.set_row_kinds(batch.row_kinds());
    return output.Emit(std::move(projected));
  }

 private:
  std::vector<int> columns_;
  SchemaPtr output_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeCalc(std::vector<int> columns, const Schema& input,
                                           SchemaPtr output) {
  if (static_cast<int>(columns.size()) != output->num_fields()) {
    return InternalError("Calc: {} columns for an output of {}", columns.size(),
                         output->num_fields());
  }
  for (int i = 0; i < output->num_fields(); ++i) {
    const int column = columns[static_cast<size_t>(i)];
    if (column < 0 || column >= input.num_fields()) {
      return InternalError("Calc: column {} is not one of the input's {}", column,
                           input.num_fields());
    }
    if (input.field(column).type != output->field(i).type) {
      return InternalError("Calc: '{}' is {} but its input '{}' is {}", output->field(i).name,
                           NameOf(output->field(i).type), input.field(column).name,
                           NameOf(input.field(column).type));
    }
  }
  return std::make_unique<Calc>(std::move(columns), std::move(output));
}

}  // namespace watershed
