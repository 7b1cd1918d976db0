#include "runtime/operators/window_emitter.h"

#include "runtime/types/key_encoding.h"

namespace watershed {

WindowEmitter::WindowEmitter(const WindowSpec& spec) : spec_(spec), builder_(spec.output) {
  BindColumns();
}

void WindowEmitter::BindColumns() {
  key_columns_.clear();
  bound_columns_.clear();
  result_columns_.clear();
  int at = 0;
  for (size_t i = 0; i < spec_.key_types.size(); ++i) {
    key_columns_.push_back(&builder_.column(at++));
  }
  if (spec_.emits_start) bound_columns_.push_back(&builder_.column(at++));
  if (spec_.emits_end) bound_columns_.push_back(&builder_.column(at++));
  while (at < spec_.output->num_fields()) result_columns_.push_back(&builder_.column(at++));
}

void WindowEmitter::Append(std::string_view key, TimeWindow window, const int64_t* accumulator) {
  if (Status decoded = DecodeKey(key, key_columns_); !decoded) {
    if (status_) status_ = std::move(decoded);
    return;
  }
  size_t bound = 0;
  if (spec_.emits_start) bound_columns_[bound++]->AppendInt64(window.start_ms);
  if (spec_.emits_end) bound_columns_[bound]->AppendInt64(window.end_ms);
  spec_.aggregates.AppendResults(accumulator, result_columns_);
  builder_.FinishRow();
}

RecordBatch WindowEmitter::Finish() {
  RecordBatch batch = builder_.Finish();
  BindColumns();
  return batch;
}

}  // namespace watershed
