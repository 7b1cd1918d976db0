#include "runtime/connectors/postgres/copy_encoder.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace watershed {
namespace {

constexpr int64_t kPostgresEpochMs = 946'684'800'000;  // 2000-01-01
// Of `timestamp`, in microseconds since 2000: from 4714-11-24 BC to before 294277-01-01.
constexpr int64_t kMinTimestampUs = -211'813'488'000'000'000;
constexpr int64_t kEndTimestampUs = 9'223'371'331'200'000'000;
constexpr size_t kShownBytes = 60;

// Written big-endian; the caller has made room.
template <typename T>
char* Put(char* out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  return out + sizeof(T);
}

template <typename T>
char* PutField(char* out, T value) {
  return Put(Put(out, static_cast<uint32_t>(sizeof(T))), value);
}

char* PutBytes(char* out, std::string_view bytes) {
  out = Put(out, static_cast<uint32_t>(bytes.size()));
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

bool IsContinuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// Length of the valid multi-byte character at the front; 0 = none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(byte(i))) return 0;
  }
  const unsigned char second = byte(1);
  if (lead == 0xe0 && second < 0xa0) return 0;  // overlong
  if (lead == 0xed && second > 0x9f) return 0;  // surrogate
  if (lead == 0xf0 && second < 0x90) return 0;  // overlong
  if (lead == 0xf4 && second > 0x8f) return 0;  // above U+10FFFF
  return length;
}

// True if the eight bytes are ASCII and none is NUL (Mycroft's test).
bool IsPlain(uint64_t word) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  return ((word | (word - 0x0101010101010101)) & kHighBits) == 0;
}

std::string Shortened(std::string_view value) {
  std::string shown;
  for (const char c : value.substr(0, kShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown.push_back(c);
    }
  }
  return value.size() > kShownBytes ? fmt::format("{}… ({} bytes)", shown, value.size()) : shown;
}

// Bytes that the batch needs at most.
size_t UpperBound(const RecordBatch& batch) {
  size_t bytes = 0;
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (batch.column(i).type().is_variable_width()) bytes += batch.column(i).bytes().size();
  }
  const auto fields = static_cast<size_t>(batch.num_columns());
  return bytes + static_cast<size_t>(batch.num_rows()) * (2 + fields * 12);
}

}  // namespace

TextDefect CheckText(std::string_view text) {
  while (!text.empty()) {
    uint64_t word = 0;
    if (text.size() >= sizeof(word)) {
      std::memcpy(&word, text.data(), sizeof(word));
      if (IsPlain(word)) {
        text.remove_prefix(sizeof(word));
        continue;
      }
    }
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == 0) return TextDefect::kNul;
    const size_t length = byte < 0x80 ? 1 : CharacterLength(text);
    if (length == 0) return TextDefect::kInvalidUtf8;
    text.remove_prefix(length);
  }
  return TextDefect::kNone;
}

int64_t CountCharacters(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += IsContinuation(static_cast<unsigned char>(c)) ? 0 : 1;
  return count;
}

Status CopyEncoder::Append(const RecordBatch& batch, std::string& out) {
  if (batch.row_kinds() != nullptr) {
    for (const RowKind kind : *batch.row_kinds()) {
      if (kind != RowKind::kInsert) {
        return UserError("{} takes new rows only, but its input updates rows", description_);
      }
    }
  }
  scratch_.resize(UpperBound(batch));
  char* end = scratch_.data();
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    end = Put(end, static_cast<uint16_t>(columns_.size()));
    for (int column = 0; column < batch.num_columns(); ++column) {
      end = AppendValue(batch, column, row, end);
      if (end == nullptr) return UserError("{}", problem_);
    }
  }
  out.append(scratch_.data(), static_cast<size_t>(end - scratch_.data()));
  return Ok();
}

char* CopyEncoder::Refuse(const TargetColumn& target, std::string_view value, std::string reason) {
  problem_ = fmt::format("{}: column '{}' ({}) cannot take '{}': {}", description_, target.name,
                         target.sql_type, Shortened(value), reason);
  return nullptr;
}

