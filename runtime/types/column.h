// One column of a batch: contiguous values, or offsets + bytes, with a null bitmap that exists only
// when there is a null. Append-only while being built by one thread; immutable once shared.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "runtime/types/data_type.h"
#include "runtime/types/raw_vector.h"

namespace watershed {

// A variable-width column holds at most 4 GB of bytes (32-bit offsets): appending more throws
// std::length_error, which is a bug of the caller, since batches are bounded far below.
class Column {
 public:
  explicit Column(DataType type);

  DataType type() const { return type_; }
  int64_t size() const { return size_; }
  int64_t null_count() const { return null_count_; }
  bool IsNull(int64_t row) const {
    return null_count_ != 0 && ((nulls_[static_cast<size_t>(row >> 6)] >> (row & 63)) & 1) != 0;
  }
  // Bytes held, for the bounds of queues and for metrics.
  int64_t byte_size() const;

  // Typed views. The value under a null is zero (fixed width) or empty (variable width).
  // Precondition: the type matches (Timestamps are Int64s; bools are one byte each, 0 or 1).
  std::span<const uint8_t> Bools() const { return View<uint8_t>(); }
  std::span<const int32_t> Int32s() const { return View<int32_t>(); }
  std::span<const int64_t> Int64s() const { return View<int64_t>(); }
  std::span<const double> Doubles() const { return View<double>(); }
  // Strings and bytes: value `row` is bytes()[offsets()[row], offsets()[row + 1]).
  std::span<const uint32_t> offsets() const { return {offsets_.data(), offsets_.size()}; }
  std::string_view String(int64_t row) const {
    const auto begin = offsets_[static_cast<size_t>(row)];
    return {bytes_.data() + begin, offsets_[static_cast<size_t>(row) + 1] - begin};
  }
  // All values: size() * width_bytes() bytes, or all variable-width bytes.
  std::span<const char> bytes() const { return {bytes_.data(), bytes_.size()}; }

  // Building.
  void Reserve(int64_t rows, int64_t variable_bytes = 0);
  void AppendNull();
  void AppendBool(bool value) { AppendFixed<uint8_t>(value ? 1 : 0); }
  void AppendInt32(int32_t value) { AppendFixed(value); }
  void AppendInt64(int64_t value) { AppendFixed(value); }
  void AppendDouble(double value) { AppendFixed(value); }
  void AppendString(std::string_view value) {
    assert(type_.is_variable_width());
    if (value.size() > kMaxVariableBytes - bytes_.size()) ThrowTooLarge();
    bytes_.append(value.data(), value.size());
    offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
    CountRow();
  }
  // Drops the last row, for a decoder that finds a record bad halfway through.
  void PopBack();
  // Appends rows[i] of another column of the same type, in that order.
  void AppendRows(const Column& from, std::span<const int32_t> rows);
  void AppendAll(const Column& from);
  // Appends `count` non-null fixed-width values from raw memory.
  void AppendFixedRaw(const void* values, int64_t count);
  // Appends `count` non-null variable-width values: `end_offsets[i]` is where value i ends in
  // `bytes`, value 0 begins at 0. Precondition: they rise and do not pass bytes.size().
  void AppendVariableRaw(std::string_view bytes, std::span<const uint32_t> end_offsets);
  // The null bitmap of the whole column: one bit a row, bits past the end zero. Precondition: the
  // values under nulls are zero or empty, `null_count` is the number of bits set.
  void SetNullsRaw(std::span<const uint64_t> words, int64_t null_count);
  // Empty when there is no null.
  std::span<const uint64_t> null_words() const {
    return null_count_ == 0 ? std::span<const uint64_t>{}
                            : std::span<const uint64_t>{nulls_.data(), nulls_.size()};
  }
  void Clear();

 private:
  static constexpr size_t kMaxVariableBytes = 0xFFFF'FFFF;

  template <typename T>
  std::span<const T> View() const {
    assert(type_.width_bytes() == sizeof(T));
    return {reinterpret_cast<const T*>(bytes_.data()), static_cast<size_t>(size_)};
  }
  template <typename T>
  void AppendFixed(T value) {
    assert(type_.width_bytes() == sizeof(T));
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    CountRow();
  }
  void CountRow() {
    ++size_;
    if (!nulls_.empty() && (size_ & 63) == 1) nulls_.push_back(0);
  }
  // The bitmap covers `rows` rows, zero where it is new.
  void ExtendNulls(int64_t rows);
  void SetNull(int64_t row) { nulls_[static_cast<size_t>(row >> 6)] |= uint64_t{1} << (row & 63); }
  [[noreturn]] static void ThrowTooLarge();

  DataType type_;
  int64_t size_ = 0;
  int64_t null_count_ = 0;
  RawVector<char> bytes_;        // fixed-width values, or all variable-width bytes
  RawVector<uint32_t> offsets_;  // variable width only: size() + 1 entries
  RawVector<uint64_t> nulls_;    // empty, or one bit a row (1 = null)
};

using ColumnPtr = std::shared_ptr<const Column>;

}  // namespace watershed
