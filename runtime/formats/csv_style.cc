#include "runtime/formats/csv_style.h"

#include <utility>

namespace watershed {
namespace {

constexpr const char* kDelimiter = "field-delimiter";
constexpr const char* kQuote = "quote-character";
constexpr const char* kNullLiteral = "null-literal";

// An option that is one character; `fallback` if it is absent or empty.
char ReadCharacter(const OptionMap& options, const char* name, char fallback,
                   std::vector<OptionProblem>& problems) {
  const auto found = options.find(name);
  if (found == options.end() || found->second.empty()) return fallback;
  const std::string& text = found->second;
  if (text.size() == 1 && text != "\n" && text != "\r" && static_cast<signed char>(text[0]) >= 0) {
    return text[0];
  }
  problems.push_back(
      {name,
       fmt::format("{} is '{}': expected one ASCII character that ends no line", name, text)});
  return fallback;
}

std::pair<CsvStyle, std::vector<OptionProblem>> Read(const OptionMap& options) {
  CsvStyle style;
  std::vector<OptionProblem> problems;
  style.delimiter = ReadCharacter(options, kDelimiter, style.delimiter, problems);
  style.quote = ReadCharacter(options, kQuote, style.quote, problems);
  if (const auto found = options.find(kNullLiteral); found != options.end()) {
    style.null_literal = found->second;
  }
  if (!problems.empty()) return {std::move(style), std::move(problems)};
  if (style.delimiter == style.quote) {
    const bool is_given = options.contains(kDelimiter);
    problems.push_back({is_given ? kDelimiter : kQuote,
                        fmt::format("{} and {} are both '{}'", kDelimiter, kQuote, style.quote)});
  } else if (style.null_literal.find_first_of(
                 std::string{style.delimiter, style.quote, '\n', '\r'}) != std::string::npos) {
    problems.push_back(
        {kNullLiteral, fmt::format("{} '{}' has the delimiter, the quote or a line's end in it",
                                   kNullLiteral, style.null_literal)});
  }
  return {std::move(style), std::move(problems)};
}

}  // namespace

std::vector<OptionSpec> CsvOptions() {
  return {{.name = kDelimiter, .default_value = ",", .description = "The character between values"},
          {.name = kQuote,
           .default_value = "\"",
           .description = "The character around values that need it; doubled within them"},
          {.name = kNullLiteral,
           .description = "How NULL is written: by default as nothing; an empty text is quoted"}};
}

std::vector<OptionProblem> CheckCsvOptions(const OptionMap& options) {
  return Read(options).second;
}

Result<CsvStyle> ParseCsvStyle(const OptionMap& options) {
  auto [style, problems] = Read(options);
  if (!problems.empty()) return UserError("{}", problems.front().message);
  return std::move(style);
}

}  // namespace watershed
