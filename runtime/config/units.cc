#include "runtime/config/units.h"

#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <span>

namespace watershed {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// The first name of each factor is the one we write; largest factor first.
constexpr int64_t kNanosecondsPerMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kNanosecondsPerMs;
constexpr std::array kDurationUnits = {
    Unit{"d", 86'400 * kSecond},
    Unit{"day", 86'400 * kSecond},
    Unit{"days", 86'400 * kSecond},
    Unit{"h", 3'600 * kSecond},
    Unit{"hour", 3'600 * kSecond},
    Unit{"hours", 3'600 * kSecond},
    Unit{"min", 60 * kSecond},
    Unit{"m", 60 * kSecond},
    Unit{"minute", 60 * kSecond},
    Unit{"minutes", 60 * kSecond},
    Unit{"s", kSecond},
    Unit{"sec", kSecond},
    Unit{"second", kSecond},
    Unit{"seconds", kSecond},
    Unit{"ms", kNanosecondsPerMs},
    Unit{"milli", kNanosecondsPerMs},
    Unit{"millis", kNanosecondsPerMs},
    Unit{"millisecond", kNanosecondsPerMs},
    Unit{"milliseconds", kNanosecondsPerMs},
    Unit{"us", 1000},
    Unit{"microsecond", 1000},
    Unit{"microseconds", 1000},
    Unit{"ns", 1},
    Unit{"nanosecond", 1},
    Unit{"nanoseconds", 1},
};
constexpr std::array kSizeUnits = {
    Unit{"tb", int64_t{1} << 40},
    Unit{"t", int64_t{1} << 40},
    Unit{"tib", int64_t{1} << 40},
    Unit{"gb", 1 << 30},
    Unit{"g", 1 << 30},
    Unit{"gib", 1 << 30},
    Unit{"mb", 1 << 20},
    Unit{"m", 1 << 20},
    Unit{"mib", 1 << 20},
    Unit{"kb", 1 << 10},
    Unit{"k", 1 << 10},
    Unit{"kib", 1 << 10},
    Unit{"b", 1},
    Unit{"bytes", 1},
};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

Result<int64_t> ParseWithUnit(std::string_view text, std::span<const Unit> units,
                              std::string_view what, std::string_view example) {
  std::string_view rest = Trim(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || number < 0) {
    return UserError("'{}' is not a {}: write a number and a unit, such as {}", text, what,
                     example);
  }
  std::string unit_name(Trim(rest.substr(static_cast<size_t>(end - rest.data()))));
  for (char& c : unit_name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (unit_name.empty()) {
    return UserError("'{}' has no unit: write {} such as {}", text, what, example);
  }
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    if (number > std::numeric_limits<int64_t>::max() / unit.factor) {
      return UserError("'{}' is too large for a {}", text, what);
    }
    return number * unit.factor;
  }
  return UserError("'{}' has an unknown unit '{}': write {} such as {}", text, unit_name, what,
                   example);
}

std::string FormatWithUnit(int64_t value, std::span<const Unit> units, std::string_view smallest) {
  if (value == 0) return fmt::format("0{}", smallest);
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  return fmt::format("{}{}", value, smallest);
}

}  // namespace

Result<std::chrono::nanoseconds> ParseDurationNs(std::string_view text) {
  WS_ASSIGN_OR_RETURN(const int64_t count,
                      ParseWithUnit(text, kDurationUnits, "duration", "500ms, 10s, 3min or 1h"));
  return std::chrono::nanoseconds(count);
}

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  WS_ASSIGN_OR_RETURN(const auto duration, ParseDurationNs(text));
  if (duration.count() % kNanosecondsPerMs != 0) {
    return UserError("'{}' is not a whole number of milliseconds", text);
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

Result<int64_t> ParseSize(std::string_view text) {
  return ParseWithUnit(text, kSizeUnits, "size", "64kb, 128mb or 1gb");
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  return FormatWithUnit(duration.count() * kNanosecondsPerMs, kDurationUnits, "ms");
}

std::string FormatSize(int64_t bytes) { return FormatWithUnit(bytes, kSizeUnits, "b"); }

}  // namespace watershed
