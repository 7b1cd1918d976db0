#include "runtime/connectors/option_values.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "runtime/config/units.h"

namespace watershed {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Runs `parse` on the option if it is there and puts the option's name before an error.
template <typename T>
Result<std::optional<T>> Read(const OptionMap& options, std::string_view name,
                              Result<T> (*parse)(std::string_view)) {
  const std::string* text = FindOption(options, name);
  if (text == nullptr) return std::optional<T>();
  Result<T> value = parse(*text);
  if (!value) return tl::make_unexpected(std::move(value).error().Within(std::string(name)));
  return std::optional<T>(*value);
}

}  // namespace

const std::string* FindOption(const OptionMap& options, std::string_view name) {
  const auto found = options.find(std::string(name));
  return found == options.end() || found->second.empty() ? nullptr : &found->second;
}

std::string OptionOr(const OptionMap& options, std::string_view name, std::string_view fallback) {
  const std::string* value = FindOption(options, name);
  return value != nullptr ? *value : std::string(fallback);
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> SplitList(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    const std::string_view piece = Trim(text.substr(0, end));
    if (!piece.empty()) pieces.emplace_back(piece);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return pieces;
}

Result<int64_t> ParseInt64(std::string_view text) {
  const std::string_view digits = Trim(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return UserError("expected an integer, got '{}'", text);
  }
  return value;
}

Result<double> ParseDouble(std::string_view text) {
  const std::string_view digits = Trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) {
    return UserError("expected a number, got '{}'", text);
  }
  return value;
}

Result<bool> ParseBool(std::string_view text) {
  if (Trim(text) == "true") return true;
  if (Trim(text) == "false") return false;
  return UserError("expected true or false, got '{}'", text);
}

Result<int64_t> ParseTimestampMs(std::string_view text) {
  const std::string copy(Trim(text));
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millis = 0, used = 0;
  const int date = std::sscanf(copy.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used);
  size_t end = static_cast<size_t>(used);
  bool good = date == 3;
  if (good && end < copy.size()) {
    used = 0;
    good =
        (copy[end] == 'T' || copy[end] == ' ') &&
        std::sscanf(copy.c_str() + end + 1, "%2d:%2d:%2d%n", &hour, &minute, &second, &used) == 3;
    end += 1 + static_cast<size_t>(used);
    if (good && end < copy.size() && copy[end] == '.') {
      used = 0;
      good = std::sscanf(copy.c_str() + end + 1, "%3d%n", &millis, &used) == 1 && used == 3;
      end += 1 + static_cast<size_t>(used);
    }
    if (good && end < copy.size() && copy[end] == 'Z') ++end;
  }
  const std::chrono::year_month_day calendar{std::chrono::year(year),
                                             std::chrono::month(static_cast<unsigned>(month)),
                                             std::chrono::day(static_cast<unsigned>(day))};
  if (!good || end != copy.size() || !calendar.ok() || hour > 23 || minute > 59 || second > 59 ||
      hour < 0 || minute < 0 || second < 0) {
    return UserError("expected a UTC time such as 2024-01-31T08:00:00.000Z, got '{}'", text);
  }
  const auto days = std::chrono::sys_days(calendar).time_since_epoch().count();
  return ((int64_t{days} * 24 + hour) * 60 + minute) * 60'000 + second * 1000 + millis;
}

Result<std::optional<int64_t>> ReadInt64(const OptionMap& options, std::string_view name) {
  return Read<int64_t>(options, name, ParseInt64);
}
Result<std::optional<double>> ReadDouble(const OptionMap& options, std::string_view name) {
  return Read<double>(options, name, ParseDouble);
}
Result<std::optional<bool>> ReadBool(const OptionMap& options, std::string_view name) {
  return Read<bool>(options, name, ParseBool);
}
Result<std::optional<std::chrono::nanoseconds>> ReadDuration(const OptionMap& options,
                                                             std::string_view name) {
  return Read<std::chrono::nanoseconds>(options, name, ParseDurationNs);
}

}  // namespace watershed
