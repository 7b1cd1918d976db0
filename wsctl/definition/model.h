// The command line's definition as plain data, got by walking it: what completion, the reference
// page and tests read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace watershed {

// An option, or an argument by position.
struct ParameterModel {
  std::string name;                  // "--output"; "JOB" of an argument
  std::string short_name;            // "-o", may be empty
  std::string value;                 // "FILE"; empty: a flag
  bool value_is_optional = false;    // --wait[=running|finished]
  std::vector<std::string> choices;  // of the value; empty: anything
  std::string default_value;
  std::string description;
  bool is_required = false;
  bool is_repeatable = false;
};

struct CommandModel {
  std::string name;
  std::string group;  // in help; empty: hidden
  std::string description;
  std::vector<std::string> examples;
  std::vector<ParameterModel> arguments;  // in their order
  std::vector<ParameterModel> options;    // --help is none of them
  std::vector<CommandModel> commands;
};

CommandModel DescribeCommand(const CLI::App& app);
nlohmann::ordered_json ToJson(const CommandModel& command);

}  // namespace watershed
