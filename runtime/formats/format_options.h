// What the linter knows of a format without its parser: names and options. A light library
// (ws_format_options); together with timestamp_pattern.h it is all that checks `format:` in a job
// file.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/types/option_spec.h"

namespace watershed {

struct FormatDescription {
  std::string_view name;
  std::vector<OptionSpec> options;
  bool is_decoded = true;  // false: sinks can write it, no source can read it
  // Checks beyond single options; null: none.
  std::function<std::vector<OptionProblem>(const OptionMap& options)> check = nullptr;
};

// Every format built in; nullptr if there is none of that name.
std::span<const FormatDescription> AllFormats();
const FormatDescription* FindFormat(std::string_view name);

}  // namespace watershed
