#include "runtime/operators/aggregates.h"

#include <bit>
#include <cmath>
#include <utility>

namespace watershed {
namespace {

// Sums wrap, as Java's do.
int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t AddDoubles(int64_t a, double b) {
  return std::bit_cast<int64_t>(std::bit_cast<double>(a) + b);
}

bool Less(int64_t a, int64_t b) { return a < b; }
bool Less(double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); }

int64_t ToSlot(int64_t value) { return value; }
int64_t ToSlot(double value) { return std::bit_cast<int64_t>(value); }
template <typename T>
T FromSlot(int64_t slot) {
  if constexpr (std::is_same_v<T, double>) return std::bit_cast<double>(slot);
  return slot;
}

// slots: the sum, and how many values are in it.
void SetSum(int64_t* slots, int64_t sum) {
  slots[0] = sum;
  ++slots[1];
}

template <typename T>
T ValueAt(const void* values, int64_t row) {
  return static_cast<const T*>(values)[row];
}

template <typename T>
void Minimum(int64_t* slots, T value) {
  if (slots[1] == 0 || Less(value, FromSlot<T>(slots[0]))) slots[0] = ToSlot(value);
  slots[1] = 1;
}
template <typename T>
void Maximum(int64_t* slots, T value) {
  if (slots[1] == 0 || Less(FromSlot<T>(slots[0]), value)) slots[0] = ToSlot(value);
  slots[1] = 1;
}

bool IsDouble(DataType type) { return type.kind == TypeKind::kDouble; }
bool IsCount(AggregateFunction function) {
  return function == AggregateFunction::kCountStar || function == AggregateFunction::kCount;
}

void AppendInteger(int64_t value, Column& column) {
  if (column.type().kind == TypeKind::kInt32) {
    column.AppendInt32(static_cast<int32_t>(value));  // the low bits: wraps
  } else {
    column.AppendInt64(value);
  }
}

void AppendSlot(int64_t slot, Column& column) {
  if (IsDouble(column.type())) {
    column.AppendDouble(std::bit_cast<double>(slot));
  } else {
    AppendInteger(slot, column);
  }
}

void AppendAverage(const int64_t* slots, Column& column) {
  if (IsDouble(column.type())) {
    column.AppendDouble(std::bit_cast<double>(slots[0]) / static_cast<double>(slots[1]));
  } else {
    AppendInteger(slots[0] / slots[1], column);
  }
}

}  // namespace

Aggregates::Aggregates(std::vector<AggregateCallSpec> calls) : calls_(std::move(calls)) {
  for (const AggregateCallSpec& call : calls_) {
    slots_.push_back(num_slots_);
    num_slots_ += IsCount(call.function) ? 1 : 2;
  }
}

Aggregates::Code Aggregates::SumCode(DataType type) {
  if (type.kind == TypeKind::kInt32) return Code::kSumInt32;
  return IsDouble(type) ? Code::kSumDouble : Code::kSumInt64;
}

Aggregates::Code Aggregates::ExtremeCode(AggregateFunction function, DataType type) {
  const bool min = function == AggregateFunction::kMin;
  if (type.kind == TypeKind::kInt32) return min ? Code::kMinInt32 : Code::kMaxInt32;
  if (IsDouble(type)) return min ? Code::kMinDouble : Code::kMaxDouble;
  return min ? Code::kMinInt64 : Code::kMaxInt64;
}

Aggregates Aggregates::OverRows(std::vector<AggregateCallSpec> calls) {
  Aggregates made(std::move(calls));
  for (size_t i = 0; i < made.calls_.size(); ++i) {
    const AggregateCallSpec& call = made.calls_[i];
    Code code = Code::kIncrement;
    switch (call.function) {
      case AggregateFunction::kCountStar:
        break;
      case AggregateFunction::kCount:
        code = Code::kCountValid;
        break;
      case AggregateFunction::kSum:
      case AggregateFunction::kAvg:
        code = SumCode(call.input);
        break;
      case AggregateFunction::kMin:
      case AggregateFunction::kMax:
        code = ExtremeCode(call.function, call.input);
        break;
    }
    made.operations_.push_back({code, made.slots_[i], call.column});
  }
  return made;
}