char* CopyEncoder::AppendText(const TargetColumn& target, std::string_view text, char* out) {
  switch (CheckText(text)) {
    case TextDefect::kNone:
      break;
    case TextDefect::kNul:
      return Refuse(target, text, "PostgreSQL cannot store the character NUL (\\x00)");
    case TextDefect::kInvalidUtf8:
      return Refuse(target, text, "it is not valid UTF-8");
  }
  const bool may_be_too_long =
      target.max_characters > 0 && text.size() > static_cast<size_t>(target.max_characters);
  if (may_be_too_long) {
    const int64_t characters = CountCharacters(text);
    // The SQL standard lets blanks fall off the end.
    std::string_view trimmed = text;
    while (!trimmed.empty() && trimmed.back() == ' ') trimmed.remove_suffix(1);
    if (CountCharacters(trimmed) > target.max_characters) {
      return Refuse(target, text,
                    fmt::format("it has {} characters, at most {} fit; widen the column or shorten "
                                "the value",
                                characters, target.max_characters));
    }
  }
  return PutBytes(out, text);
}

char* CopyEncoder::AppendInteger(const TargetColumn& target, int64_t value, char* out) {
  const bool fits = target.encoding == CopyEncoding::kInt2   ? std::in_range<int16_t>(value)
                    : target.encoding == CopyEncoding::kInt4 ? std::in_range<int32_t>(value)
                                                             : true;
  if (!fits) return Refuse(target, std::to_string(value), "it is out of range");
  if (target.encoding == CopyEncoding::kInt2) return PutField(out, static_cast<uint16_t>(value));
  if (target.encoding == CopyEncoding::kInt4) return PutField(out, static_cast<uint32_t>(value));
  return PutField(out, static_cast<uint64_t>(value));
}

char* CopyEncoder::AppendFloat(const TargetColumn& target, double value, char* out) {
  if (target.encoding == CopyEncoding::kFloat8)
    return PutField(out, std::bit_cast<uint64_t>(value));
  if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max()) {
    return Refuse(target, fmt::format("{}", value), "it is out of range");
  }
  return PutField(out, std::bit_cast<uint32_t>(static_cast<float>(value)));
}

char* CopyEncoder::AppendTimestamp(const TargetColumn& target, int64_t time_ms, char* out) {
  int64_t us = 0;
  const bool overflows = __builtin_sub_overflow(time_ms, kPostgresEpochMs, &us) ||
                         __builtin_mul_overflow(us, int64_t{1000}, &us);
  if (overflows || us < kMinTimestampUs || us >= kEndTimestampUs) {
    return Refuse(target, fmt::format("{} ms", time_ms), "PostgreSQL has no such time");
  }
  return PutField(out, static_cast<uint64_t>(us));
}

char* CopyEncoder::AppendValue(const RecordBatch& batch, int index, int64_t row, char* out) {
  const Column& column = batch.column(index);
  const TargetColumn& target = columns_[static_cast<size_t>(index)];
  const auto i = static_cast<size_t>(row);
  if (column.IsNull(row)) {
    if (target.not_null) return Refuse(target, "NULL", "the column is NOT NULL");
    return Put(out, static_cast<uint32_t>(-1));
  }
  switch (target.encoding) {
    case CopyEncoding::kBool:
      return PutField(out, static_cast<uint8_t>(column.Bools()[i]));
    case CopyEncoding::kInt2:
    case CopyEncoding::kInt4:
    case CopyEncoding::kInt8:
      return AppendInteger(
          target, column.type().kind == TypeKind::kInt32 ? column.Int32s()[i] : column.Int64s()[i],
          out);
    case CopyEncoding::kFloat4:
    case CopyEncoding::kFloat8:
      return AppendFloat(target, column.Doubles()[i], out);
    case CopyEncoding::kTimestamp:
      return AppendTimestamp(target, column.Int64s()[i], out);
    case CopyEncoding::kText:
      return AppendText(target, column.String(row), out);
    case CopyEncoding::kBytea:
      return PutBytes(out, column.String(row));
  }
  return out;
}

}  // namespace watershed
