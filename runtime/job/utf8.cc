#include "runtime/job/utf8.h"

#include <simdjson.h>

#include <algorithm>

namespace watershed {
namespace {

bool Valid(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

// Of the character at the start of `text`; 0 if there is none.
size_t CharacterBytes(std::string_view text) {
  for (size_t bytes = 1; bytes <= std::min<size_t>(text.size(), 4); ++bytes) {
    if (Valid(text.substr(0, bytes))) return bytes;
  }
  return 0;
}

}  // namespace

std::optional<size_t> FindInvalidUtf8(std::string_view text) {
  if (Valid(text)) return std::nullopt;
  size_t begin = 0;  // of a line: no character holds a line feed
  size_t end = text.find('\n');
  while (end != std::string_view::npos && Valid(text.substr(begin, end - begin))) {
    begin = end + 1;
    end = text.find('\n', begin);
  }
  while (const size_t bytes = CharacterBytes(text.substr(begin))) begin += bytes;
  return begin;
}

}  // namespace watershed
