// The aggregate functions of one window aggregate, compiled to a list of small operations over
// accumulators. An accumulator is a fixed number of 8-byte slots, all zero at first:
//   COUNT: [n]    SUM, AVG: [sum, n]    MIN, MAX: [value, whether there is one]
// NULLs are skipped (COUNT(*) counts rows); SUM, AVG, MIN and MAX of nothing but NULLs are NULL.
// Integers wrap in 64 bits and are cut to their type at the end; AVG of integers truncates. For MIN
// and MAX a NaN is larger than every number, so that the order of rows does not matter.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

enum class AggregateFunction : uint8_t { kCountStar, kCount, kSum, kMin, kMax, kAvg };

struct AggregateCallSpec {
  AggregateFunction function = AggregateFunction::kCountStar;
  int column = -1;  // of the input: the value, or the first of its partial columns
  DataType input;   // the type of that column
  DataType output;  // the type of the result
};

class Aggregates {
 public:
  Aggregates() = default;
  // Rows of the input are values, or partials with the number of rows in column `rows_column`.
  static Aggregates OverRows(std::vector<AggregateCallSpec> calls);
  static Aggregates OverPartials(std::vector<AggregateCallSpec> calls, int rows_column);

  int num_slots() const { return num_slots_; }
  const std::vector<AggregateCallSpec>& calls() const { return calls_; }

  // Binds to the columns of a batch, which must outlive the calls of Add.
  void Bind(const RecordBatch& batch);
  // Adds one row of the bound batch.
  void Add(int64_t* accumulator, int64_t row) const {
    for (const Operation& operation : operations_) Apply(operation, accumulator, row);
  }
  // For session windows that merge.
  void Merge(int64_t* into, const int64_t* from) const;

  // One value per call, to columns of the calls' output types.
  void AppendResults(const int64_t* accumulator, std::span<Column* const> columns) const;
  // The partial columns of PartialAggregateSchema, which COUNT(*) has none of.
  void AppendPartials(const int64_t* accumulator, std::span<Column* const> columns) const;

 private:
  enum class Code : uint8_t {
    kIncrement,   // [n]: a row
    kCountValid,  // [n]: a value
    kAddInt64,    // one slot of a partial
    kAddDouble,   // one slot of a partial
    kSumInt32,    // [sum, n]
    kSumInt64,
    kSumDouble,
    kMinInt32,  // [value, whether]
    kMinInt64,
    kMinDouble,
    kMaxInt32,
    kMaxInt64,
    kMaxDouble,
  };
  struct Operation {
    Code code;
    int slot;
    int column;
    const char* values = nullptr;
    const uint64_t* nulls = nullptr;  // null: no row is NULL

    bool IsNull(int64_t row) const {
      return nulls != nullptr && ((nulls[row >> 6] >> (row & 63)) & 1) != 0;
    }
  };

  explicit Aggregates(std::vector<AggregateCallSpec> calls);
  static void Apply(const Operation& operation, int64_t* accumulator, int64_t row);
  static Code SumCode(DataType type);
  static Code ExtremeCode(AggregateFunction function, DataType type);

  std::vector<AggregateCallSpec> calls_;
  std::vector<int> slots_;  // where each call's begin
  std::vector<Operation> operations_;
  int num_slots_ = 0;
};

}  // namespace watershed
