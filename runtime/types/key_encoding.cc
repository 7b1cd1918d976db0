#define XXH_INLINE_ALL
#include "runtime/types/key_encoding.h"

#include <xxhash.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "runtime/types/key_group.h"

namespace watershed {
namespace {

static_assert(std::endian::native == std::endian::little,
              "keys are stored as the machine has them");

constexpr char kNullTag = 0;
constexpr char kValueTag = 1;
constexpr uint64_t kCanonicalNan = 0x7FF8'0000'0000'0000;

// Adds the encoded size of every row's value to lengths[row].
void AddLengths(const Column& column, std::span<uint32_t> lengths) {
  const auto rows = static_cast<int64_t>(lengths.size());
  if (column.type().is_variable_width()) {
    const auto offsets = column.offsets();
    for (size_t row = 0; row < lengths.size(); ++row) {
      lengths[row] += 5 + (offsets[row + 1] - offsets[row]);
    }
  } else {
    const auto width = static_cast<uint32_t>(column.type().width_bytes());
    for (uint32_t& length : lengths) length += 1 + width;
  }
  if (column.null_count() == 0) return;
  const auto extra = static_cast<uint32_t>(
      column.type().is_variable_width() ? sizeof(uint32_t) : column.type().width_bytes());
  for (int64_t row = 0; row < rows; ++row) {
    if (column.IsNull(row)) lengths[static_cast<size_t>(row)] -= extra;
  }
}

uint64_t CanonicalDouble(double value) {
  if (std::isnan(value)) return kCanonicalNan;
  return std::bit_cast<uint64_t>(value == 0.0 ? 0.0 : value);
}

// Writes one column of every row at its cursor and moves the cursors on.
void WriteVariable(const Column& column, std::span<uint32_t> cursors, char* bytes) {
  for (size_t row = 0; row < cursors.size(); ++row) {
    char* to = bytes + cursors[row];
    if (column.IsNull(static_cast<int64_t>(row))) {
      *to = kNullTag;
      ++cursors[row];
      continue;
    }
    const std::string_view value = column.String(static_cast<int64_t>(row));
    const auto size = static_cast<uint32_t>(value.size());
    *to = kValueTag;
    std::memcpy(to + 1, &size, sizeof(size));
    if (size != 0) std::memcpy(to + 5, value.data(), size);
    cursors[row] += 5 + size;
  }
}

template <typename T, typename Canonical>
void WriteFixed(const Column& column, std::span<const T> values, std::span<uint32_t> cursors,
                char* bytes, Canonical canonical) {
  for (size_t row = 0; row < cursors.size(); ++row) {
    char* to = bytes + cursors[row];
    if (column.IsNull(static_cast<int64_t>(row))) {
      *to = kNullTag;
      ++cursors[row];
      continue;
    }
    const auto value = canonical(values[row]);
    *to = kValueTag;
    std::memcpy(to + 1, &value, sizeof(value));
    cursors[row] += 1 + sizeof(value);
  }
}

void WriteColumn(const Column& column, std::span<uint32_t> cursors, char* bytes) {
  const auto same = [](auto value) { return value; };
  switch (column.type().kind) {
    case TypeKind::kBool:
      return WriteFixed(column, column.Bools(), cursors, bytes, same);
    case TypeKind::kInt32:
      return WriteFixed(column, column.Int32s(), cursors, bytes, same);
    case TypeKind::kInt64:
    case TypeKind::kTimestampMs:
      return WriteFixed(column, column.Int64s(), cursors, bytes, same);
    case TypeKind::kDouble:
      return WriteFixed(column, column.Doubles(), cursors, bytes, CanonicalDouble);
    case TypeKind::kString:
    case TypeKind::kBytes:
      return WriteVariable(column, cursors, bytes);
  }
}

// Where the value of one column lies in a key; `size` 0 and `null` for NULL.
struct KeyPart {
  bool null = false;
  std::string_view value;
};

bool ReadPart(std::string_view& key, DataType type, KeyPart& part) {
  if (key.empty()) return false;
  const char tag = key.front();
  key.remove_prefix(1);
  part.null = tag == kNullTag;
  if (part.null) return true;
  if (tag != kValueTag) return false;
  size_t size = type.width_bytes();
  if (type.is_variable_width()) {
    uint32_t length = 0;
    if (key.size() < sizeof(length)) return false;
    std::memcpy(&length, key.data(), sizeof(length));
    key.remove_prefix(sizeof(length));
    size = length;
  }
  if (key.size() < size) return false;
  part.value = key.substr(0, size);
  key.remove_prefix(size);
  return true;
}

}  // namespace

uint64_t HashKey(std::string_view key) {
  return XXH3_64bits_withSeed(key.data(), key.size(), kKeyHashSeed);
}

void EncodeKeys(const RecordBatch& batch, std::span<const int> key_columns, KeyBatch& out) {
  const auto rows = static_cast<size_t>(batch.num_rows());
  out.offsets.resize(rows + 1);
  out.hashes.resize(rows);
  // offsets[row + 1] first holds the row's length, then its cursor while the columns are written,
  // and ends as the row's end: no memory besides the result.
  const std::span<uint32_t> ends(out.offsets.data() + 1, rows);
  std::memset(out.offsets.data(), 0, (rows + 1) * sizeof(uint32_t));
  for (const int index : key_columns) AddLengths(batch.column(index), ends);
  uint64_t total = 0;
  for (uint32_t& end : ends) {
    const uint32_t length = end;
    end = static_cast<uint32_t>(total);
    total += length;
  }
  if (total > std::numeric_limits<uint32_t>::max()) {
    throw std::length_error("the keys of one batch pass 4 GB");
  }
  out.bytes.resize(total);
  for (const int index : key_columns) WriteColumn(batch.column(index), ends, out.bytes.data());
  for (size_t row = 0; row < rows; ++row) {
    out.hashes[row] = HashKey(out.key(static_cast<int64_t>(row)));
  }
}

Status DecodeKey(std::string_view key, std::span<Column* const> columns) {
  std::string_view rest = key;
  KeyPart part;
  for (const Column* column : columns) {
    if (!ReadPart(rest, column->type(), part)) {
      return InternalError("{} bytes are no key of {} columns", key.size(), columns.size());
    }
  }
  if (!rest.empty()) {
    return InternalError("a key of {} columns has {} bytes left over", columns.size(), rest.size());
  }
  rest = key;
  for (Column* column : columns) {
    ReadPart(rest, column->type(), part);
    if (part.null) {
      column->AppendNull();
    } else if (column->type().is_variable_width()) {
      column->AppendString(part.value);
    } else {
      column->AppendFixedRaw(part.value.data(), 1);
    }
  }
  return Ok();
}

}  // namespace watershed