Aggregates Aggregates::OverPartials(std::vector<AggregateCallSpec> calls, int rows_column) {
  Aggregates made(std::move(calls));
  for (size_t i = 0; i < made.calls_.size(); ++i) {
    const AggregateCallSpec& call = made.calls_[i];
    const int slot = made.slots_[i];
    switch (call.function) {
      case AggregateFunction::kCountStar:
        made.operations_.push_back({Code::kAddInt64, slot, rows_column});
        break;
      case AggregateFunction::kCount:
        made.operations_.push_back({Code::kAddInt64, slot, call.column});
        break;
      case AggregateFunction::kSum:
        made.operations_.push_back({SumCode(call.input), slot, call.column});
        break;
      case AggregateFunction::kAvg:
        made.operations_.push_back(
            {IsDouble(call.input) ? Code::kAddDouble : Code::kAddInt64, slot, call.column});
        made.operations_.push_back({Code::kAddInt64, slot + 1, call.column + 1});
        break;
      case AggregateFunction::kMin:
      case AggregateFunction::kMax:
        made.operations_.push_back({ExtremeCode(call.function, call.input), slot, call.column});
        break;
    }
  }
  return made;
}

void Aggregates::Bind(const RecordBatch& batch) {
  for (Operation& operation : operations_) {
    if (operation.column < 0) continue;
    const Column& column = batch.column(operation.column);
    operation.values = column.bytes().data();
    operation.nulls = column.null_count() == 0 ? nullptr : column.null_words().data();
  }
}

void Aggregates::Apply(const Operation& operation, int64_t* accumulator, int64_t row) {
  int64_t* slots = accumulator + operation.slot;
  if (operation.code == Code::kIncrement) {
    ++slots[0];
    return;
  }
  if (operation.IsNull(row)) return;
  const auto int32 = [&] { return int64_t{ValueAt<int32_t>(operation.values, row)}; };
  const auto int64 = [&] { return ValueAt<int64_t>(operation.values, row); };
  const auto real = [&] { return ValueAt<double>(operation.values, row); };
  switch (operation.code) {
    case Code::kIncrement:
      break;
    case Code::kCountValid:
      ++slots[0];
      break;
    case Code::kAddInt64:
      slots[0] = WrappingAdd(slots[0], int64());
      break;
    case Code::kAddDouble:
      slots[0] = AddDoubles(slots[0], real());
      break;
    case Code::kSumInt32:
      SetSum(slots, WrappingAdd(slots[0], int32()));
      break;
    case Code::kSumInt64:
      SetSum(slots, WrappingAdd(slots[0], int64()));
      break;
    case Code::kSumDouble:
      SetSum(slots, AddDoubles(slots[0], real()));
      break;
    case Code::kMinInt32:
      Minimum(slots, int32());
      break;
    case Code::kMinInt64:
      Minimum(slots, int64());
      break;
    case Code::kMinDouble:
      Minimum(slots, real());
      break;
    case Code::kMaxInt32:
      Maximum(slots, int32());
      break;
    case Code::kMaxInt64:
      Maximum(slots, int64());
      break;
    case Code::kMaxDouble:
      Maximum(slots, real());
      break;
  }
}

void Aggregates::Merge(int64_t* into, const int64_t* from) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    const AggregateCallSpec& call = calls_[i];
    int64_t* to = into + slots_[i];
    const int64_t* of = from + slots_[i];
    const bool min = call.function == AggregateFunction::kMin;
    if (IsCount(call.function)) {
      to[0] += of[0];
    } else if (min || call.function == AggregateFunction::kMax) {
      if (of[1] == 0) continue;
      if (IsDouble(call.input)) {
        const double value = std::bit_cast<double>(of[0]);
        min ? Minimum(to, value) : Maximum(to, value);
      } else {
        min ? Minimum(to, of[0]) : Maximum(to, of[0]);
      }
    } else {
      to[0] = IsDouble(call.input) ? AddDoubles(to[0], std::bit_cast<double>(of[0]))
                                   : WrappingAdd(to[0], of[0]);
      to[1] += of[1];
    }
  }
}

void Aggregates::AppendResults(const int64_t* accumulator, std::span<Column* const> columns) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    const int64_t* slots = accumulator + slots_[i];
    Column& column = *columns[i];
    if (IsCount(calls_[i].function)) {
      column.AppendInt64(slots[0]);
    } else if (slots[1] == 0) {
      column.AppendNull();
    } else if (calls_[i].function == AggregateFunction::kAvg) {
      AppendAverage(slots, column);
    } else {
      AppendSlot(slots[0], column);
    }
  }
}

void Aggregates::AppendPartials(const int64_t* accumulator,
                                std::span<Column* const> columns) const {
  size_t at = 0;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const int64_t* slots = accumulator + slots_[i];
    switch (calls_[i].function) {
      case AggregateFunction::kCountStar:
        break;
      case AggregateFunction::kCount:
        columns[at++]->AppendInt64(slots[0]);
        break;
      case AggregateFunction::kAvg:
        AppendSlot(slots[0], *columns[at++]);
        columns[at++]->AppendInt64(slots[1]);
        break;
      default:
        if (slots[1] == 0) {
          columns[at++]->AppendNull();
        } else {
          AppendSlot(slots[0], *columns[at++]);
        }
    }
  }
}

}  // namespace watershed
