#include "runtime/job/substitution.h"

#include <cctype>

#include "runtime/job/nearest_name.h"
#include "runtime/job/utf8.h"

namespace watershed {
namespace {

constexpr std::string_view kOpen = "${";
constexpr std::string_view kEscapedOpen = "$${";
constexpr std::string_view kFilePrefix = "file:";

std::string WhyUnset(std::string_view name, const SubstitutionContext& context) {
  std::vector<std::string_view> names;
  for (const auto& [variable, value] : *context.variables) names.push_back(variable);
  const std::string_view nearest = NearestName(name, names);
  const std::string meant = nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest);
  return fmt::format(
      "variable '{}' is not set{} Set it in the environment or in --env-file, or give a default: "
      "${{{}:…}}",
      name, meant.empty() ? "." : meant, name);
}

void AppendVariable(std::string_view reference, const SubstitutionContext& context,
                    SubstitutedText& out) {
  const size_t colon = reference.find(':');
  const std::string_view name = reference.substr(0, colon);
  if (!IsVariableName(name)) {
    out.errors.push_back(fmt::format(
        "'${{{}}}' is no reference to a variable; expected ${{NAME}}, ${{NAME:default}} or "
        "${{file:/path}}",
        reference));
    return;
  }
  const auto found = context.variables->find(name);
  if (found != context.variables->end() && FindInvalidUtf8(found->second)) {
    out.errors.push_back(fmt::format("the value of variable '{}' is not UTF-8", name));
  } else if (found != context.variables->end() && !found->second.empty()) {
    out.value += found->second;
  } else if (colon != std::string_view::npos) {
    out.value += reference.substr(colon + 1);
  } else if (found != context.variables->end()) {
    out.errors.push_back(
        fmt::format("variable '{}' is empty; give it a value, or write ${{{}:}} if empty is meant",
                    name, name));
  } else {
    out.errors.push_back(WhyUnset(name, context));
  }
}

void AppendFile(std::string_view path, const SubstitutionContext& context, SubstitutedText& out) {
  out.from_file = true;
  if (path.empty() || !context.read_file) {
    out.errors.push_back(fmt::format("'${{file:{}}}' cannot be read {}", path,
                                     path.empty() ? "without a path" : "here"));
    return;
  }
  Result<std::string> content = context.read_file(std::string(path));
  if (!content) {
    out.errors.push_back(fmt::format("'${{file:{}}}': {}", path, content.error().message));
    return;
  }
  if (FindInvalidUtf8(*content)) {
    out.errors.push_back(fmt::format("'${{file:{}}}': its content is not UTF-8", path));
    return;
  }
  std::string_view text = *content;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  out.value += text;
}

}  // namespace

bool IsVariableName(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (const unsigned char c : name) {
    if (!std::isalnum(c) && c != '_') return false;
  }
  return true;
}

SubstitutedText Substitute(std::string_view text, const SubstitutionContext& context) {
  SubstitutedText out;
  while (!text.empty()) {
    const size_t open = text.find(kOpen);
    if (open == std::string_view::npos) break;
    if (open > 0 && text.substr(open - 1).starts_with(kEscapedOpen)) {
      out.value += text.substr(0, open - 1);
      out.value += kOpen;
      text.remove_prefix(open + kOpen.size());
      continue;
    }
    out.value += text.substr(0, open);
    const size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      out.errors.push_back(fmt::format("'{}' lacks its closing brace", text.substr(open)));
      return out;
    }
    const size_t begin = open + kOpen.size();
    const std::string_view reference = text.substr(begin, close - begin);
    out.substituted = true;
    if (reference.starts_with(kFilePrefix)) {
      AppendFile(reference.substr(kFilePrefix.size()), context, out);
    } else {
      AppendVariable(reference, context, out);
    }
    text.remove_prefix(close + 1);
  }
  out.value += text;
  return out;
}

}  // namespace watershed
