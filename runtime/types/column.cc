#include "runtime/types/column.h"

#include <bit>
#include <cstring>
#include <stdexcept>

namespace watershed {
namespace {

size_t NullWords(int64_t rows) { return static_cast<size_t>((rows + 63) >> 6); }

template <typename T>
void Gather(const char* from, std::span<const int32_t> rows, char* to) {
  for (const int32_t row : rows) {
    std::memcpy(to, from + static_cast<size_t>(row) * sizeof(T), sizeof(T));
    to += sizeof(T);
  }
}

}  // namespace

Column::Column(DataType type) : type_(type) {
  if (type_.is_variable_width()) offsets_.push_back(0);
}

void Column::ThrowTooLarge() {
  throw std::length_error("a column of strings or bytes would pass 4 GB");
}

int64_t Column::byte_size() const {
  return static_cast<int64_t>(bytes_.size() + offsets_.size() * sizeof(uint32_t) +
                              null_words().size() * sizeof(uint64_t));
}

void Column::Reserve(int64_t rows, int64_t variable_bytes) {
  const auto count = static_cast<size_t>(size_ + rows);
  if (type_.is_variable_width()) {
    offsets_.reserve(count + 1);
    bytes_.reserve(bytes_.size() + static_cast<size_t>(variable_bytes));
  } else {
    bytes_.reserve(count * type_.width_bytes());
  }
}

void Column::ExtendNulls(int64_t rows) {
  const size_t had = nulls_.size();
  const size_t words = NullWords(rows);
  if (words <= had) return;
  nulls_.resize(words);
  std::memset(nulls_.data() + had, 0, (words - had) * sizeof(uint64_t));
}

void Column::AppendNull() {
  if (type_.is_variable_width()) {
    offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
  } else {
    static constexpr char kZeros[8] = {};
    bytes_.append(kZeros, type_.width_bytes());
  }
  ++size_;
  ExtendNulls(size_);
  SetNull(size_ - 1);
  ++null_count_;
}

void Column::PopBack() {
  assert(size_ > 0);
  const int64_t row = size_ - 1;
  if (IsNull(row)) {
    nulls_[static_cast<size_t>(row >> 6)] &= ~(uint64_t{1} << (row & 63));
    --null_count_;
  }
  --size_;
  if (!nulls_.empty()) nulls_.resize(NullWords(size_));
  if (type_.is_variable_width()) {
    offsets_.resize(offsets_.size() - 1);
    bytes_.resize(offsets_.back());
  } else {
    bytes_.resize(bytes_.size() - type_.width_bytes());
  }
}

void Column::AppendRows(const Column& from, std::span<const int32_t> rows) {
  assert(type_ == from.type_);
  const int64_t before = size_;
  if (type_.is_variable_width()) {
    size_t total = bytes_.size();
    for (const int32_t row : rows) total += from.String(row).size();
    if (total > kMaxVariableBytes) ThrowTooLarge();
    size_t end = bytes_.size();
    bytes_.resize(total);
    size_t at = offsets_.size();
    offsets_.resize(at + rows.size());
    for (const int32_t row : rows) {
      const std::string_view value = from.String(row);
      if (!value.empty()) std::memcpy(bytes_.data() + end, value.data(), value.size());
      end += value.size();
      offsets_[at++] = static_cast<uint32_t>(end);
    }
  } else {
    const size_t width = type_.width_bytes();
    const size_t end = bytes_.size();
    bytes_.resize(end + rows.size() * width);
    if (width == 8) Gather<uint64_t>(from.bytes_.data(), rows, bytes_.data() + end);
    if (width == 4) Gather<uint32_t>(from.bytes_.data(), rows, bytes_.data() + end);
    if (width == 1) Gather<uint8_t>(from.bytes_.data(), rows, bytes_.data() + end);
  }
  size_ += static_cast<int64_t>(rows.size());
  if (nulls_.empty() && from.null_count_ == 0) return;
  ExtendNulls(size_);
  if (from.null_count_ == 0) return;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!from.IsNull(rows[i])) continue;
    SetNull(before + static_cast<int64_t>(i));
    ++null_count_;
  }
}

void Column::AppendAll(const Column& from) {
  assert(type_ == from.type_);
  const int64_t before = size_;
  if (type_.is_variable_width()) {
    AppendVariableRaw({from.bytes_.data(), from.bytes_.size()}, from.offsets().subspan(1));
  } else {
    AppendFixedRaw(from.bytes_.data(), from.size_);
  }
  if (from.null_count_ == 0) return;
  ExtendNulls(size_);
  for (size_t word = 0; word < from.nulls_.size(); ++word) {
    for (uint64_t bits = from.nulls_[word]; bits != 0; bits &= bits - 1) {
      SetNull(before + static_cast<int64_t>(word * 64) + std::countr_zero(bits));
    }
  }
  null_count_ += from.null_count_;
}

void Column::AppendFixedRaw(const void* values, int64_t count) {
  assert(!type_.is_variable_width());
  bytes_.append(static_cast<const char*>(values), static_cast<size_t>(count) * type_.width_bytes());
  size_ += count;
  if (!nulls_.empty()) ExtendNulls(size_);
}

void Column::AppendVariableRaw(std::string_view bytes, std::span<const uint32_t> end_offsets) {
  assert(type_.is_variable_width());
  if (bytes.size() > kMaxVariableBytes - bytes_.size()) ThrowTooLarge();
  const auto base = static_cast<uint32_t>(bytes_.size());
  const size_t used = end_offsets.empty() ? 0 : end_offsets.back();
  bytes_.append(bytes.data(), used);
  size_t at = offsets_.size();
  offsets_.resize(at + end_offsets.size());
  for (const uint32_t end : end_offsets) offsets_[at++] = base + end;
  size_ += static_cast<int64_t>(end_offsets.size());
  if (!nulls_.empty()) ExtendNulls(size_);
}

void Column::SetNullsRaw(std::span<const uint64_t> words, int64_t null_count) {
  assert(words.size() == NullWords(size_) || null_count == 0);
  nulls_.clear();
  null_count_ = null_count;
  if (null_count != 0) nulls_.append(words.data(), words.size());
}

void Column::Clear() {
  size_ = 0;
  null_count_ = 0;
  bytes_.clear();
  nulls_.clear();
  if (type_.is_variable_width()) offsets_.resize(1);
}

}  // namespace watershed
