#include "runtime/storage/object_name.h"

#include <algorithm>

namespace watershed {
namespace {

bool IsAllowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// Whether `part` can be a component, or with `is_beginning` become one.
bool IsComponent(std::string_view part, bool is_beginning) {
  if (part.size() > kMaxNameComponentBytes || !std::ranges::all_of(part, IsAllowed)) return false;
  return is_beginning || (!part.empty() && part != "." && part != "..");
}

Status Check(std::string_view name, bool is_prefix) {
  std::string_view rest = name;
  bool valid = name.size() <= kMaxNameBytes;
  while (valid) {
    const size_t slash = rest.find('/');
    const bool is_last = slash == std::string_view::npos;
    valid = IsComponent(rest.substr(0, slash), is_prefix && is_last);
    if (is_last) break;
    rest.remove_prefix(slash + 1);
  }
  if (valid) return Ok();
  return InternalError(
      "'{}' is no name of an object: letters, digits, '.', '_' and '-', with '/' "
      "between the parts",
      name);
}

}  // namespace

Status CheckObjectName(std::string_view name) { return Check(name, false); }
Status CheckObjectPrefix(std::string_view prefix) { return Check(prefix, true); }

}  // namespace watershed
