// Builds the rows that windows give when they fire: keys, bounds, results.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/operators/window.h"
#include "runtime/operators/window_spec.h"
#include "runtime/types/record_batch.h"

namespace watershed {

class WindowEmitter {
 public:
  explicit WindowEmitter(const WindowSpec& spec);  // which must outlive it

  void Append(std::string_view key, TimeWindow window, const int64_t* accumulator);
  int64_t num_rows() const { return builder_.num_rows(); }
  RecordBatch Finish();
  // The first error of Append (a key that cannot be decoded: damaged state).
  Status status() const { return status_; }

 private:
  void BindColumns();

  const WindowSpec& spec_;
  BatchBuilder builder_;
  std::vector<Column*> key_columns_, bound_columns_, result_columns_;
  Status status_ = Ok();
};

}  // namespace watershed
