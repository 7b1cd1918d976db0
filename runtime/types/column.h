// One column of a batch: contiguous values, or offsets + bytes, with a null bitmap that exists only
// when there is a null. Append-only while being built by one thread; immutable once shared.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/types/data_type.h"

namespace watershed {

class Column {
 public:
  explicit Column(DataType type);

  DataType type() const { return type_; }
  int64_t size() const { return size_; }
  int64_t null_count() const { return null_count_; }
  bool IsNull(int64_t row) const {
    return null_count_ != 0 && (nulls_[static_cast<size_t>(row >> 6)] >> (row & 63)) & 1;
  }
  // Bytes held, for the bounds of queues and for metrics.
  int64_t byte_size() const;

  // Typed views. The value under a null is zero (fixed width) or empty (variable width).
  // Precondition: the type matches (Timestamps are Int64s; bools are one byte each).
  std::span<const uint8_t> Bools() const { return View<uint8_t>(); }
  std::span<const int32_t> Int32s() const { return View<int32_t>(); }
  std::span<const int64_t> Int64s() const { return View<int64_t>(); }
  std::span<const double> Doubles() const { return View<double>(); }
  // Strings and bytes: value `row` is bytes()[offsets()[row], offsets()[row + 1]).
  std::span<const uint32_t> offsets() const { return offsets_; }
  std::string_view String(int64_t row) const {
    const auto begin = offsets_[static_cast<size_t>(row)];
    return {bytes_.data() + begin, offsets_[static_cast<size_t>(row) + 1] - begin};
  }
  const std::vector<char>& bytes() const { return bytes_; }

  // Building.
  void Reserve(int64_t rows, int64_t variable_bytes = 0);
  void AppendNull();
  void AppendBool(bool value) { AppendFixed<uint8_t>(value ? 1 : 0); }
  void AppendInt32(int32_t value) { AppendFixed(value); }
  void AppendInt64(int64_t value) { AppendFixed(value); }
  void AppendDouble(double value) { AppendFixed(value); }
  void AppendString(std::string_view value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
    GrowNulls();
  }
  // Drops the last row, for a decoder that finds a record bad halfway through.
  void PopBack();
  // Appends rows[i] of another column of the same type, in that order.
  void AppendRows(const Column& from, std::span<const int32_t> rows);
  void AppendAll(const Column& from);
  // Appends `count` non-null fixed-width values from raw memory, or variable-width from offsets.
  void AppendFixedRaw(const void* values, int64_t count);
  void SetNullsRaw(std::span<const uint64_t> words, int64_t null_count);
  std::span<const uint64_t> null_words() const { return nulls_; }
  void Clear();

 private:
  template <typename T>
  std::span<const T> View() const {
    return {reinterpret_cast<const T*>(bytes_.data()), static_cast<size_t>(size_)};
  }
  template <typename T>
  void AppendFixed(T value) {
    const char* raw = reinterpret_cast<const char*>(&value);
    bytes_.insert(bytes_.end(), raw, raw + sizeof(T));
    GrowNulls();
  }
  void GrowNulls() {
    ++size_;
    if (!nulls_.empty() && (size_ & 63) == 1) nulls_.push_back(0);
  }

  DataType type_;
  int64_t size_ = 0;
  int64_t null_count_ = 0;
  std::vector<char> bytes_;        // fixed-width values, or all variable-width bytes
  std::vector<uint32_t> offsets_;  // variable width only: size() + 1 entries
  std::vector<uint64_t> nulls_;    // empty, or one bit a row (1 = null)
};

using ColumnPtr = std::shared_ptr<const Column>;

}  // namespace watershed
