#include "jobmanager/rest/http.h"

namespace watershed {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool PercentDecode(std::string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return false;
      int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return true;
}

// Calls `each` for every part between separators, empty ones left out.
template <typename Each>
bool ForEachPart(std::string_view text, char separator, Each each) {
  while (!text.empty()) {
    size_t end = text.find(separator);
    std::string_view part = text.substr(0, end);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    if (!part.empty() && !each(part)) return false;
  }
  return true;
}

}  // namespace

bool ParseTarget(std::string_view target, RequestTarget& out) {
  out = {};
  if (target.empty() || target.front() != '/') return false;
  target = target.substr(0, target.find('#'));
  size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  std::string_view query =
      question == target.npos ? std::string_view() : target.substr(question + 1);
  bool path_ok = ForEachPart(path, '/', [&](std::string_view part) {
    return PercentDecode(part, false, out.segments.emplace_back());
  });
  return path_ok && ForEachPart(query, '&', [&](std::string_view part) {
           auto& [name, value] = out.query.emplace_back();
           size_t equals = part.find('=');
           if (equals == part.npos) return PercentDecode(part, true, name);
           return PercentDecode(part.substr(0, equals), true, name) &&
                  PercentDecode(part.substr(equals + 1), true, value);
         });
}

}  // namespace watershed
