#include "runtime/connectors/kafka/segment.h"

#include <optional>
#include <utility>

namespace watershed {
namespace {

constexpr char kVersion = 1;

void AppendNumber(uint64_t number, std::string& out) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

void AppendSizes(const KafkaPayloads& payloads, std::string& out) {
  for (size_t row = 0; row < payloads.rows(); ++row) AppendNumber(payloads.size_of(row), out);
}

// Takes numbers and bytes off the front; nothing once they have run out.
class Scanner {
 public:
  explicit Scanner(std::string_view bytes) : left_(bytes) {}

  bool done() const { return left_.empty(); }
  size_t left() const { return left_.size(); }
  std::optional<uint64_t> Number() {
    uint64_t number = 0;
    for (int shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(left_.front());
      left_.remove_prefix(1);
      number |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> Bytes(uint64_t size) {
    if (size > left_.size()) return std::nullopt;
    const std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }

 private:
  std::string_view left_;
};

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

}  // namespace

void KafkaSegmentWriter::Append(const KafkaPayloads& values, const KafkaPayloads* keys) {
  if (values.rows() == 0) return;
  if (bytes_.empty()) bytes_.push_back(kVersion);
  AppendNumber(values.rows(), bytes_);
  AppendNumber(keys != nullptr ? 1 : 0, bytes_);
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
  if (segment.front() != kVersion) {
    return UserError(
        "a segment of output has version {}, this program knows version {}: a later version of "
        "Watershed wrote the checkpoint. Go on with that version",
        static_cast<int>(segment.front()), static_cast<int>(kVersion));
  }
  Scanner scanner(segment.substr(1));
  while (!scanner.done()) {
    if (!ReadBlock(scanner, rows)) {
      return InternalError("a segment of output of {} bytes is damaged behind row {}",
                           segment.size(), rows.size());
    }
  }
  return rows;
}

}  // namespace watershed
