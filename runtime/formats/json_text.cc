#include "runtime/formats/json_text.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace watershed {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Four hexadecimal digits at `at`; -1 if they are not.
int32_t HexUnit(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int32_t unit = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    int32_t digit = 0;
    if (IsDigit(c)) {
      digit = c - '0';
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = (c | 0x20) - 'a' + 10;
    } else {
      return -1;
    }
    unit = unit * 16 + digit;
  }
  return unit;
}

void AppendUtf8(uint32_t code_point, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

// A \uXXXX at `at` (of its digits), with a second one when they are a pair. Moves `at` past them.
bool AppendUnicodeEscape(std::string_view text, size_t& at, std::string& out) {
  const int32_t unit = HexUnit(text, at);
  if (unit < 0) return false;
  at += 4;
  if (unit < 0xD800 || unit > 0xDFFF) {
    AppendUtf8(static_cast<uint32_t>(unit), out);
    return true;
  }
  if (unit < 0xDC00 && text.substr(at, 2) == "\\u") {
    const int32_t low = HexUnit(text, at + 2);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      at += 6;
      AppendUtf8(0x10000 + (static_cast<uint32_t>(unit - 0xD800) << 10) +
                     static_cast<uint32_t>(low - 0xDC00),
                 out);
      return true;
    }
  }
  out += '?';
  return true;
}

// The character that a one-letter escape stands for; 0 if there is none.
char SimpleEscape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

bool AppendUnescaped(std::string_view content, std::string& out) {
  for (size_t at = 0; at < content.size();) {
    const size_t escape = content.find('\\', at);
    if (escape == std::string_view::npos) {
      out.append(content, at);
      return true;
    }
    out.append(content, at, escape - at);
    if (escape + 1 >= content.size()) return false;
    const char letter = content[escape + 1];
    at = escape + 2;
    if (letter == 'u') {
      if (!AppendUnicodeEscape(content, at, out)) return false;
    } else if (const char c = SimpleEscape(letter); c != 0) {
      out += c;
    } else {
      return false;
    }
  }
  return true;
}

bool IsJsonNumber(std::string_view token) {
  const char* at = token.data();
  const char* const end = at + token.size();
  const auto digits = [&] {
    const char* const first = at;
    while (at != end && IsDigit(*at)) ++at;
    return at != first;
  };
  if (at != end && *at == '-') ++at;
  const bool zero = at != end && *at == '0';
  const char* const integer = at;
  if (!digits() || (zero && at - integer > 1)) return false;
  if (at != end && *at == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at != end && (*at | 0x20) == 'e') {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return false;
  }
  return at == end;
}

std::optional<int64_t> ParseJsonInt(std::string_view token) {
  int64_t value = 0;
  const char* const end = token.data() + token.size();
  const auto [parsed, error] = std::from_chars(token.data(), end, value);
  if (error != std::errc() || parsed != end || !IsJsonNumber(token)) return std::nullopt;
  return value;
}

std::optional<double> ParseJsonDouble(std::string_view token) {
  if (!IsJsonNumber(token)) return std::nullopt;
  double value = 0;
  const char* const end = token.data() + token.size();
  const auto [parsed, error] = std::from_chars(token.data(), end, value);
  // Out of range is both too large and too small; the latter is zero, as everywhere.
  if (error == std::errc::result_out_of_range && parsed == end) {
    value = std::strtod(std::string(token).c_str(), nullptr);
  } else if (error != std::errc() || parsed != end) {
    return std::nullopt;
  }
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

void AppendJsonString(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    out += '\\';
    switch (c) {
      case '"':
      case '\\':
        out += c;
        break;
      case '\b':
        out += 'b';
        break;
      case '\f':
        out += 'f';
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += "u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, copied);
  out += '"';
}

}  // namespace watershed
