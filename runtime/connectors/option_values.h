// Typed reading of option values. Every function says in its error what was expected and what was
// found; the caller adds the option's name. Durations and sizes: config/units.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/connectors/connector.h"
#include "runtime/types/result.h"

namespace watershed {

// The option's value; nullptr if absent or empty: an empty value (an unset variable) counts as
// absent.
const std::string* FindOption(const OptionMap& options, std::string_view name);
std::string OptionOr(const OptionMap& options, std::string_view name, std::string_view fallback);

Result<int64_t> ParseInt64(std::string_view text);
Result<double> ParseDouble(std::string_view text);
// "true" or "false".
Result<bool> ParseBool(std::string_view text);
// "2024-01-31T08:00:00.000Z", "2024-01-31 08:00:00" or "2024-01-31": UTC.
Result<int64_t> ParseTimestampMs(std::string_view text);

// Pieces between separators, blanks trimmed, empty ones dropped.
std::vector<std::string> SplitList(std::string_view text, char separator);
std::string_view Trim(std::string_view text);

// Typed reads of an option that may be absent; errors name the option.
Result<std::optional<int64_t>> ReadInt64(const OptionMap& options, std::string_view name);
Result<std::optional<double>> ReadDouble(const OptionMap& options, std::string_view name);
Result<std::optional<bool>> ReadBool(const OptionMap& options, std::string_view name);
Result<std::optional<std::chrono::nanoseconds>> ReadDuration(const OptionMap& options,
                                                             std::string_view name);

// What an option's word stands for; `fallback` is the word of one that is absent.
template <typename T, size_t kSize>
Result<T> ParseChoice(const OptionMap& options, std::string_view option, std::string_view fallback,
                      const std::array<std::pair<std::string_view, T>, kSize>& choices) {
  const std::string value = OptionOr(options, option, fallback);
  for (const auto& [name, choice] : choices) {
    if (name == value) return choice;
  }
  return UserError("{}: '{}' is not a value of this option", option, value);
}

}  // namespace watershed
