#include "runtime/connectors/kafka/segment.h"

#include <optional>
#include <utility>

#include "runtime/connectors/kafka/leb128.h"
#include "runtime/connectors/kafka/record_headers.h"

namespace watershed {
namespace {

// Rows without headers stay what they were: former versions read them.
constexpr char kVersion = 1;
constexpr char kVersionWithHeaders = 2;

using Scanner = Leb128Scanner;

void AppendSizes(const KafkaPayloads& payloads, std::string& out) {
  for (size_t row = 0; row < payloads.rows(); ++row) AppendLeb128(payloads.size_of(row), out);
}

void AppendSizesOrNulls(const KafkaPayloads& payloads, std::string& out) {
  for (size_t row = 0; row < payloads.rows(); ++row) {
    AppendLeb128(payloads.IsNull(row) ? 0 : payloads.size_of(row) + 1, out);
  }
}

bool ReadSizes(Scanner& scanner, std::span<uint64_t> sizes) {
  for (uint64_t& size : sizes) {
    const auto number = scanner.Number();
    if (!number) return false;
    size = *number;
  }
  return true;
}

bool ReadBlock(Scanner& scanner, std::vector<KafkaRow>& rows) {
  const auto count = scanner.Number();
  const auto has_keys = scanner.Number();
  // A row takes a byte at least, so that a damaged count does not take all memory.
  if (!count || !has_keys || *count > scanner.left() || *has_keys > 1) return false;
  std::vector<uint64_t> value_sizes(*count), key_sizes(*has_keys == 1 ? *count : 0);
  if (!ReadSizes(scanner, value_sizes) || !ReadSizes(scanner, key_sizes)) return false;
  const size_t first = rows.size();
  for (const uint64_t size : value_sizes) {
    const auto value = scanner.Bytes(size);
    if (!value) return false;
    rows.push_back({.value = *value, .has_key = *has_keys == 1});
  }
  for (size_t i = 0; i < key_sizes.size(); ++i) {
    const auto key = scanner.Bytes(key_sizes[i]);
    if (!key) return false;
    rows[first + i].key = *key;
  }
  return true;
}

// The bytes of one that may be null.
bool ReadOrNull(Scanner& scanner, uint64_t size_or_null, std::string_view& bytes) {
  if (size_or_null == 0) return true;
  const auto read = scanner.Bytes(size_or_null - 1);
  if (read) bytes = *read;
  return read.has_value();
}

bool ReadBlockWithHeaders(Scanner& scanner, std::vector<KafkaRow>& rows) {
  const auto count = scanner.Number();
  if (!count || *count > scanner.left()) return false;
  std::vector<uint64_t> values(*count), keys(*count), headers(*count);
  if (!ReadSizes(scanner, values) || !ReadSizes(scanner, keys) || !ReadSizes(scanner, headers)) {
    return false;
  }
  const size_t first = rows.size();
  rows.resize(first + *count);
  const std::span<KafkaRow> block = std::span(rows).subspan(first);
  for (size_t i = 0; i < block.size(); ++i) {
    if (!ReadOrNull(scanner, values[i], block[i].value)) return false;
  }
  for (size_t i = 0; i < block.size(); ++i) {
    block[i].has_key = keys[i] != 0;
    if (!ReadOrNull(scanner, keys[i], block[i].key)) return false;
  }
  for (size_t i = 0; i < block.size(); ++i) {
    const auto read = scanner.Bytes(headers[i]);
    if (!read || !ReadKafkaHeaders(*read)) return false;
    block[i].headers = *read;
  }
  return true;
}

}  // namespace

void KafkaSegmentWriter::AppendWithHeaders(const KafkaPayloads& values, const KafkaPayloads* keys,
                                           const KafkaPayloads& headers) {
  if (bytes_.empty()) bytes_.push_back(kVersionWithHeaders);
  AppendLeb128(values.rows(), bytes_);
  AppendSizesOrNulls(values, bytes_);
  if (keys != nullptr) {
    AppendSizesOrNulls(*keys, bytes_);
  } else {
    bytes_.append(values.rows(), '\0');
  }
  AppendSizes(headers, bytes_);
  bytes_.append(values.bytes);
  if (keys != nullptr) bytes_.append(keys->bytes);
  bytes_.append(headers.bytes);
}

void KafkaSegmentWriter::Append(const KafkaPayloads& values, const KafkaPayloads* keys,
                                const KafkaPayloads* headers) {
  if (values.rows() == 0) return;
  if (headers != nullptr) return AppendWithHeaders(values, keys, *headers);
  if (bytes_.empty()) bytes_.push_back(kVersion);
  AppendLeb128(values.rows(), bytes_);
  AppendLeb128(keys != nullptr ? 1 : 0, bytes_);
  AppendSizes(values, bytes_);
  if (keys != nullptr) AppendSizes(*keys, bytes_);
  bytes_.append(values.bytes);
  if (keys != nullptr) bytes_.append(keys->bytes);
}

std::string KafkaSegmentWriter::Take() {
  const size_t size = bytes_.size();
  std::string bytes = std::exchange(bytes_, {});
  bytes_.reserve(size);
  return bytes;
}

Result<std::vector<KafkaRow>> ReadKafkaSegment(std::string_view segment) {
  std::vector<KafkaRow> rows;
  if (segment.empty()) return rows;
  const bool has_headers = segment.front() == kVersionWithHeaders;
  if (segment.front() != kVersion && !has_headers) {
    return UserError(
        "a segment of output has version {}, this program knows versions up to {}: a later version "
        "of Watershed wrote the checkpoint. Go on with that version",
        static_cast<int>(segment.front()), static_cast<int>(kVersionWithHeaders));
  }
  Scanner scanner(segment.substr(1));
  while (!scanner.done()) {
    if (!(has_headers ? ReadBlockWithHeaders(scanner, rows) : ReadBlock(scanner, rows))) {
      return InternalError("a segment of output of {} bytes is damaged behind row {}",
                           segment.size(), rows.size());
    }
  }
  return rows;
}

}  // namespace watershed
