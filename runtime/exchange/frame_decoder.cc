#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/exchange/frame_codec.h"
#include "runtime/exchange/frame_layout.h"

namespace watershed {
namespace {

using namespace frame_layout;

// Takes values off the front of a body; fails instead of reading past its end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  bool Get(T& value) {
    if (rest_.size() < sizeof(T)) return false;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return true;
  }
  // `count` values of `width` bytes. rows are 32 bits and widths at most 8: no overflow.
  bool Take(size_t count, size_t width, std::string_view& bytes) {
    const uint64_t size = uint64_t{count} * width;
    if (size > rest_.size()) return false;
    bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

auto Damaged(std::string_view what) { return InternalError("damaged frame of rows: {}", what); }

std::vector<uint64_t> Words(std::string_view bytes) {
  std::vector<uint64_t> words(bytes.size() / sizeof(uint64_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

Status ReadNulls(std::string_view bitmap, Column& column) {
  const auto rows = static_cast<size_t>(column.size());
  const std::vector<uint64_t> words = Words(bitmap);
  if (rows % 64 != 0 && !words.empty() && (words.back() >> (rows % 64)) != 0) {
    return Damaged("nulls past the last row");
  }
  int64_t nulls = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    nulls += std::popcount(words[i]);
    for (uint64_t bits = words[i]; bits != 0; bits &= bits - 1) {
      const size_t row = i * 64 + static_cast<size_t>(std::countr_zero(bits));
      if (column.type().is_variable_width()) {
        if (!column.String(static_cast<int64_t>(row)).empty()) return Damaged("text under a null");
        continue;
      }
      const size_t width = column.type().width_bytes();
      const auto value = column.bytes().subspan(row * width, width);
      if (!std::all_of(value.begin(), value.end(), [](char c) { return c == 0; })) {
        return Damaged("a value under a null");
      }
    }
  }
  column.SetNullsRaw(words, nulls);
  return Ok();
}

Status ReadVariable(Reader& reader, size_t rows, Column& column) {
  std::string_view raw;
  if (!reader.Take(rows, sizeof(uint32_t), raw)) return Damaged("offsets cut off");
  std::vector<uint32_t> ends(rows);
  if (rows != 0) std::memcpy(ends.data(), raw.data(), raw.size());
  if (!std::is_sorted(ends.begin(), ends.end())) return Damaged("offsets out of order");
  std::string_view bytes;
  if (!reader.Take(rows == 0 ? 0 : ends.back(), 1, bytes)) return Damaged("text cut off");
  column.AppendVariableRaw(bytes, ends);
  return Ok();
}

Status ReadFixed(Reader& reader, size_t rows, Column& column) {
  std::string_view values;
  if (!reader.Take(rows, column.type().width_bytes(), values)) return Damaged("values cut off");
  if (column.type().kind == TypeKind::kBool &&
      !std::all_of(values.begin(), values.end(), [](char c) { return c == 0 || c == 1; })) {
    return Damaged("a bool that is neither 0 nor 1");
  }
  column.AppendFixedRaw(values.data(), static_cast<int64_t>(rows));
  return Ok();
}

Result<ColumnPtr> ReadColumn(Reader& reader, const Field& field, size_t rows) {
  ColumnHeader header;
  if (!reader.Get(header)) return Damaged("column cut off");
  if (header.kind != static_cast<uint8_t>(field.type.kind)) {
    return Damaged(fmt::format("column '{}' has type {}, expected {} ({})", field.name, header.kind,
                               static_cast<int>(field.type.kind), NameOf(field.type)));
  }
  if (header.has_nulls > 1 || header.reserved != 0) return Damaged("column header");
  std::string_view bitmap;
  if (header.has_nulls != 0 && !reader.Take(NullWords(rows), sizeof(uint64_t), bitmap)) {
    return Damaged("null bitmap cut off");
  }
  auto column = std::make_shared<Column>(field.type);
  WS_RETURN_IF_ERROR(field.type.is_variable_width() ? ReadVariable(reader, rows, *column)
                                                    : ReadFixed(reader, rows, *column));
  if (header.has_nulls != 0) WS_RETURN_IF_ERROR(ReadNulls(bitmap, *column));
  return column;
}

Result<RecordBatch> ReadBody(std::string_view body, const SchemaPtr& schema) {
  Reader reader(body);
  BodyHeader header;
  if (!reader.Get(header)) return Damaged("header cut off");
  // Rows of a schema without columns take no bytes that would bound them.
  if (header.rows > kMaxBodyBytes) return Damaged("more rows than a frame can hold");
  if (header.has_row_kinds > 1 || header.reserved != 0) return Damaged("header");
  if (header.columns != schema->num_fields()) {
    return Damaged(fmt::format("{} columns, expected {}", header.columns, schema->num_fields()));
  }
  std::vector<ColumnPtr> columns;
  for (const Field& field : schema->fields()) {
    WS_ASSIGN_OR_RETURN(ColumnPtr column, ReadColumn(reader, field, header.rows));
    columns.push_back(std::move(column));
  }
  RecordBatch batch(schema, std::move(columns), header.rows);
  if (header.has_row_kinds != 0) {
    std::string_view raw;
    if (!reader.Take(header.rows, 1, raw)) return Damaged("row kinds cut off");
    auto kinds = std::make_shared<std::vector<RowKind>>();
    for (const char kind : raw) {
      if (kind < 0 || kind > static_cast<char>(RowKind::kDelete)) return Damaged("row kind");
      kinds->push_back(static_cast<RowKind>(kind));
    }
    batch.set_row_kinds(std::move(kinds));
  }
  if (!reader.at_end()) return Damaged("bytes left over");
  return batch;
}

}  // namespace

Result<std::optional<RecordBatch>> FrameDecoder::Add(std::string_view frame) {
  FrameHeader header;
  if (frame.size() < sizeof(header)) return Damaged("frame header cut off");
  std::memcpy(&header, frame.data(), sizeof(header));
  if (header.version != kFrameVersion) {
    return InternalError(
        "a frame of version {}, this process reads version {}: run the same release on all "
        "TaskManagers",
        header.version, kFrameVersion);
  }
  if ((header.flags & ~(kFirstPart | kLastPart)) != 0 || header.reserved != 0) {
    return Damaged("frame header");
  }
  const bool first = (header.flags & kFirstPart) != 0;
  const bool last = (header.flags & kLastPart) != 0;
  if (first == in_parts_) return Damaged("parts out of order");
  const std::string_view part = frame.substr(sizeof(header));
  std::string_view body = part;
  if (!first || !last) {
    if (parts_.size() + part.size() > kMaxBodyBytes) return Damaged("a row above the limit");
    parts_.append(part);
    in_parts_ = !last;
    if (!last) return std::nullopt;
    body = parts_;
  }
  WS_ASSIGN_OR_RETURN(RecordBatch batch, ReadBody(body, schema_));
  parts_ = {};
  return batch;
}

}  // namespace watershed
