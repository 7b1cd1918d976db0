// `-o`: one answer in the format that was asked for.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wsctl/command_context.h"

namespace watershed {

// Block style; texts that YAML would read as something else are quoted. A newline at the end.
std::string ToYaml(const nlohmann::ordered_json& json);

// An answer in every shape that it can be asked for.
struct Answer {
  nlohmann::ordered_json json;
  std::vector<std::string> names;  // `-o name`: what other commands take, one a line
  // For people; `-o wide` shows more columns.
  std::function<void(std::ostream& out, bool wide)> text;
};
void Print(const CommandContext& context, const Answer& answer);

// Whether the answer is for programs: then nothing but it goes to standard output.
bool IsForPrograms(OutputFormat format);

}  // namespace watershed
