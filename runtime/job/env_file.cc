#include "runtime/job/env_file.h"

#include <utility>

#include "runtime/job/substitution.h"

namespace watershed {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void TrimBlanks(std::string_view& text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
}

// After a closing quote only blanks and a comment may follow.
bool IsRestOfLine(std::string_view rest) {
  TrimBlanks(rest);
  return rest.empty() || rest.front() == '#';
}

std::string_view WithoutComment(std::string_view value) {
  if (value.starts_with('#')) return {};
  for (size_t i = 1; i < value.size(); ++i) {
    if (value[i] == '#' && IsBlank(value[i - 1])) return value.substr(0, i);
  }
  return value;
}

char Unescaped(char c) {
  if (c == 'n') return '\n';
  if (c == 't') return '\t';
  return c;
}

struct ParsedValue {
  std::string value;
  const char* problem = nullptr;
};

ParsedValue ParseDoubleQuoted(std::string_view text) {
  ParsedValue parsed;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (!IsRestOfLine(text.substr(i + 1))) parsed.problem = "text follows the closing quote";
      return parsed;
    }
    const bool escape = text[i] == '\\' && i + 1 < text.size() &&
                        std::string_view("\"\\nt$").find(text[i + 1]) != std::string_view::npos;
    parsed.value += escape ? Unescaped(text[++i]) : text[i];
  }
  parsed.problem = "the closing \" is missing";
  return parsed;
}

ParsedValue ParseValue(std::string_view text) {
  TrimBlanks(text);
  if (text.starts_with('"')) return ParseDoubleQuoted(text);
  if (text.starts_with('\'')) {
    const size_t close = text.find('\'', 1);
    if (close == std::string_view::npos) return {"", "the closing ' is missing"};
    if (!IsRestOfLine(text.substr(close + 1))) return {"", "text follows the closing quote"};
    return {std::string(text.substr(1, close - 1)), nullptr};
  }
  text = WithoutComment(text);
  TrimBlanks(text);
  return {std::string(text), nullptr};
}

}  // namespace

Result<std::map<std::string, std::string, std::less<>>> ParseEnvFile(std::string_view text,
                                                                     std::string_view file_name) {
  std::map<std::string, std::string, std::less<>> variables;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    TrimBlanks(line);
    if (line.empty() || line.front() == '#') continue;
    constexpr std::string_view kExport = "export";
    if (line.starts_with(kExport) && line.size() > kExport.size() &&
        IsBlank(line[kExport.size()])) {
      line.remove_prefix(kExport.size());
      TrimBlanks(line);
    }
    const size_t equals = line.find('=');
    std::string_view name = line.substr(0, equals);
    TrimBlanks(name);
    if (equals == std::string_view::npos || !IsVariableName(name)) {
      return UserError("{}:{}: expected NAME=VALUE, a comment or an empty line", file_name, number);
    }
    ParsedValue parsed = ParseValue(line.substr(equals + 1));
    if (parsed.problem != nullptr) {
      return UserError("{}:{}: value of {}: {}", file_name, number, name, parsed.problem);
    }
    variables.insert_or_assign(std::string(name), std::move(parsed.value));
  }
  return variables;
}

}  // namespace watershed
