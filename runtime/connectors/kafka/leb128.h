// Unsigned numbers of seven bits a byte, low bits first; a set high bit says that more follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watershed {

inline void AppendLeb128(uint64_t number, std::string& out) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

// Takes numbers and bytes off the front; nothing once they have run out.
class Leb128Scanner {
 public:
  explicit Leb128Scanner(std::string_view bytes) : left_(bytes) {}

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

}  // namespace watershed
