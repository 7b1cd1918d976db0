// How connectors and formats describe their options to linter and planner.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace watershed {

enum class OptionType : uint8_t { kString, kInt, kBool, kDuration, kSize, kEnum };

// One option of a connector or a format, in the words of Flink where Flink has it.
struct OptionSpec {
  std::string_view name;  // ends in ".*" for a family: "properties.*"
  OptionType type = OptionType::kString;
  bool required = false;
  bool secret = false;  // redacted wherever it could be shown
  std::string_view default_value = {};
  std::vector<std::string_view> choices = {};  // kEnum
  std::string_view description = {};
};

using OptionMap = std::map<std::string, std::string>;

// An option that is refused although its name is known, or options that contradict each other.
struct OptionProblem {
  std::string option;  // where the error points in the job file
  std::string message;
};

}  // namespace watershed
