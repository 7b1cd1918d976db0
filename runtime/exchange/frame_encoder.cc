#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/exchange/frame_codec.h"
#include "runtime/exchange/frame_layout.h"

namespace watershed {
namespace {

using namespace frame_layout;

static_assert(std::endian::native == std::endian::little);

// Rows [begin, begin + count) of a batch.
struct RowRange {
  size_t begin = 0;
  size_t count = 0;
};

size_t BodyBytes(const RecordBatch& batch, RowRange range) {
  size_t bytes = sizeof(BodyHeader);
  if (batch.row_kinds()) bytes += range.count;
  for (const ColumnPtr& column : batch.columns()) {
    bytes += sizeof(ColumnHeader);
    if (column->null_count() != 0) bytes += NullWords(range.count) * sizeof(uint64_t);
    if (column->type().is_variable_width()) {
      const auto offsets = column->offsets();
      bytes += range.count * sizeof(uint32_t) + offsets[range.begin + range.count] -
               offsets[range.begin];
    } else {
      bytes += range.count * column->type().width_bytes();
    }
  }
  return bytes;
}

// The most rows from `begin` whose body fits into `limit`, but at least one. BodyBytes rises with
// the count, so bisection finds it.
RowRange LargestRange(const RecordBatch& batch, size_t begin, size_t limit) {
  size_t fits = 1;
  size_t too_many = static_cast<size_t>(batch.num_rows()) - begin + 1;
  if (BodyBytes(batch, {begin, too_many - 1}) <= limit) return {begin, too_many - 1};
  while (too_many - fits > 1) {
    const size_t middle = fits + (too_many - fits) / 2;
    (BodyBytes(batch, {begin, middle}) <= limit ? fits : too_many) = middle;
  }
  return {begin, fits};
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <typename T>
  void Put(const T& value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void Bytes(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }

 private:
  std::string& out_;
};

void WriteNulls(std::span<const uint64_t> words, RowRange range, Writer& writer) {
  const size_t shift = range.begin % 64;
  for (size_t i = 0; i < NullWords(range.count); ++i) {
    const size_t at = range.begin / 64 + i;
    uint64_t word = words[at] >> shift;
    if (shift != 0 && at + 1 < words.size()) word |= words[at + 1] << (64 - shift);
    const size_t left = range.count - i * 64;
    if (left < 64) word &= (uint64_t{1} << left) - 1;
    writer.Put(word);
  }
}

void WriteColumn(const Column& column, RowRange range, Writer& writer) {
  const bool has_nulls = column.null_count() != 0;
  writer.Put(ColumnHeader{static_cast<uint8_t>(column.type().kind), has_nulls, 0});
  if (has_nulls) WriteNulls(column.null_words(), range, writer);
  if (!column.type().is_variable_width()) {
    const size_t width = column.type().width_bytes();
    writer.Bytes(column.bytes().data() + range.begin * width, range.count * width);
    return;
  }
  const auto offsets = column.offsets();
  const uint32_t base = offsets[range.begin];
  for (size_t row = range.begin; row < range.begin + range.count; ++row) {
    writer.Put(offsets[row + 1] - base);
  }
  const uint32_t end = offsets[range.begin + range.count];
  if (end != base) writer.Bytes(column.bytes().data() + base, end - base);
}

void WriteBody(const RecordBatch& batch, RowRange range, std::string& out) {
  Writer writer(out);
  writer.Put(BodyHeader{static_cast<uint32_t>(range.count),
                        static_cast<uint16_t>(batch.num_columns()), batch.row_kinds() != nullptr,
                        0});
  for (const ColumnPtr& column : batch.columns()) WriteColumn(*column, range, writer);
  if (batch.row_kinds()) writer.Bytes(batch.row_kinds()->data() + range.begin, range.count);
}

std::string NewFrame(uint8_t flags, size_t body_bytes) {
  std::string frame;
  frame.reserve(sizeof(FrameHeader) + body_bytes);
  Writer(frame).Put(FrameHeader{kFrameVersion, flags, 0});
  return frame;
}

// A single row that does not fit into one frame.
void EncodeInParts(const RecordBatch& batch, RowRange range, size_t part_bytes,
                   std::vector<std::string>& frames) {
  std::string body;
  body.reserve(BodyBytes(batch, range));
  WriteBody(batch, range, body);
  for (size_t at = 0; at < body.size(); at += part_bytes) {
    const size_t size = std::min(part_bytes, body.size() - at);
    const uint8_t first = at == 0 ? kFirstPart : 0;
    const uint8_t last = at + size == body.size() ? kLastPart : 0;
    frames.push_back(NewFrame(first | last, size));
    frames.back().append(body, at, size);
  }
}

}  // namespace

Status EncodeFrames(const RecordBatch& batch, std::vector<std::string>& frames,
                    size_t max_frame_bytes) {
  const size_t limit = max_frame_bytes - sizeof(FrameHeader);
  const auto rows = static_cast<size_t>(batch.num_rows());
  for (size_t begin = 0; begin < rows;) {
    const RowRange range = LargestRange(batch, begin, limit);
    const size_t bytes = BodyBytes(batch, range);
    if (bytes > kMaxBodyBytes) {
      return UserError(
          "a row of {} bytes cannot be sent to another subtask: the limit is {} bytes. Leave large "
          "columns out of what the key-by passes on",
          bytes, kMaxBodyBytes);
    }
    if (bytes > limit) {
      EncodeInParts(batch, range, limit, frames);
    } else {
      frames.push_back(NewFrame(kFirstPart | kLastPart, bytes));
      WriteBody(batch, range, frames.back());
    }
    begin += range.count;
  }
  return Ok();
}

}  // namespace watershed
